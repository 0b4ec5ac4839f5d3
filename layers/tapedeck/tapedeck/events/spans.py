"""Spans: what a reader reads of a collection. Events are numbered in receive order, so a span is two numbers.

A live collection is read as it is now: its present generation, from a number on, without an end. A capture's is sealed: from one number
to another, also in generations that were left behind, for its pin keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tapedeck.events import chunks, store
from tapedeck.events.store import Chunk, CollectionId


class Place(NamedTuple):
    """An event's number, and the generation that it is in."""

    number: int
    generation: int


@dataclass(frozen=True, slots=True)
class Span:
    """The events of a collection numbered [first, end); None is open. `generations` are the first and the last of a sealed one."""

    collection: CollectionId
    first: int = 0
    end: int | None = None
    generations: tuple[int, int] | None = None

    @property
    def is_sealed(self) -> bool:
        """Whether nothing can come to it any more."""
        return self.generations is not None


def chunks_of(span: Span, since: int = 0) -> Iterator[Chunk]:
    """The chunks that hold numbers of the span from `since` on and have not expired, the oldest first; the outermost ones may hold
    others as well.

    Raises Overtaken when a merge went on meanwhile: go on from the number after the last that was seen.
    """
    begin = max(since, span.first)
    if span.generations is None:
        generations = range(generation := store.head_of(span.collection).generation, generation + 1)
    else:
        generations = range(span.generations[0], span.generations[1] + 1)
    for generation in generations:
        for chunk in store.oldest_first(span.collection, generation, begin):
            if span.end is not None and chunk.first >= span.end:
                return
            yield chunk


def end_of(span: Span) -> int:
    """The number after the last event that is there now."""
    return span.end if span.end is not None else store.head_of(span.collection).next


def place_of(collection: CollectionId, at: int) -> Place:
    """Where the first event is, or would be, that was received at `at` (ms) or later. It is final once `store.fence` has been there."""
    return store.steadily(lambda: _place_of(collection, at))


def _place_of(collection: CollectionId, at: int) -> Place:
    head = store.head_of(collection)
    edge = Place(head.next, head.generation)
    for chunk in store.backwards(collection):
        if chunk.received_last < at:
            return edge
        if chunk.received < at:
            if not store.is_there(collection, chunk):
                return edge  # what was in it has expired
            lines = chunks.numbered(chunks.lines(store.body(chunk)), chunk.first)
            inside = (Place(number, chunk.generation) for number, line in lines if chunks.received_of(line, chunk.received) >= at)
            return next(inside, edge)
        edge = Place(chunk.first, chunk.generation)
    return edge
