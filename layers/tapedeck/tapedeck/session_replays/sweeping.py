"""The janitor: recordings that no row knows, left by ingests that died between two of their parallel writes.

Recordings are filed by the hour of their receipt, so the last hours' folders hold every candidate. An object is touched only when it
is older than any ingest that could still be at work, and only after a claim on its segment's row: an ingest that comes back just then
meets the claim and takes another key (`store.put_segment`). Safe to kill anywhere: the next run finds the claim and goes on.
"""

from __future__ import annotations

from tapedeck import clock
from tapedeck.session_replays import store

GRACE = 29 + 300  # the functions' timeout and five minutes (trust.md §6.1)
HOURS = 3


def sweep() -> int:
    """Delete the orphans of the last hours and say how many there were."""
    now = clock.now()
    swept = 0
    for object_key, put_at in store.objects([store.hour(now - 3600 * back) for back in range(HOURS + 1)]):
        named = store.segment_of_object(object_key)
        if named is None or put_at > now - GRACE:
            continue
        replay, number = named
        if store.doom(replay, number, object_key):
            store.delete_object(object_key)
            store.undoom(replay, number)
            swept += 1
    return swept
