"""How one person goes from the events: their lines become empty, in every collection of the environment and in every chunk that holds them.

Which chunks those are their owners tell (`store.chunks_with_user`), so a person with one event among a million costs the chunk that holds
it. A chunk is written again without them, with the summary of what is left: histograms, keys and pages follow exactly, and no number
changes. What captures have sealed are windows over the same chunks; those left behind by an emptied bucket are among them for as long as
they are there.

Nothing is added to a chunk once it is committed, so a page of the job is a range of numbers: whatever is merged meanwhile, the events with
these numbers go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from tapedeck import errors
from tapedeck.environments import store as environments
from tapedeck.erasure import Page, Subject
from tapedeck.events import batching, chunks, collections, store
from tapedeck.events.collections import Collection
from tapedeck.events.store import Chunk, CollectionId

_MOST_ROUNDS = 50


class Events:
    """The person's events, in live collections and under captures."""

    name = "events"

    def prepare(self, subject: Subject) -> None:
        """Let every request that is under way look at the tombstones once more, whatever its container remembers of them."""
        for each in _live(_collections(subject)):
            store.note_erasure(CollectionId(subject.organization_id, each.id))

    def find(self, subject: Subject, after: str) -> Page | None:
        """The next chunk that holds events of the person, in the collections from `after` on."""
        there = _collections(subject)
        for each in _live(there):
            if each.id < after:
                continue
            collection = CollectionId(subject.organization_id, each.id)
            held = store.steadily(partial(_first_held, collection, subject))
            if held is not None:
                chunk, numbers = held
                windows = [other for other in there if other.window and other.window.source == each.id]
                touched = [other.id for other in windows if other.window and _any_in(numbers, other.window.first, other.window.end)]
                return Page(
                    [each.id, chunk.first, chunk.end],
                    counts={"events": len(numbers), "chunks": 1},
                    object_keys=[chunk.object_key] if chunk.object_key else [],
                    named={"collections": [each.id], "captures": touched},
                    after=each.id,
                )
        return None

    def erase(self, subject: Subject, what: Sequence[Any]) -> None:
        """Write the chunks that hold these numbers again, until no event of the person has one of them."""
        collection_id, first, end = what
        collection = CollectionId(subject.organization_id, collection_id)
        for _ in range(_MOST_ROUNDS):
            if store.steadily(partial(_rewritten, collection, subject, first, end)):
                return
        raise errors.Unavailable("What was erased is still there.")


def _collections(subject: Subject) -> list[Collection]:
    """The collections of the environment, by id; the sealed ones among them."""
    organization = environments.organization(subject.organization_id, fresh=True)
    here = [each for each in organization.environments if each.project_id == subject.project_id] if organization else []
    return sorted(collections.of_environments(organization, here), key=lambda each: each.id) if organization else []


def _live(there: Sequence[Collection]) -> list[Collection]:
    """Those that have events of their own."""
    return [each for each in there if each.window is None]


def _first_held(collection: CollectionId, subject: Subject) -> tuple[Chunk, list[int]] | None:
    """The first chunk that holds events of the person, and their numbers."""
    for chunk in store.chunks_with_user(collection, subject.user_id):
        is_theirs, body = _theirs(chunk, subject), _body(collection, subject, chunk)
        lines = chunks.numbered(chunks.lines(body), chunk.first) if body else ()
        if numbers := [number for number, line in lines if is_theirs(line)]:
            return chunk, numbers
    return None


def _rewritten(collection: CollectionId, subject: Subject, first: int, end: int) -> bool:
    """Write every chunk again that holds one of these events. Answers whether there was none."""
    quiet = True
    for chunk in store.chunks_with_user(collection, subject.user_id):
        if chunk.end <= first or end <= chunk.first:
            continue
        body = _body(collection, subject, chunk)
        batch = batching.without(body, _unwanted(chunk, subject, first, end))[0] if body else None
        if batch is not None:
            store.rewrite(collection, chunk, batch)
            quiet = False
    return quiet


def _body(collection: CollectionId, subject: Subject, chunk: Chunk) -> bytes | None:
    """A chunk's body; None of a chunk that is half swept away, whose body has gone first. Overtaken when it was merged meanwhile."""
    try:
        return store.body(chunk)
    except store.Overtaken:
        if chunk in store.chunks_with_user(collection, subject.user_id):
            return None
        raise


def _unwanted(chunk: Chunk, subject: Subject, first: int, end: int) -> Callable[[int, bytes], bool]:
    is_theirs = _theirs(chunk, subject)
    return lambda index, line: first <= chunk.first + index < end and is_theirs(line)


def _theirs(chunk: Chunk, subject: Subject) -> Callable[[bytes], bool]:
    """Whether a line is of the person, and was received or had happened by the cut-off; only lines that name them are parsed."""
    needle, until = b'"user":%b' % msgspec.json.encode(subject.user_id), subject.until * 1000

    def is_theirs(line: bytes) -> bool:
        if needle not in line:
            return False
        event = chunks.event_of(line)
        return event.user == subject.user_id and (event.at <= until or chunks.received_of(line, chunk.received) <= until)

    return is_theirs


def _any_in(numbers: Sequence[int], first: int, end: int) -> bool:
    return any(first <= number < end for number in numbers)
