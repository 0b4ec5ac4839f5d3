"""An event: what happened, where, when, to whom, and what its sender said of it, to the byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, NamedTuple

import msgspec

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A number below this is of seconds: as milliseconds it would be of 1973, as seconds it reaches the year 5138.
_SECONDS_END = 10**11


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One event. Its fields, in this order, are also the members of its line in a chunk (`chunks`); `data` is JSON, as it was sent."""

    received: int = 0  #            ms since the epoch; 0 until its chunk knows
    id: str  #                      24 hex digits, see id_prefix
    name: str
    app: str
    server: str
    at: int  #                      when it happened, ms since the epoch: as the sender said, or when it was received (decision 23)
    pm_id: int | None = None
    rev: str | None = None
    user: str | None = None  #      whose it is (decision 21): what a deletion job erases by
    hops: int = 0  #                through how many event replays it has come
    data: msgspec.Raw


class Filter(NamedTuple):
    """Which events are meant: all of these must be equal, None is any."""

    name: str | None = None
    app: str | None = None
    server: str | None = None

    def matches(self, name: str, app: str, server: str) -> bool:
        """Whether an event of this name, application and server is meant."""
        return self.name in (None, name) and self.app in (None, app) and self.server in (None, server)


ANY = Filter()


def id_prefix(now: float, unique: str) -> str:
    """What the ids of a request's events have in common. An id is built as MongoDB's ObjectId is: 4 bytes of seconds, 5 that are the
    request's own, 3 that count. `unique` is ten hex digits: random, or those that a retry of the same request would find again.

    >>> id_prefix(1_700_000_000.9, "0123456789") + f"{7:06x}"
    '6553f1000123456789000007'
    """
    return f"{int(now):08x}{unique}"


def moment(value: Any) -> int | None:
    """ms since the epoch, of a number (ms; below 1e11 seconds), of its text, or of an ISO 8601 text (naive is UTC); None of neither.

    >>> moment("2026-11-21T00:00:00.5Z") == moment(1795219200.5) == moment("1795219200500") == 1795219200500
    True
    """
    if isinstance(value, str):
        try:
            return _of_number(float(value)) if value[:15].replace(".", "", 1).isdecimal() else _of_text(value)
        except (ValueError, OverflowError):
            return None
    return _of_number(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _of_number(number: float) -> int | None:
    if not isfinite(number):
        return None
    return round(number * 1000) if abs(number) < _SECONDS_END else int(number)


def _of_text(text: str) -> int:
    at = datetime.fromisoformat(text[:64])
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MILLISECOND


def iso(ms: int) -> str:
    """ISO 8601 with milliseconds and `Z`.

    >>> iso(1_700_000_000_007)
    '2023-11-14T22:13:20.007Z'
    """
    return (_EPOCH + _MILLISECOND * ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
