"""Which stretch of time a request is about: `statsPeriod`, or `start` and `end` (contract §3). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from tapedeck.errors import Invalid

DAY = 86400.0
DEFAULT = 7 * DAY  # of the index (decision 8)
QUARTER = 90 * DAY  # of everything else (contract §3)
_PERIOD = re.compile(r"(\d{1,9})([hdmsw]?)")
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": DAY, "w": 7 * DAY}


def period(stats_period: str | None, start: str | None, end: str | None, *, now: float, default: float = DEFAULT) -> tuple[float, float]:
    """[start, end) in epoch seconds. `stats_period` wins over `start` and `end`; Invalid in the contract's words.

    >>> period("2m", None, None, now=1000.0)
    (880.0, 1000.0)
    """
    if stats_period:
        return now - _seconds(stats_period), now
    if not start and not end:
        return now - default, now
    if not start or not end:
        raise Invalid("Invalid date range: start and end are both required")
    first, last = instant(start), instant(end)
    if first >= last:
        raise Invalid("Invalid date range: start must be before end")
    return first, last


def period_of(query: Mapping[str, list[str]], *, now: float, default: float = DEFAULT) -> tuple[float, float]:
    """The period that a request's parameters ask for."""

    def one(name: str) -> str | None:
        return next((value for value in query.get(name, ()) if value), None)

    return period(one("statsPeriod"), one("start"), one("end"), now=now, default=default)


def _seconds(text: str) -> float:
    match = _PERIOD.fullmatch(text)
    if match is None:
        raise Invalid(f"Invalid date range: Invalid statsPeriod: '{text[:64]}'")
    return int(match[1]) * _UNITS[match[2]]


def instant(text: str) -> float:
    """An ISO 8601 moment in epoch seconds; without an offset it is UTC. Invalid in the contract's words."""
    if text.isdigit():  # epoch seconds pass Sentry's first check and fail its second; so they do here
        raise _not_a_date(text)
    try:
        at = datetime.fromisoformat(text.replace(" ", "+") if re.search(r"T.* \d\d:?\d\d$", text) else text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise _not_a_date(text) from None


def _not_a_date(text: str) -> Invalid:
    return Invalid(f"Invalid date range: {text[:64]} is not a valid ISO8601 date query")
