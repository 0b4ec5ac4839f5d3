"""What a replay reads: the events of its collection from its position on, cut into the places of a window.

Chunks are merged while they are read, events are erased or expire, a bucket is emptied: numbers stay. A reader that is overtaken begins
again at the last end of a chunk that it saw; numbers that are gone are jumped over.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from msgspec.structs import force_setattr

from tapedeck import errors
from tapedeck.environments import store as environments
from tapedeck.environments.model import Organization
from tapedeck.event_replays.model import Progress, Replay
from tapedeck.event_replays.window import Place
from tapedeck.events import chunks, collections, lucene, spans, store
from tapedeck.events.collections import Collection
from tapedeck.events.lucene import Query
from tapedeck.events.model import Event
from tapedeck.events.spans import Span
from tapedeck.events.store import Chunk

_MOST_OVERTAKEN = 12


class Source:
    """What a replay reads: its collection, and the query that chooses. Raises NotFound or Invalid when it cannot be read any more."""

    def __init__(self, organization: Organization, collection: Collection, query: Query, until: int | None) -> None:
        self._organization, self._collection, self._query, self._until = organization, collection, query, until

    @classmethod
    def of(cls, replay: Replay) -> Source:
        """The source of a replay."""
        organization = environments.organization(replay.organization_id)
        if organization is None:
            raise errors.NotFound("The organization is gone.")
        collection = collections.one(organization, organization.environments, replay.collection_id)
        query = lucene.compile(replay.query, team_id=organization.team_id, collection=collection.name)
        return cls(organization, collection, query, replay.until)

    def places(self, progress: Progress) -> Iterator[Place]:
        """What there is from a replay's position to its end; to the present end of the collection, when it has none."""
        span = self._span()
        return places(span, self._query, progress, self._end_of(span))

    def goes_on(self, progress: Progress) -> bool:
        """Whether there is anything left to look at."""
        return self._end_of(self._span()) > progress.position

    def _span(self) -> Span:
        return collections.span(self._organization, self._collection)

    def _end_of(self, span: Span) -> int:
        return self._until if self._until is not None else spans.end_of(span)


def places(span: Span, query: Query, progress: Progress, end: int) -> Iterator[Place]:
    """The places from a replay's position to number `end`, in order and without a gap.

    What waits is in them whether the query (which may have been changed) still finds it or not; what was settled ahead is in them too,
    with nothing to send.
    """
    position, overtaken = progress.position, 0
    waiting, ahead = {each.number for each in progress.waiting}, set(progress.ahead)
    while position < end:
        try:
            for chunk in spans.chunks_of(span, position):
                first, last = max(position, chunk.first), min(chunk.end, end)
                if first >= last:
                    break
                edge, text = first, _from(chunks.lines(store.body(chunk)), first - chunk.first)
                for number, event in _found(text, chunk, first, last, query, waiting, ahead):
                    yield Place(number + 1, number + 1 - edge, event, matched=True)
                    edge = number + 1
                if edge < last:
                    yield Place(last, last - edge)
                position, overtaken = last, 0
        except store.Overtaken:
            overtaken += 1
            if overtaken > _MOST_OVERTAKEN:
                raise
            continue
        if position < end:  # what was there is gone
            yield Place(end, 0)
        return


def _found(
    text: bytes, chunk: Chunk, first: int, end: int, query: Query, waiting: set[int], ahead: set[int]
) -> Iterator[tuple[int, Event | None]]:
    """Numbers below `end`, each with the event that is to be sent, or with None when it was settled ahead."""
    found = takewhile(lambda each: each[0] < end, query.select(text, first=first, received=chunk.received))
    held = sorted(number for number in waiting | ahead if first <= number < end)
    if not held:
        yield from found
        return
    lines = dict(chunks.numbered(text, first))
    again = {number: _event(lines[number], chunk.received) for number in held if number in lines and number not in ahead}
    settled = {number: None for number in held if number in ahead}
    yield from sorted({**dict(found), **again, **settled}.items())


def _event(line: bytes, received: int) -> Event:
    event = chunks.event_of(line)
    if not event.received:
        force_setattr(event, "received", received)
    return event


def _from(text: bytes, line: int) -> bytes:
    """The text from its `line`-th line (from 0) on."""
    at = 0
    for _ in range(line):
        at = text.index(b"\n", at) + 1
    return text[at:] if at else text
