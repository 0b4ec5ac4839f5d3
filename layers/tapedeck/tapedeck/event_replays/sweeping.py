"""Once a minute: ring again for replays whose bell, or whose worker, was lost."""

from __future__ import annotations

from tapedeck import errors
from tapedeck.event_replays import ringing, store
from tapedeck.event_replays.feeding import Source
from tapedeck.event_replays.model import Replay


def ring_overdue() -> int:
    """Ring for leases that have ended, retries and notices that are due, bells that nobody heard, and continuous replays that are behind.

    Answers how many. Safe to repeat: a worker that finds nothing to do lets go at once.
    """
    rung = 0
    for replay in [*store.overdue(), *filter(_is_behind, store.following())]:
        ringing.ring(replay.organization_id, replay.id)
        rung += 1
    return rung


def _is_behind(replay: Replay) -> bool:
    try:
        return Source.of(replay).goes_on(replay.progress)
    except errors.DomainError:
        return True  # its collection is gone: a worker is to find that out
