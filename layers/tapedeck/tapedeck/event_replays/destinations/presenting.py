"""A destination as the world sees it: its secrets masked, its health in the four members of the description. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tapedeck.environments.model import Organization, User
from tapedeck.event_replays.destinations.model import Destination, Health


def describe(destination: Destination, organization: Organization, authors: Mapping[int, User] | None = None) -> dict[str, Any]:
    """A destination (contract §1.2)."""
    author = (authors or {}).get(destination.author_id or 0)
    return {
        "id": destination.id,
        "name": destination.name,
        "notes": destination.notes,
        "type": destination.type,
        "team_id": organization.team_id,
        "archived": destination.archived,
        "metadata": dict(destination.metadata),
        "max_per_second": destination.max_per_second,
        "notifications": list(destination.notifications),
        "external_id": destination.external_id or None,
        "author": {"id": author.id, "name": author.name, "email": author.email} if author else None,
        "inserted_at": moment(destination.created_at),
        "updated_at": moment(destination.updated_at),
    }


def block(health: Health) -> dict[str, Any]:
    """How it fared: the four members; `pending` until the first delivery or check."""
    return {"latency_ms": health.latency_ms, "status": health.status, "message": health.message, "last_checked_at": health.checked_at}


def moment(seconds: float) -> str:
    """RFC 3339, microseconds, UTC.

    >>> moment(1_700_000_000.5)
    '2023-11-14T22:13:20.500000Z'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
