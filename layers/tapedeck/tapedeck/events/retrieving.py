"""What is asked of a bucket's events: a page of them, their distribution in time, their names; and to be rid of them.

Counts are in the chunks' summaries, so a deep offset is walked by counting, and only the chunks that hold the page are opened.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from tapedeck import aws, clock
from tapedeck.events import chunks, store, summaries
from tapedeck.events.asking import Distribution, Retrieval, Tail
from tapedeck.events.model import Event
from tapedeck.events.store import Chunk, CollectionId

MOST_BYTES = 3_000_000  # of data in an answer: a Lambda answer may weigh 6 MB; the page ends there, and its offset goes on from its length
PAUSE = 1.0  # seconds between two looks at a bucket that is followed


def retrieve(collection: CollectionId, asked: Retrieval) -> list[Event]:
    """The page of matching events, the newest first: those received last. It ends before its limit when its events are heavy."""
    return store.steadily(lambda: _retrieve(collection, asked))


def follow(collection: CollectionId, asked: Tail) -> tuple[list[Event], int]:
    """The matching events from a number on, the oldest first, and the number from which to ask next: waited for, if there are none.

    Without a number: none, and the number of the next event to come. Events that were deleted meanwhile are not waited for.
    """
    if asked.after is None:
        return [], store.head_of(collection).next
    after, until = asked.after, clock.now() + asked.wait
    while True:
        found, after = store.steadily(partial(_from, collection, asked, after))
        if found or clock.now() >= until:
            return found, after
        clock.sleep(min(PAUSE, until - clock.now()))


def distribution(collection: CollectionId, asked: Distribution) -> list[list[int]]:
    """`[[start of the interval in ms, count], …]`, ascending: one Query, unless the interval is shorter than a minute.

    Raises Invalid when there would be more points than a chart can show.
    """
    return store.steadily(lambda: _distribution(collection, asked))


def keys_by_app(collection: CollectionId) -> list[dict[str, Any]]:
    """`[{app_name, events, details}]`: the names of all events, by application."""
    return store.steadily(lambda: summaries.keys_by_app([summaries.decode(chunk.summary) for chunk in store.newest_first(collection)]))


def delete_all(collection: CollectionId) -> list[dict[str, Any]]:
    """Forget all events at once, and answer what they were, as `keys_by_app` does. Safe to repeat: then there is nothing.

    One write, whatever their number; what it leaves behind is swept later. What is received meanwhile stays.
    """
    left = store.begin_generation(collection)
    old = store.steadily(
        lambda: [summaries.decode(chunk.summary) for chunk in store.oldest_first(collection, left.generation)],
    )
    return summaries.keys_by_app(old)


def _retrieve(collection: CollectionId, asked: Retrieval) -> list[Event]:
    skip, weight, found = asked.offset, 0, list[Event]()
    for chunk in store.newest_first(collection):
        least, most = summaries.bounds(summaries.decode(chunk.summary), asked.wanted, asked.start, asked.end)
        if most == 0:
            continue
        if least == most and skip >= most:
            skip -= most
            continue
        opened = chunks.newest_first(store.body(chunk), asked.wanted, received=chunk.received, start=asked.start, end=asked.end)
        for event in opened:
            if skip:
                skip -= 1
                continue
            found.append(event)
            weight += len(event.data)
            if len(found) == asked.limit or weight > MOST_BYTES:
                return found
    return found


def _from(collection: CollectionId, asked: Tail, after: int) -> tuple[list[Event], int]:
    fresh: list[Chunk] = []
    for chunk in store.newest_first(collection):
        if chunk.end <= after:
            break
        fresh.append(chunk)
    weight, found = 0, list[Event]()
    for chunk in reversed(fresh):
        for number, line in chunks.numbered(chunks.lines(store.body(chunk)), chunk.first):
            if number < after:
                continue
            event = chunks.event_of(line)
            if asked.wanted.matches(event.name, event.app, event.server):
                found.append(event)
                weight += len(event.data)
                if len(found) == asked.limit or weight > MOST_BYTES:
                    return found, number + 1
    return found, max(after, fresh[0].end if fresh else after)


def _distribution(collection: CollectionId, asked: Distribution) -> list[list[int]]:
    read = list(store.newest_first(collection))
    counted = [summaries.decode(chunk.summary) for chunk in read]
    if not asked.by.needs_events:
        return summaries.histogram(counted, asked.wanted, start=asked.start, end=asked.end, by=asked.by)
    summaries.refuse_too_many(counted, asked.wanted, start=asked.start, end=asked.end, by=asked.by)
    wanted = [
        chunk for chunk, summary in zip(read, counted, strict=True) if summaries.bounds(summary, asked.wanted, asked.start, asked.end)[1]
    ]
    events = [event for opened in aws.together(*map(_opener, wanted)) for event in opened] if wanted else []
    return summaries.histogram_of_events(events, asked.wanted, start=asked.start, end=asked.end, by=asked.by)


def _opener(chunk: Chunk) -> Any:
    return lambda: chunks.decode(store.body(chunk), received=chunk.received)
