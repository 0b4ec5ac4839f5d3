"""Events as a bucket shows them (decision 19): a superset of what PM2's agent sent, `data` as it was sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tapedeck.events.model import Event, iso


def elements(events: Iterable[Event]) -> bytes:
    """The JSON array of these events: `_id name event_name app_name server_name at timestamp(ms) data process{name,server,pm_id,rev}`."""
    return orjson.dumps([_element(event) for event in events])


def followed(events: Iterable[Event], following: int) -> bytes:
    """`{"next": number, "events": [element…]}`: what a reader that follows a bucket is told."""
    return b'{"next":%d,"events":%b}' % (following, elements(events))


def _element(event: Event) -> dict[str, Any]:
    return {
        "_id": event.id,
        "name": event.name,
        "event_name": event.name,
        "app_name": event.app,
        "server_name": event.server,
        "at": iso(event.at),
        "timestamp": event.at,
        "data": orjson.Fragment(bytes(event.data)),
        "process": {"name": event.app, "server": event.server, "pm_id": event.pm_id, "rev": event.rev},
    }
