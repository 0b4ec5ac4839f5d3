"""The janitor: recordings that no row knows, left by ingests that died between their object and their commit.

Recordings are filed by the hour of their receipt, so the last hours' folders hold every candidate. An object is touched only when it
is older than any ingest that could still commit it; from then on nobody can, for every attempt has an object of its own. So a look at
the segment's row decides, and the sweep is safe to kill anywhere and to run twice at once.
"""

from __future__ import annotations

from tapedeck import clock, objects
from tapedeck.session_replays import bucket, store

GRACE = 29 + 300  # the functions' timeout and five minutes (trust.md §6.1)
HOURS = 3


def sweep() -> int:
    """Delete the orphans of the last hours and say how many there were."""
    now = clock.now()
    swept = 0
    for key, put_at in objects.received_in("rec", [objects.hour(now - 3600 * back) for back in range(HOURS + 1)]):
        named = bucket.recording_of(key)
        if named is None or put_at > now - GRACE:
            continue
        holder = store.segment(*named, consistent=True)
        if holder is None or holder.object_key != key:
            objects.delete(key)
            swept += 1
    return swept
