"""When a delivery that failed for now is tried again (decision 29). Pure."""

from __future__ import annotations

from tapedeck.event_replays.model import Type

_MINUTE, _HOUR = 60.0, 3600.0
# How long to wait after the first failure, the second, …: after the last of them an event is given up.
SCHEDULES: dict[Type, tuple[float, ...]] = {
    "single": (1, 2, 4, 8, 16, 30),
    "continuous": (5, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 10 * _HOUR),
}
MOST_ASKED = _HOUR  # seconds: a destination's Retry-After is honoured up to this


def delay(kind: Type, failures: int, asked: float | None) -> float | None:
    """Seconds to wait after the `failures`-th failure of an event; None when it is given up. `asked` is the destination's Retry-After.

    >>> [delay("single", failures, None) for failures in (1, 6, 7)]
    [1, 30, None]
    >>> delay("single", 1, 20.0)
    20.0
    """
    schedule = SCHEDULES[kind]
    if failures > len(schedule):
        return None
    return max(schedule[failures - 1], min(asked or 0.0, MOST_ASKED))
