"""The compactor: many small chunks become few large ones, so that what is asked of a bucket costs the same however it came in.

Neighbours of one size are merged when there are FAN_IN of them, so an event is written again once for each factor of FAN_IN in its
chunk's size, and at most FAN_IN - 1 chunks of each size remain (a log-structured merge tree with size tiers). Chunks expire as a whole, so
only those are merged that were received on one day and expire together; what a day that is over has left is made one. A chunk that is FULL
is left alone; one that has expired goes. Every merge is one transaction (`store.merge`): it may be killed anywhere, and two compactors may
meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from math import inf

from tapedeck import aws, clock, objects
from tapedeck.events import batching, chunks, pins, store
from tapedeck.events.pins import Pin
from tapedeck.events.store import Chunk, CollectionId

FAN_IN = 8
MOST_PARTS = 48  # of one merge: a transaction may hold a hundred items, and each part is two
FULL = 65_536  # events
FULL_SIZE = 8_000_000  # bytes
FULL_SUMMARY = 100_000  # bytes
GRACE = 29 + 300  # seconds: the functions' timeout and five minutes
HOURS = 3
SWEPT_AT_ONCE = 2_000
LOOK_AGAIN = 86_400  # seconds after which old generations of which something must stay are looked at again


def merge_due() -> int:
    """Merge what has come in since the last time, everywhere. Answers how many chunks went up in others."""
    merged = 0
    for due in store.overdue(store.MERGE):
        while gone := merge_once(due.collection, due.generation):
            merged += gone
        store.settle(due)
    return merged


def merge_once(collection: CollectionId, generation: int) -> int:
    """Make one merge where there is one to be made. Answers how many chunks went up in another."""
    there = store.steadily(lambda: list(store.oldest_first(collection, generation, expired=True)))
    living, expired = list[Chunk](), list[Chunk]()
    for chunk in there:
        (living if store.is_there(collection, chunk) else expired).append(chunk)
    for chunk in expired[:SWEPT_AT_ONCE]:
        store.remove(collection, chunk)
    run = _run(living, store.day_of(clock.milliseconds()))
    if not run:
        return 0
    try:
        opened = aws.together(*(_opener(collection, chunk) for chunk in run))
    except store.Overtaken:
        return 0
    batch = batching.merged([(chunk, *each) for chunk, each in zip(run, opened, strict=True)])
    if len(batch.summary) > store.MOST_SUMMARY:
        return 0
    return len(run) - 1 if store.merge(collection, run, batch) else 0


def sweep() -> int:
    """Delete what generations left behind and what no chunk knows. Answers how many things there were."""
    return sum(map(_sweep_generation, store.overdue(store.SWEEP))) + _sweep_orphans()


def _sweep_generation(left: store.Due) -> int:
    """Delete what an old generation holds but for what is pinned, so many chunks at once. Safe to repeat and to kill."""
    pinned, swept, kept = pins.of(left.collection), 0, 0
    for chunk in store.oldest_first(left.collection, left.generation, expired=True):
        if swept == SWEPT_AT_ONCE:
            return swept
        holding = [pin for pin in pinned if pin.overlaps(chunk)] if store.is_there(left.collection, chunk) else []
        if holding:
            kept += 1
            _trim(left.collection, chunk, holding)
        else:
            store.remove(left.collection, chunk)
            swept += 1
    if kept:
        store.sweep_again(left.collection, LOOK_AGAIN)
    else:
        store.swept(left)
    return swept


def _trim(collection: CollectionId, chunk: Chunk, holding: Sequence[Pin]) -> None:
    """Take out of a chunk what only shares it with what is pinned."""
    if any(pin.holds(chunk.received) and pin.holds(chunk.received_last) for pin in holding):
        return
    batch, _ = batching.without(
        store.body(chunk), lambda _, line: not any(pin.holds(chunks.received_of(line, chunk.received)) for pin in holding)
    )
    if batch:
        store.rewrite(collection, chunk, batch)


def _run(chunks_in_order: Sequence[Chunk], today: int) -> list[Chunk]:
    """Neighbours of one tier, of the smallest tier that has enough of them; as many as make one full chunk at most. If there are none,
    what a day before `today` has left, of whatever tier."""
    best: list[Chunk] = []
    for _, group in groupby(chunks_in_order, key=lambda chunk: (_tier(chunk), *_expiring(chunk))):
        run = list(group)[:MOST_PARTS]
        if _tier(run[0]) is None or len(run) < FAN_IN:
            continue
        if not best or (_tier(run[0]) or 0) < (_tier(best[0]) or 0):
            best = run
    if run := next(_packed(best), []):
        return run
    left = [chunk for chunk in chunks_in_order if chunk.day < today]
    days = groupby(left, key=lambda chunk: (_tier(chunk) is None, *_expiring(chunk)))
    return next((run for (full, *_), group in days if not full for run in _packed(list(group), store.MOST_SUMMARY)), [])


def _packed(neighbours: Sequence[Chunk], most_summary: float = inf) -> Iterator[list[Chunk]]:
    """The neighbours in runs of which each makes one full chunk at most; without those that are a single one."""
    taken: list[Chunk] = []
    for chunk in neighbours:
        if taken and not _fits([*taken, chunk], most_summary):
            if len(taken) > 1:
                yield taken
            taken = []
        taken.append(chunk)
    if len(taken) > 1:
        yield taken


def _fits(run: Sequence[Chunk], most_summary: float) -> bool:
    weight = sum(len(each.summary) for each in run)
    full = _is_full(sum(each.count for each in run), sum(each.size for each in run))
    return len(run) <= MOST_PARTS and not full and weight <= most_summary


def _expiring(chunk: Chunk) -> tuple[int, int, int]:
    """What chunks that may be merged have in common."""
    return chunk.expires, store.day_of(chunk.received), chunk.day


def _tier(chunk: Chunk) -> int | None:
    """Which power of FAN_IN its number of events is; None when it is full."""
    if _is_full(chunk.count, chunk.size) or len(chunk.summary) > FULL_SUMMARY:
        return None
    return (chunk.count.bit_length() - 1) // (FAN_IN.bit_length() - 1)


def _is_full(count: int, size: int) -> bool:
    return count >= FULL or size >= FULL_SIZE


def _sweep_orphans() -> int:
    now, swept = clock.now(), 0
    known: dict[CollectionId, set[str]] = {}
    for key, put_at in objects.received_in("ev", [objects.hour(now - 3600 * back) for back in range(HOURS + 1)]):
        if put_at > now - GRACE:
            continue
        collection = store.collection_of(key)
        if collection not in known:
            known[collection] = store.object_keys(collection)
        if key not in known[collection]:
            objects.delete(key)
            swept += 1
    return swept


def _opener(collection: CollectionId, chunk: Chunk) -> Callable[[], tuple[bytes, bytes]]:
    return lambda: (store.body(chunk), store.owners_of(collection, chunk))
