"""A chunk of events at rest: a byte of version, and lines of JSON under zstd; one event a line, in receive order.

A line is compact JSON of the fields of `Event`, in their order, without those that are null or 0, `data` last and as it was sent:

    {"id":"6553f1000123456789000007","name":"order","app":"api","server":"web-1","at":1700000000000,"user":"u1","data":{"sum": 12.50}}

so that a reader can look for bytes in a line before it parses it, and can cut `data` out without. The one thing that a line cannot hold is
a line feed. JSON has those between tokens only: such a one becomes a space, and `"lf":[4,10]`, before `data`, tells after how many bytes
the first comes, and after how many more each of the others.

The receive time is not known when a chunk is written, for the commit decides it; it stands beside the chunk. When chunks are merged, each
line gets its own, in front: `{"received":1700000000123,"id":…`. A chunk has it in all of its lines, or in none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tapedeck.events.model import ANY, Event, Filter


def encode(events: Sequence[Event]) -> bytes:
    """The events as a chunk. The same events are the same bytes."""
    raise NotImplementedError


def decode(chunk: bytes, *, received: int = 0) -> list[Event]:
    """The events of a chunk, oldest first; `received` (ms) is the receive time of a chunk that does not tell it line by line."""
    raise NotImplementedError


def lines(chunk: bytes) -> bytes:
    """The chunk's lines as they are, each ended by a line feed: what a search for bytes runs over."""
    raise NotImplementedError


def event_of(line: bytes) -> Event:
    """The event of one line."""
    raise NotImplementedError


def stamped(of: bytes, received: int) -> bytes:
    """Lines with the receive time (ms) in front of each, unless they have it; nothing is parsed."""
    raise NotImplementedError


def concat(parts: Iterable[tuple[bytes, int]]) -> bytes:
    """One chunk of several, given as (chunk, its receive time in ms), oldest first; nothing is parsed."""
    raise NotImplementedError


def newest_first(
    chunk: bytes, wanted: Filter = ANY, *, received: int = 0, start: int | None = None, end: int | None = None
) -> Iterator[Event]:
    """The wanted events that happened in [start, end) (ms), the last received first; what is not looked at is not parsed."""
    raise NotImplementedError
