"""What an environment knows of one person: to look them up before they are erased, and to see that nothing is left after it."""

from __future__ import annotations

from typing import Any

from tapedeck.environments.model import Environment, Organization
from tapedeck.errors import Invalid
from tapedeck.events.model import moment
from tapedeck.session_replays import people


def user(organization: Organization, environment: Environment, user_id: str) -> dict[str, Any]:
    """`{userId, sessionCount, firstSeen, lastSeen}`; moments in ms, null when there is nothing."""
    found = people.known(organization.id, environment, user_id)
    return {"userId": user_id, "sessionCount": found.count, "firstSeen": found.first, "lastSeen": found.last}


def sessions(
    organization: Organization, environment: Environment, user_id: str, start: int | None, end: int | None
) -> list[dict[str, Any]]:
    """The newest sessions of a person that began in a period."""
    return people.sessions(organization.id, environment, user_id, start, end)


def period(start: str | None, end: str | None) -> tuple[int | None, int | None]:
    """(first ms, last ms) of a period, each of which may be open. Invalid for what is no moment."""
    found = [moment(text) if text else None for text in (start, end)]
    for name, text, at in (("start_date", start, found[0]), ("end_date", end, found[1])):
        if text and at is None:
            raise Invalid(f"{name} is no moment: milliseconds since the epoch, or ISO 8601.")
    return found[0], found[1]
