"""A chunk of events at rest: a byte of version, and lines of JSON under zstd; one event a line, in receive order.

A line is compact JSON of the fields of `Event`, in their order, without those that are null or 0, `data` last and as it was sent:

    {"id":"6553f1000123456789000007","name":"order","app":"api","server":"web-1","at":1700000000000,"user":"u1","data":{"sum": 12.50}}

so that a reader can look for bytes in a line before it parses it, and can cut `data` out without. The one thing that a line cannot hold is
a line feed. JSON has those between tokens only: such a one becomes a space, and `"lf":[4,10]`, before `data`, tells where they were: the
first at byte 4, the next 10 bytes on.

A line may be empty: its event was erased, or refused when it came. So an event's number, which is that of its line, never changes.

The receive time is not known when a chunk is written, for the commit decides it: it stands beside the chunk. When chunks are merged, each
line gets its own, in front: `{"received":1700000000123,"id":…`. A chunk has it in all of its lines, or in none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, pairwise

import msgspec
from msgspec.structs import force_setattr

from tapedeck.events.model import ANY, Event, Filter

_LEVEL = 3
_VERSION = b"\x01"


class _Folded(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """An event whose data have line feeds: `Event`, with where they were."""

    received: int = 0
    id: str
    name: str
    app: str
    server: str
    at: int
    pm_id: int | None = None
    rev: str | None = None
    user: str | None = None
    hops: int = 0
    lf: tuple[int, ...] = ()
    data: msgspec.Raw


_ENCODER = msgspec.json.Encoder()
_EVENTS = msgspec.json.Decoder(Event)
_FOLDED = msgspec.json.Decoder(_Folded)
_HAS_FOLDS = b'"lf":['
_TOLD = len(b'{"received":')


def encode(events: Sequence[Event | None]) -> bytes:
    """The events as a chunk; None is a number without an event. The same events are the same bytes."""
    text = _ENCODER.encode_lines(events)
    if text.count(b"\n") != len(events):
        text = _ENCODER.encode_lines([event and _folded(event) for event in events])
    if None in events:
        text = (b"\n" + text).replace(b"\nnull\n", b"\n\n").replace(b"\nnull\n", b"\n\n")[1:]  # twice: neighbours share a line feed
    return _deflated(text)


def decode(chunk: bytes, *, received: int = 0) -> list[Event]:
    """The events of a chunk, oldest first; `received` (ms) is the receive time of a chunk that does not tell it line by line."""
    text = lines(chunk)
    events = [event_of(line) for line in text.split(b"\n") if line] if _HAS_FOLDS in text else _EVENTS.decode_lines(text)
    if received and events and not events[0].received:
        for event in events:
            force_setattr(event, "received", received)
    return events


def lines(chunk: bytes) -> bytes:
    """The chunk's lines as they are, each ended by a line feed: what a search for bytes runs over. ValueError for another version."""
    if chunk[:1] != _VERSION:
        raise ValueError(f"a chunk of version {chunk[:1]!r}")
    import zstandard  # 8 ms, for those that open a chunk

    return zstandard.ZstdDecompressor().decompress(memoryview(chunk)[1:])


def event_of(line: bytes) -> Event:
    """The event of one line."""
    if _HAS_FOLDS not in line:
        return _EVENTS.decode(line)
    folded = _FOLDED.decode(line)
    data = bytearray(folded.data)
    for at in accumulate(folded.lf):
        data[at : at + 1] = b"\n"
    return Event(**{name: getattr(folded, name) for name in Event.__struct_fields__} | {"data": msgspec.Raw(bytes(data))})


def stamped(text: bytes, received: int) -> bytes:
    """Lines with the receive time (ms) in front of each, unless they have one or 0 is given; nothing is parsed."""
    if not received or text.startswith(b'{"received":', text.find(b"{")):
        return text
    return (b"\n" + text).replace(b"\n{", b'\n{"received":%d,' % received)[1:]


def concat(parts: Iterable[tuple[bytes, int]]) -> bytes:
    """One chunk of several, given as (chunk, its receive time in ms), oldest first; nothing is parsed."""
    return _deflated(b"".join(stamped(lines(chunk), received) for chunk, received in parts))


def numbered(text: bytes, first: int) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every event in a chunk's lines, which begin with number `first`."""
    return ((number, line) for number, line in enumerate(text.split(b"\n"), first) if line)


def received_of(line: bytes, otherwise: int) -> int:
    """When the event of a line was received (ms): as the line tells, or `otherwise`, as its chunk does."""
    return int(line[_TOLD : line.index(b",")]) if line.startswith(b'{"received":') else otherwise


def without(chunk: bytes, unwanted: Callable[[int, bytes], bool]) -> tuple[bytes, int]:
    """The chunk with an empty line in the place of each that is unwanted by its index and text, and how many these were."""
    left, gone = [], 0
    for index, line in enumerate(lines(chunk).split(b"\n")):
        out = bool(line) and unwanted(index, line)
        left.append(b"" if out else line)
        gone += out
    return (_deflated(b"\n".join(left)) if gone else chunk), gone


def newest_first(
    chunk: bytes, wanted: Filter = ANY, *, received: int = 0, start: int | None = None, end: int | None = None
) -> Iterator[Event]:
    """The wanted events that happened in [start, end) (ms), the last received first; what is not looked at is not parsed."""
    text = lines(chunk)
    needle = _needle(wanted)
    before = len(text)
    while (hit := text.rfind(needle, 0, before)) >= 0:
        before = text.rfind(b"\n", 0, hit) + 1
        event = event_of(text[before : text.find(b"\n", hit)])
        if not event.received:
            force_setattr(event, "received", received)
        in_time = (start is None or event.at >= start) and (end is None or event.at < end)
        if in_time and wanted.matches(event.name, event.app, event.server):
            yield event


def _needle(wanted: Filter) -> bytes:
    """Bytes that every line of a wanted event has; others may have them too."""
    named = [(field, value) for field, value in zip(("name", "app", "server"), wanted, strict=True) if value is not None]
    return max((b'"%b":%b,' % (field.encode(), _ENCODER.encode(value)) for field, value in named), key=len, default=b'"id":')


def _folded(event: Event) -> _Folded:
    data = bytes(event.data)
    feeds = [at for at, byte in enumerate(data) if byte == 10]
    told = {name: getattr(event, name) for name in Event.__struct_fields__}
    gaps = tuple(b - a for a, b in pairwise([0, *feeds]))
    return _Folded(**told | {"lf": gaps, "data": msgspec.Raw(data.replace(b"\n", b" "))})


def _deflated(text: bytes) -> bytes:
    import zstandard  # 8 ms, for those that write a chunk

    return _VERSION + zstandard.ZstdCompressor(level=_LEVEL).compress(text)
