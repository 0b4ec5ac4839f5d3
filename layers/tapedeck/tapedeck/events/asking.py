"""The bodies with which a bucket's events are asked for; every number may also be a text (PM2's client checks no types)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tapedeck import strict_json
from tapedeck.errors import Invalid
from tapedeck.events import summaries
from tapedeck.events.model import Filter, moment
from tapedeck.events.summaries import MINUTE, Interval

MAX_LIMIT = 1000
MAX_SIZE = 100
MAX_OFFSET = 10**12
MAX_DAYS = 90
_DAY = 86_400_000
_DIGITS = re.compile(r"[0-9]{1,15}")


class Retrieval(NamedTuple):
    """Which events, newest first: `limit` of them after the first `offset`, of those that happened in [start, end) (ms), None is open."""

    wanted: Filter
    limit: int = 100
    offset: int = 0
    start: int | None = None
    end: int | None = None


class Distribution(NamedTuple):
    """Which events to count, in [start, end) (ms, whole minutes), and how wide a bucket is."""

    wanted: Filter
    start: int
    end: int
    by: Interval


class Search(NamedTuple):
    """Which events of a collection, newest first: `size` of those that `query` finds, after the first `offset`."""

    query: str
    offset: int
    size: int


class Tail(NamedTuple):
    """What a reader that follows a bucket wants: events from number `after` on (None: from now on), waited for so many seconds."""

    wanted: Filter
    after: int | None
    wait: int
    limit: int


def tail(asked: Mapping[str, list[str]]) -> Tail:
    """The query `after`, `wait` (0 to 20 seconds), `limit` (1 to 1000), `event_name`, `app_name`, `server_name`. Raises Invalid."""
    said: dict[str, Any] = {name: values[-1] for name, values in asked.items() if values and values[-1]}
    wanted = Filter(_text(said, "event_name"), _text(said, "app_name"), _text(said, "server_name"))
    after = _number(said, "after", 0, 10**15, default=-1)
    return Tail(wanted, None if after < 0 else after, _number(said, "wait", 0, 20, default=0), _number(said, "limit", 1, 1000, default=100))


def retrieval(body: bytes | str | None) -> Retrieval:
    """`{event_name, app_name?, server_name?, limit? 1–1000 (100), offset? ≥ 0 (0), start?, end?}`. Raises Invalid with `fields`."""
    asked = _object(body)
    start, end = _moment(asked, "start"), _moment(asked, "end")
    if start is not None and end is not None and start >= end:
        raise Invalid(fields={"start": ["must be before end"]})
    return Retrieval(
        _filter(asked),
        limit=_number(asked, "limit", 1, MAX_LIMIT, default=100),
        offset=_number(asked, "offset", 0, MAX_OFFSET, default=0),
        start=start,
        end=end,
    )


def search(body: bytes | str | None) -> Search:
    """`{query? ("*"), from? ≥ 0 (0), size? 0–100 (25)}`. Raises Invalid with `fields`; the query is not read."""
    asked = _object(body)
    query = asked.get("query")
    if query is not None and not isinstance(query, str):
        raise Invalid(fields={"query": ["must be a text"]})
    return Search(
        "*" if query is None else query,
        offset=_number(asked, "from", 0, MAX_OFFSET, default=0),
        size=_number(asked, "size", 0, MAX_SIZE, default=25),
    )


def distribution(body: bytes | str | None, *, now: float) -> Distribution:
    """`{event_name, app_name?, server_name?, days? 1–90 (2), interval? ("minute")}`: from `days` × 24 h ago until `now` (s).

    Both ends are widened to whole minutes. Raises Invalid with `fields`.
    """
    asked = _object(body)
    until = int(now * 1000)
    since = until - _number(asked, "days", 1, MAX_DAYS, default=2) * _DAY
    by = summaries.interval(_text(asked, "interval") or "minute")
    return Distribution(_filter(asked), start=since // MINUTE * MINUTE, end=until // MINUTE * MINUTE + MINUTE, by=by)


def _object(body: bytes | str | None) -> dict[str, Any]:
    asked = strict_json.loads(body) if body and body.strip() else {}
    if not isinstance(asked, dict):
        raise Invalid("The body must be a JSON object.")
    return asked


def _filter(asked: dict[str, Any]) -> Filter:
    name = _text(asked, "event_name")
    if name is None:
        raise Invalid(fields={"event_name": ["is required"]})
    return Filter(name, _text(asked, "app_name"), _text(asked, "server_name"))


def _text(asked: dict[str, Any], name: str) -> str | None:
    """A text; None when it is absent, null or empty."""
    value = asked.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(fields={name: ["must be a text"]})
    return value or None


def _number(asked: dict[str, Any], name: str, least: int, most: int, *, default: int) -> int:
    value = asked.get(name)
    if value is None:
        return default
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not least <= value <= most:
        raise Invalid(fields={name: [f"must be a whole number from {least} to {most}"]})
    return value


def _moment(asked: dict[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    at = moment(value)
    if at is None:
        raise Invalid(fields={name: ["must be an ISO 8601 date or milliseconds since the epoch"]})
    return at
