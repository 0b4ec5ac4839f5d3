"""The one clock: every 'now' of the system is read here, and every wait is waited, so that a test can hold it still."""

from __future__ import annotations

import time as _time
from datetime import UTC, datetime


def now() -> float:
    """Seconds since the epoch, UTC."""
    return _time.time()


def milliseconds() -> int:
    """Milliseconds since the epoch, UTC: what captures count in, as receive times do."""
    return int(now() * 1000)


def sleep(seconds: float) -> None:
    """Wait."""
    _time.sleep(seconds)


def iso(seconds: float) -> str:
    """ISO 8601, whole seconds (truncated), `+00:00`: the form in which session replays tell time (decision 9)."""
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()
