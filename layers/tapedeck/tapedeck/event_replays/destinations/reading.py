"""Destinations are looked up for those who look at them: with their authors, and with how they fare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapedeck.environments import store as environments
from tapedeck.environments.model import Organization
from tapedeck.event_replays.destinations import presenting, store
from tapedeck.event_replays.destinations.model import Destination


def described(organization: Organization, found: Sequence[Destination]) -> list[dict[str, Any]]:
    """Each as the world sees it, in their order."""
    wanted = sorted({each.author_id for each in found if each.author_id is not None})
    authors = {user.id: user for user in environments.users(organization.id, wanted)}
    return [presenting.describe(each, organization, authors) for each in found]


def live(organization: Organization) -> list[Destination]:
    """Those that are not archived, the oldest first."""
    return [each for each in store.of_organization(organization.id) if not each.archived]


def health(found: Sequence[Destination]) -> dict[str, Any]:
    """How each of them fares, by its id."""
    return {each.id: presenting.block(each.health) for each in found}
