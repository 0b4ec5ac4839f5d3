"""Searching a collection: how many of its events a query finds, and a page of them. What a search shows is what a replay sends.

Chunks are looked through from the newest one back, a few at a time. Those that hold the page are read for their events, the others for
their number alone; and those of which the receive times tell that all or none is found are not opened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import orjson

from tapedeck import aws, clock
from tapedeck.events import chunks, lucene, spans, store, summaries
from tapedeck.events.lucene import Query
from tapedeck.events.model import Event
from tapedeck.events.retrieving import MOST_BYTES
from tapedeck.events.spans import Span
from tapedeck.events.store import Chunk

LONGEST = 20.0  # seconds for which chunks are looked through: a Lambda answers within 29
AT_ONCE = 4  # chunks that are fetched side by side, and held: 32 MB


class Found(NamedTuple):
    """How many events a query finds, and a page of them, the newest first; not `complete`: of those that could be looked at in time."""

    total: int
    events: list[Event]
    complete: bool = True


def search(span: Span, query: Query, *, offset: int, size: int) -> Found:
    """What a query finds in a span. The page ends before its size when its events are heavy: the next one begins behind it.

    Raises Unavailable when merges overtake it again and again.
    """
    return store.steadily(lambda: _search(span, query, offset, size))


def present(found: Found, *, team_id: str, collection: str) -> bytes:
    """`{"total": n, "data": [stored event…]}`, and `"complete": false` where that is so; `collection` is its name."""
    events = [lucene.envelope(event, team_id=team_id, collection=collection) for event in found.events]
    return orjson.dumps({"total": found.total, "data": events} | ({} if found.complete else {"complete": False}))


def _search(span: Span, query: Query, offset: int, size: int) -> Found:
    until, total, page = clock.now() + LONGEST, 0, _Page(offset, size)
    waiting = [chunk for chunk in spans.chunks_of(span) if query.may_find(chunk)]
    while waiting:
        several = [waiting.pop() for _ in waiting[-AT_ONCE:]]
        counts = [_told(span, query, chunk) for chunk in several]
        unknown = [chunk for chunk, count in zip(several, counts, strict=True) if count is None]
        bodies = dict(zip(unknown, aws.together(*(partial(store.body, chunk) for chunk in unknown)) if unknown else (), strict=True))
        for chunk, count in zip(several, counts, strict=True):
            if count is None or not page.passes(count):
                body = bodies.pop(chunk) if count is None else store.body(chunk)
                count = _look(span, query, chunk, chunks.lines(body), page)
            total += count
        if waiting and clock.now() > until:
            return Found(total, page.events, complete=False)
    return Found(total, page.events)


class _Page:
    """A page that is being filled, from the newest event that is found back."""

    def __init__(self, offset: int, size: int) -> None:
        self.events: list[Event] = []
        self._skip, self._room, self._weight = offset, size, MOST_BYTES

    @property
    def reach(self) -> int:
        """How many events the page still has to do with: those that come before it, and its own."""
        return self._skip + self._room if self._room else 0

    def passes(self, count: int) -> bool:
        """Whether the next `count` events that are found are not in the page, which then are passed."""
        if self._room and count > self._skip:
            return False
        self._skip = max(0, self._skip - count)
        return True

    def take(self, newest: Sequence[Event], count: int) -> None:
        """Of `count` events that are found, oldest first, the newest `reach`, or all."""
        if self.passes(count):
            return
        for event in reversed(newest[: len(newest) - self._skip]):
            self.events.append(event)
            self._room -= 1
            self._weight -= len(event.data)
            if self._weight < 0:
                self._room = 0
            if not self._room:
                break
        self._skip = 0


def _told(span: Span, query: Query, chunk: Chunk) -> int | None:
    """How many of a chunk's events are found, if that is known without looking at them."""
    return summaries.total(summaries.decode(chunk.summary)) if _is_within(span, chunk) and query.finds_all(chunk) else None


def _look(span: Span, query: Query, chunk: Chunk, text: bytes, page: _Page) -> int:
    """How many of a chunk's events are found; those that are the page's go into it."""
    if not page.reach and _is_within(span, chunk):
        return query.count(text, received=chunk.received)
    count, newest = 0, deque[Event](maxlen=page.reach)
    for number, event in query.select(text, first=chunk.first, received=chunk.received):
        if number >= span.first and (span.end is None or number < span.end):
            count += 1
            newest.append(event)
    page.take(list(newest), count)
    return count


def _is_within(span: Span, chunk: Chunk) -> bool:
    return chunk.first >= span.first and (span.end is None or chunk.end <= span.end)
