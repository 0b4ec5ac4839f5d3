"""The audit trail as the world sees it, roughly as Sentry shows its own: who ordered what, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from tapedeck import audit, clock
from tapedeck.audit import Entry
from tapedeck.environments import store
from tapedeck.environments.model import Organization, User


def rows(organization: Organization, offset: int, limit: int, *, event: str | None, actor: str | None) -> tuple[list[dict[str, Any]], bool]:
    """(rows, whether more follow) of the orders of an organization; only those of an event, or of a person's number, where that is said."""
    entries = audit.newest_first(organization.id)
    wanted = (each for each in entries if event in (None, each.event) and actor in (None, str(each.user_id)))
    page = list(islice(wanted, offset, offset + limit + 1))
    shown = page[:limit]
    people = _people(organization.id, shown)
    return [_describe(each, people.get(each.user_id or 0)) for each in shown], len(page) > limit


def _people(organization_id: int, entries: Sequence[Entry]) -> dict[int, User]:
    numbers = sorted({each.user_id for each in entries if each.user_id is not None})
    return {each.id: each for each in store.users(organization_id, numbers)}


def _describe(entry: Entry, actor: User | None) -> dict[str, Any]:
    """`actor` is null when the order was given with the organization's key, or by somebody who is no colleague any more."""
    return {
        "id": entry.id,
        "actor": {"id": str(actor.id), "name": actor.name, "email": actor.email} if actor else None,
        "keyId": entry.key_id,
        "event": entry.event,
        "targetObject": entry.target,
        "targetUser": None,
        "ipAddress": None,
        "note": "",
        "data": dict(entry.data),
        "dateCreated": clock.iso(entry.at),
    }
