"""A query as it is used: compiled once, and then held against chunks of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import orjson
from msgspec.structs import force_setattr

from tapedeck.events import chunks
from tapedeck.events.lucene import evaluating, language, needles
from tapedeck.events.lucene.evaluating import Matcher
from tapedeck.events.lucene.fields import Source
from tapedeck.events.lucene.needles import Needles
from tapedeck.events.model import Event

_SAMPLE = 1 << 18  # bytes of a chunk in which the rarest needle is found out


def compile(text: str, *, team_id: str, collection: str = "") -> Query:  # noqa: A001  # as in re.compile
    """The query that a text says. `team_id` and `collection`, its name, are what all events of a collection have in common.

    Raises Invalid on the field `query`.
    """
    expression = language.parse(text)
    return Query(text, evaluating.matcher(expression, Source(team_id, collection)), tuple(needles.required(expression)))


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled query. `required` are needles: of each set every event that is found has one."""

    text: str
    matcher: Matcher
    required: tuple[Needles, ...]

    def select(self, text: bytes, *, first: int = 0, received: int = 0) -> Iterator[tuple[int, Event]]:
        """The events among a chunk's lines that are found, each with its number, in their order.

        `first` is the number of the first line, and blank lines count; `received` (ms) is for lines that do not tell when they were
        received. Only lines that have all needles are parsed.
        """
        number, counted = first, 0
        matcher = self.matcher
        for start, end in self._candidates(text):
            raw = text[start:end]
            line = orjson.loads(raw)
            if "received" not in line:
                line["received"] = received
            if matcher(line):
                number += text.count(b"\n", counted, start)
                counted = start
                event = chunks.event_of(raw)
                if not event.received:
                    force_setattr(event, "received", received)
                yield number, event

    def _candidates(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where the lines are that have all needles."""
        if not self.required:
            yield from _lines(text)
            return
        small = text.lower()
        wanted = [_present(each, small) for each in self.required]
        if not all(wanted):
            return
        rarest, *others = sorted(wanted, key=lambda each: sum(small.count(needle, 0, _SAMPLE) for needle in each))
        for start, end in _lines_with(rarest, small):
            for each in others:
                for needle in each:
                    if small.find(needle, start, end) >= 0:
                        break
                else:
                    break
            else:
                yield start, end


def _present(wanted: Needles, small: bytes) -> list[bytes]:
    """Which bytes of the text, in small letters, may be one of the needles."""
    found = {needle.text for needle in wanted}
    if b"\\" in small and b"\\u" in small:
        found.update(escape for needle in wanted for escape in needle.escapes)
    if not small.isascii():
        found.update(letter for needle in wanted for letter in needle.odd)
    return [each for each in found if each in small]


def _lines(text: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines are that are not blank."""
    start = 0
    while (end := text.find(b"\n", start)) >= 0:
        if end > start:
            yield start, end
        start = end + 1


def _lines_with(wanted: Sequence[bytes], small: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines are that have any of these bytes."""
    hits = {needle: small.find(needle) for needle in wanted}
    while hits:
        hit = min(hits.values())
        start, end = small.rfind(b"\n", 0, hit) + 1, small.find(b"\n", hit)
        yield start, end
        for needle, at in list(hits.items()):
            if at < end:
                at = small.find(needle, end)
                if at < 0:
                    del hits[needle]
                else:
                    hits[needle] = at
