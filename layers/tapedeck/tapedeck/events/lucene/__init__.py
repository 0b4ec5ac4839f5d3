"""Finding events by their content: `language` reads a query, `fields` knows what it may speak of, `evaluating` makes a function of it.

`language` turns text into a tree. `fields` is the stored event, a row a text of it, and `values` what may be said of a value, with `globs`
for those that have wildcards. `evaluating` compiles a tree to a closure over lines of a chunk; `needles` tells of the same tree which
bytes each such line has, `peeking` what can be told by these bytes alone, `receiving` which chunks need not be opened at all. `query`
puts them in this order, from what costs least. All of it is pure.
"""

from __future__ import annotations

from tapedeck.events.lucene.fields import envelope
from tapedeck.events.lucene.query import Query, compile

__all__ = ["Query", "compile", "envelope"]
