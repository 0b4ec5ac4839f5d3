"""Telling whoever wants to know that a replay is over: at least once, and never in the way of a replay.

The step that ends a replay owes a notice, on its row; it is paid when everybody was told, and given up after a day.
"""

from __future__ import annotations

from tapedeck import clock
from tapedeck.event_replays import model, presenting, ringing, store
from tapedeck.event_replays.destinations import notifying
from tapedeck.event_replays.model import Replay

_AGAIN = (60, 300, 1800, 7200, 18_000, 36_000)  # seconds


def give(replay: Replay) -> Replay:
    """Tell, if a notice is owed by now; what cannot be told is tried again later."""
    if replay.notice_at is None or replay.notice_at > clock.now():
        return replay
    told = notifying.tell(replay.organization_id, f"replay.{replay.state}", presenting.notice(replay))
    attempts = replay.notices + 1
    again_at = None if told or attempts > len(_AGAIN) else clock.now() + _AGAIN[attempts - 1]
    replay = store.change(replay, lambda it: model.noticed(it, attempts, again_at))
    if replay.notice_at is not None:
        ringing.ring(replay.organization_id, replay.id, at=replay.notice_at)
    return replay
