r"""A look at a line's bytes, which may tell whether its event is found, and else leaves it to be parsed.

Every term answers yes, no or None, which is not known, and so do AND, OR and NOT of them: as soon as what is known decides. It is known
of receive times, of the texts that an event has beside its data, and of words that are looked for everywhere: for these a parsed line would
have to be walked whole.

Only plain lines are looked at: all of ASCII, and without a backslash. There a quote begins or ends a string and is nothing else, and what
follows a string tells a name (`:`) from a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from tapedeck.events.lucene import fields, values
from tapedeck.events.lucene.fields import Field, Source
from tapedeck.events.lucene.language import And, Exists, Expression, Not, Or, Term, Text


class Glimpse(NamedTuple):
    """A plain line: text[start:end], the same in small letters, and its receive time (ms) unless the line tells it."""

    text: bytes
    small: bytes
    start: int
    end: int
    received: int


Peek: TypeAlias = Callable[[Glimpse], bool | None]

_SAFE = re.compile(r"\w(?:[\w.@-]*\w)?", re.ASCII)  # outside of strings there is no such text, but for numbers and three words
_OUTSIDE = frozenset(("true", "false", "null"))
_NUMERIC = frozenset("0123456789.+-e")
_WORD = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_")
_BLANK = frozenset(b' "')
_RECEIVED = b'{"received":'
_NAME = b'"name":'  # of the event: only the id stands before it
_DATA = b'"data":'
_QUOTE, _COLON = b'":'


def peek(expression: Expression, source: Source) -> Peek | None:
    """What a line's bytes tell of it; None if they never tell anything."""

    def looking(node: Expression) -> tuple[int, Peek | None]:
        match node:
            case Term():
                return _term(node, source)
            case Not(inner):
                cost, look = looking(inner)
                return cost, look and (lambda line: None if (told := look(line)) is None else not told)
            case And(inners):
                return several(inners, False)
            case Or(inners):
                return several(inners, True)

    def several(inners: Sequence[Expression], decisive: bool) -> tuple[int, Peek | None]:
        """`decisive` is the answer of one of them that is the answer of all."""
        parts = sorted(map(looking, inners), key=itemgetter(0))
        looks = [look for _, look in parts if look]
        otherwise = (not decisive) if len(looks) == len(parts) else None

        def look(line: Glimpse) -> bool | None:
            answer = otherwise
            for each in looks:
                told = each(line)
                if told is decisive:
                    return decisive
                if told is None:
                    answer = None
            return answer

        return sum(cost for cost, _ in parts), look if looks else None

    return looking(expression)[1]


def is_plain(text: bytes) -> bool:
    """Whether lines may be looked at as they are."""
    return text.isascii() and b"\\" not in text


def _term(term: Term, source: Source) -> tuple[int, Peek | None]:
    test = values.test(term.value)
    if term.field is None:
        match term.value:
            case Exists():
                return 0, lambda _: True
            case Text(text) if _SAFE.fullmatch(small := text.casefold()) and small not in _OUTSIDE and not _NUMERIC.issuperset(small):
                return 9, _anywhere(small.encode())
        return 0, None
    if (known := fields.BY_PATH.get(term.field)) is not None:
        return (1, _of_time(known, test, source)) if known.member is None else (2, _of_member(known.member, test))
    known = fields.BY_PATH.get(fields.METADATA + term.field)
    return (3, _of_member(known.member, test, term.field)) if known and known.member else (0, None)


def _of_time(field: Field, test: values.Test, source: Source) -> Peek:
    """Of what is known of a receive time alone."""

    @lru_cache(maxsize=1024)
    def at(received: int) -> bool:
        text = field.read({"received": received}, source)
        return text is not None and test(text)

    def look(line: Glimpse) -> bool:
        if not line.text.startswith(_RECEIVED, line.start):
            return at(line.received)
        told = line.start + len(_RECEIVED)
        return at(int(line.text[told : line.text.index(b",", told)]))

    return look


def _of_member(member: str, test: values.Test, in_payload: str | None = None) -> Peek:
    """Of a text beside the data; `in_payload` is what must not be in these, for it would come first."""
    name, other = f'"{member}":'.encode(), f'{in_payload}"'.encode() if in_payload else None

    def look(line: Glimpse) -> bool | None:
        text, _, start, end, _ = line
        data = text.find(_DATA, start)
        at = text.find(name, start, data)
        if at < 0 or (other and text.find(other, data, end) >= 0):
            return None
        at += len(name)
        if text[at] == _QUOTE:
            return test(text[at + 1 : text.index(b'"', at + 1)].decode())
        return test(text[at : text.index(b",", at)].decode())

    return look


def _anywhere(wanted: bytes) -> Peek:
    """Whether a value has this token, or is it."""
    edges = _WORD if _WORD.issuperset(wanted) else None

    def look(line: Glimpse) -> bool | None:
        _, small, start, end, _ = line
        at = small.find(wanted, small.find(_NAME, start), end)
        while at >= 0:
            behind = at + len(wanted)
            before, after = small[at - 1], small[behind]
            if (before not in edges and after not in edges) if edges else (before in _BLANK and after in _BLANK):
                following = small[small.index(b'"', behind) + 1]
                if following in b",}]":
                    return True
                if following != _COLON:  # white space, and then who knows
                    return None
            at = small.find(wanted, at + 1, end)
        return False

    return look
