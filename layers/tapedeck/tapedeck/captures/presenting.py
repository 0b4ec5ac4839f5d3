"""Captures as the world sees them (contract §2.2): MyCRT's ten members, and whose it is, how long it lasts, and what it becomes."""

from __future__ import annotations

from typing import Any

from tapedeck.captures.model import Capture
from tapedeck.events.model import iso


def describe(capture: Capture) -> dict[str, Any]:
    """A capture. `start` is there from RUNNING on, `end` from STOPPING on, `collectionId` when it leads somewhere: from DONE on."""
    return {
        "id": capture.id,
        "name": capture.name,
        "type": "CAPTURE",
        "status": capture.status,
        "envId": capture.env_id,
        "ownerId": capture.owner_id,
        "username": capture.username,
        "isMimic": False,
        "start": _moment(capture.begins if capture.first is not None else None),
        "end": _moment(capture.ends),
        "scheduledStart": _moment(capture.scheduled_start),
        "scheduledEnd": _moment(capture.scheduled_end),
        "duration": capture.duration,
        "reason": capture.reason,
        "collectionId": capture.collection_id if capture.stop is not None else None,
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else iso(at)
