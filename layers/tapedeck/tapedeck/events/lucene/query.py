"""A query as it is used: compiled once, and then held against chunks of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import force_setattr

from tapedeck.events import chunks
from tapedeck.events.lucene import evaluating, language, needles, peeking, reading, receiving
from tapedeck.events.lucene.evaluating import Matcher
from tapedeck.events.lucene.fields import Source
from tapedeck.events.lucene.language import Expression
from tapedeck.events.lucene.needles import Needles
from tapedeck.events.lucene.peeking import Glimpse, Peek
from tapedeck.events.lucene.reading import Reader
from tapedeck.events.model import Event

if TYPE_CHECKING:
    from tapedeck.events.store import Chunk

Place: TypeAlias = tuple[int, int]  # where a line begins, and where its line feed is

_BLOCK = 1 << 18  # bytes that are looked through at once: they stay in the processor's cache
_SAMPLE = 1 << 15  # bytes of a block that tell how often needles are in it
_USELESS = 0.9  # needles of a line: what nearly every line has need not be looked for


def compile(text: str, *, team_id: str, collection: str = "") -> Query:  # noqa: A001  # as in re.compile
    """The query that a text says. `team_id` and `collection`, its name, are what all events of a collection have in common.

    Raises Invalid on the field `query`.
    """
    expression, source = language.parse(text), Source(team_id, collection)
    needed = tuple(needles.required(expression))
    matcher, peek = evaluating.matcher(expression, source), peeking.peek(expression, source)
    return Query(text, expression, needed, peek, reading.reader(expression), matcher)


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. Of each set of `needles` every event that is found has one; `peek` may know more of a line that has them; what
    `read` makes of a line is what `matcher` decides by."""

    text: str
    expression: Expression
    needles: tuple[Needles, ...]
    peek: Peek | None
    read: Reader
    matcher: Matcher

    def select(self, text: bytes, *, first: int = 0, received: int = 0) -> Iterator[tuple[int, Event]]:
        """The events among a chunk's lines that are found, each with its number, in their order.

        `first` is the number of the first line, and blank lines count; `received` (ms) is for lines that do not tell when they were
        received. A line is parsed only if it has all needles, and a look at it leaves it open whether its event is found.
        """
        for block in _blocks(text):
            counted = 0
            for start, end in self._found(block, received):
                first += _line_feeds(block[counted:start])
                counted = start
                event = chunks.event_of(block[start:end])
                if not event.received:
                    force_setattr(event, "received", received)
                yield first, event
            first += _line_feeds(block[counted:])

    def count(self, text: bytes, *, received: int = 0) -> int:
        """How many events `select` would find."""
        return sum(len(self._found(block, received)) for block in _blocks(text))

    def may_find(self, chunk: Chunk) -> bool:
        """Whether any of a chunk's events can be found, as far as their receive times tell."""
        return receiving.may_be(self.expression, chunk.received, chunk.received_last)

    def finds_all(self, chunk: Chunk) -> bool:
        """Whether all of a chunk's events are found, as far as their receive times tell."""
        return receiving.must_be(self.expression, chunk.received, chunk.received_last)

    def _found(self, text: bytes, received: int) -> list[Place]:
        """Where the lines are of the events that are found."""
        small = text.lower()
        peek, read, matcher = self.peek, self.read, self.matcher
        are_plain = peek is not None and peeking.is_plain(text)
        found = []
        for start, end in _candidates(self.needles, small) if self.needles else _lines(text):
            raw = text[start:end]
            told = None
            if peek is not None and (are_plain or peeking.is_plain(raw)):
                told = peek(Glimpse(text, small, start, end, received))
            if told is None:
                line = read(raw)
                if "received" not in line:
                    line["received"] = received
                told = matcher(line)
            if told:
                found.append((start, end))
        return found


def _candidates(needles: Sequence[Needles], small: bytes) -> list[Place]:
    """Where the lines are that have one of each set of needles, in a text in small letters."""
    has_escapes, has_more = b"\\" in small and b"\\u" in small, not small.isascii()
    wanted = [_present(each, small, has_escapes, has_more) for each in needles]
    if not all(wanted):
        return []
    often = [sum(small.count(needle, 0, _SAMPLE) for needle in each) for each in wanted]
    rarest, *others = sorted(range(len(wanted)), key=often.__getitem__)
    lines = _lines_with(wanted[rarest], small)
    for other in others:
        if often[other] < _USELESS * small.count(b"\n", 0, _SAMPLE):
            lines = [(start, end) for start, end in lines if _has(wanted[other], small, start, end)]
    return lines


def _has(wanted: Sequence[bytes], small: bytes, start: int, end: int) -> bool:
    for needle in wanted:  # noqa: SIM110  # a loop is twice as fast as any() of a generator
        if small.find(needle, start, end) >= 0:
            return True
    return False


def _present(wanted: Needles, small: bytes, has_escapes: bool, has_more: bool) -> list[bytes]:
    """Which bytes of a text, in small letters, may be one of the needles: if it has escapes, if it has more than ASCII."""
    found = {needle.text for needle in wanted}
    if has_escapes:
        found.update(escape for needle in wanted for escape in needle.escapes)
    if has_more:
        found.update(letter for needle in wanted for letter in needle.odd)
    return [each for each in found if each in small]


def _lines_with(wanted: Sequence[bytes], small: bytes) -> list[Place]:
    """Where the lines are that have any of these bytes."""
    ends: dict[int, int] = {}
    for needle in wanted:
        hit = small.find(needle)
        while hit >= 0:
            end = ends[small.rfind(b"\n", 0, hit) + 1] = small.find(b"\n", hit)
            hit = small.find(needle, end)
    return list(ends.items()) if len(wanted) == 1 else sorted(ends.items())


def _line_feeds(text: bytes) -> int:
    """How many there are: `bytes.count` takes four times as long for a single byte."""
    return len(BytesIO(text).readlines())


def _lines(text: bytes) -> Iterator[Place]:
    """Where the lines are that are not blank."""
    start = 0
    while (end := text.find(b"\n", start)) >= 0:
        if end > start:
            yield start, end
        start = end + 1


def _blocks(text: bytes) -> Iterator[bytes]:
    """The text in pieces of whole lines."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + _BLOCK) + 1 or len(text)
        yield text[start:end]
        start = end
