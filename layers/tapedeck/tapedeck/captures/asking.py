"""What is asked of captures: a new one, a change, a kind of metrics. Every failure is told at once, by field (contract §2.2). Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tapedeck.captures.model import SOON
from tapedeck.errors import Invalid, NotFound
from tapedeck.events.model import moment

LEAST_DURATION, MOST_DURATION = 60, 30 * 86400  # seconds
MOST_AHEAD = 366 * 86_400_000  # ms
_LEAST_NAME, _MOST_NAME = 4, 25
_NAME = re.compile(r"[A-Za-z0-9 :_-]*")
_STATUSES = ("SCHEDULED", "STARTED", "STARTING")
_MOST_DIGITS = 10

T = TypeVar("T")
Wrong = dict[str, list[str]]


class _Refused(Exception):
    """What is wrong with a value: each argument goes after the field's name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new capture shall be: without `scheduled_start` (ms) it begins now; without `duration` (s) it ends when it is stopped."""

    name: str
    env_id: int
    scheduled_start: int | None
    duration: int | None


@dataclass(frozen=True, slots=True)
class Change:
    """What shall be different in a capture; None is as it was."""

    name: str | None = None
    scheduled_start: int | None = None
    duration: int | None = None

    @property
    def is_of_time(self) -> bool:
        """Whether it moves the window: that is for scheduled ones only."""
        return self.scheduled_start is not None or self.duration is not None


def wanted(body: Mapping[str, Any], now: int) -> Wanted:
    """The capture that a request describes; unknown members and nulls are nothing. Invalid with every failure.

    A `scheduledStart` without a status is a wish to schedule; with STARTED or STARTING the capture begins now whatever it says. `start`
    must be a date, and is what it will be (§2.5).
    """
    wrong: Wrong = {}
    name = _field(body, "name", _name, wrong, required=True)
    env_id = _field(body, "envId", _env_id, wrong, required=True)
    status = _field(body, "status", _status, wrong)
    _field(body, "start", _date, wrong)
    scheduled_start = _field(body, "scheduledStart", _date if status in ("STARTED", "STARTING") else _future(now), wrong)
    duration = _field(body, "duration", _duration, wrong)
    if status == "SCHEDULED" and body.get("scheduledStart") is None:
        wrong["scheduledStart"] = ['"scheduledStart" is required when the capture is to be scheduled']
    if wrong or name is None or env_id is None:
        raise Invalid(fields=wrong)
    return Wanted(name, env_id, None if status in ("STARTED", "STARTING") else scheduled_start, duration)


def change(body: Mapping[str, Any], now: int) -> Change:
    """The change that a request describes: `name`, and `scheduledStart` or `duration`. Invalid with every failure, or without any."""
    wrong: Wrong = {}
    asked = Change(
        _field(body, "name", _name, wrong),
        _field(body, "scheduledStart", _future(now), wrong),
        _field(body, "duration", _duration, wrong),
    )
    if not wrong and asked == Change():
        wrong["name"] = ['"name" is required']
    if wrong:
        raise Invalid(fields=wrong)
    return asked


def capture_id(in_path: str | None, in_query: str | None) -> int:
    """The id that a request names in its path, or as `?id=` (decision 14). Invalid when it names none, NotFound for what is no number."""
    text = in_path or in_query
    if text is None:
        raise Invalid(fields={"id": ['"id" is required']})
    if not _is_number(text):
        raise NotFound
    return int(text)


def env_id(text: str | None) -> int | None:
    """The environment that a list is about; None for all. Invalid for what is no number."""
    if text is None:
        return None
    wrong: Wrong = {}
    found = _field({"envId": text}, "envId", _env_id, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    return found


def digest(key: str | None, caller: object, body: bytes) -> str | None:
    """What an idempotent request is known by: its key, who asks, and what; None without a key. Invalid for a key that is too long."""
    if not key:
        return None
    if len(key) > 256:
        raise Invalid(fields={"Idempotency-Key": ["at most 256 characters"]})
    import hashlib

    return hashlib.sha256(f"{caller}\n{key}\n".encode() + body).hexdigest()


def _field(body: Mapping[str, Any], name: str, read: Callable[[Any], T], wrong: Wrong, *, required: bool = False) -> T | None:
    value = body.get(name)
    if value is None:
        if required:
            wrong[name] = [f'"{name}" is required']
        return None
    try:
        return read(value)
    except _Refused as why:
        wrong[name] = [f'"{name}" {words}' for words in why.args]
        return None


def _name(value: Any) -> str:
    if not isinstance(value, str):
        raise _Refused("must be a string")
    said = []
    if not _LEAST_NAME <= len(value) <= _MOST_NAME:
        said.append(f"must be {_LEAST_NAME} to {_MOST_NAME} characters long")
    if not _NAME.fullmatch(value):
        said.append("may have letters, digits, spaces, and : _ - only")
    if said:
        raise _Refused(*said)
    return value


def _env_id(value: Any) -> int:
    if isinstance(value, str) and _is_number(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _Refused("must be a number")


def _status(value: Any) -> str:
    if not isinstance(value, str) or value.upper() not in (*_STATUSES, ""):
        raise _Refused(f"must be one of {', '.join(_STATUSES)}")
    return value.upper()


def _date(value: Any) -> int:
    at = moment(value)
    if at is None:
        raise _Refused("must be a date")
    return at


def _future(now: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        at = _date(value)
        if at < now - SOON:
            raise _Refused("must be in the future")
        if at > now + MOST_AHEAD:
            raise _Refused("must be within a year")
        return at

    return read


def _duration(value: Any) -> int:
    if isinstance(value, str) and _is_number(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Refused("must be a number of seconds")
    if value != int(value):
        raise _Refused("must be an integer")
    if value < LEAST_DURATION:
        raise _Refused(f"must be at least {LEAST_DURATION} seconds")
    if value > MOST_DURATION:
        raise _Refused("must be at most 30 days")
    return int(value)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
