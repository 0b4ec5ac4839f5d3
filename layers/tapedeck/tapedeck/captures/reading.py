"""Which captures somebody may see, and which they may change (trust.md §8.2, contract §2.2)."""

from __future__ import annotations

from tapedeck.captures import store
from tapedeck.captures.model import Capture
from tapedeck.environments.model import Caller, Environment, Organization
from tapedeck.errors import Forbidden, NotFound


def environment(organization: Organization, caller: Caller, env_id: int, scope: str) -> Environment:
    """An environment in which the caller may do this. NotFound for an unknown one, Forbidden for one that is not theirs."""
    found = next((each for each in organization.environments if each.env_id == env_id), None)
    if found is None:
        raise NotFound
    if not caller.may_in(found, scope):
        raise Forbidden
    return found


def listed(organization: Organization, caller: Caller, *, env_id: int | None, name: str | None) -> list[Capture]:
    """The captures of the caller's environments, or of one of them, or of a name: the oldest first, none when there are none (§2.5)."""
    if env_id is not None:
        visible = {environment(organization, caller, env_id, "capture:read").env_id}
    else:
        visible = {each.env_id for each in caller.environments_of(organization, "capture:read")}
    found = store.of_organization(organization.id)
    return [each for each in found if each.env_id in visible and name in (None, each.name)]


def one(organization: Organization, caller: Caller, capture_id: int) -> Capture:
    """A capture that the caller may see: members of its environment may."""
    found = store.read(organization.id, capture_id)
    if found.status == "DELETED":
        raise NotFound
    environment(organization, caller, found.env_id, "capture:read")
    return found


def changeable(organization: Organization, caller: Caller, capture_id: int) -> Capture:
    """A capture that the caller may stop, edit and delete: who made it may, while in its environment, and who administers that."""
    found = one(organization, caller, capture_id)
    where = environment(organization, caller, found.env_id, "capture:write")
    if not (caller.may_in(where, "capture:admin") or is_owner(caller, found)):
        raise Forbidden
    return found


def is_owner(caller: Caller, capture: Capture) -> bool:
    """Whether the caller made it: a person's number against a person's number (contract §2.4, bug 1)."""
    return caller.user_id is not None and caller.user_id == capture.owner_id
