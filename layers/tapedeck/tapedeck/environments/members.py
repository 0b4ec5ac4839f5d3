"""Who belongs to an environment, and how its admins change that (decision 32).

Every change is decided on the environment as it is when the change is written: whoever was an admin when the request came in, and is
none any more, is refused then. The owner is an admin for ever; everybody else may leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from tapedeck import errors
from tapedeck.environments import store
from tapedeck.environments.model import Caller, Environment, EnvironmentRole, Member, User

Role = Literal["admin", "member"]
Roles = Mapping[int, EnvironmentRole]
MOST_MEMBERS = 1000  # their roles are one row, read with every request
_ADMIN = "project:admin"
_UNKNOWN = "There is no such member."
_MOST_DIGITS = 10  # of a user's number


@dataclass(frozen=True, slots=True)
class Invitation:
    """Who is to be what: a person of the organization, by number or by e-mail address."""

    user_id: int | None
    email: str | None
    role: Role


# What is done --------------------------------------------------------------------------------------------------------------------------


def of(organization_id: int, environment: Environment) -> list[Member]:
    """The members, the owner and those longest in the organization first."""
    order = sorted(environment.roles, key=lambda user_id: (environment.roles[user_id] != "owner", user_id))
    return [Member(environment.env_id, user, environment.roles[user.id]) for user in store.users(organization_id, order)]


def add(caller: Caller, environment: Environment, body: Mapping[str, Any]) -> Member:
    """One more member. Raises Invalid by field, Conflict when the person is a member already."""
    asked = invitation(body)
    user = _person(caller.organization_id, asked)
    store.change_roles(caller.organization_id, environment, lambda now: added(now, caller, user.id, asked.role))
    return Member(environment.env_id, user, asked.role)


def change(caller: Caller, environment: Environment, user_id: str, body: Mapping[str, Any]) -> Member:
    """A member with another role. Raises Invalid, NotFound, Conflict for the owner. Safe to repeat."""
    asked, user = role(body), _member(caller.organization_id, environment, user_id)
    store.change_roles(caller.organization_id, environment, lambda now: changed(now, caller, user.id, asked))
    return Member(environment.env_id, user, asked)


def remove(caller: Caller, environment: Environment, user_id: str) -> Member:
    """Who is a member no more, as they were. Raises NotFound, Conflict for the owner; Forbidden for a member who removes another."""
    user = _member(caller.organization_id, environment, user_id)
    store.change_roles(caller.organization_id, environment, lambda now: removed(now, caller, user.id))
    return Member(environment.env_id, user, environment.roles[user.id])


# What is decided, on paper -------------------------------------------------------------------------------------------------------------


def added(now: Environment, caller: Caller, user_id: int, role: Role) -> Roles:
    """The roles with one more."""
    _must_be_admin(now, caller)
    if user_id in now.roles:
        raise errors.Conflict("This person is a member already.")
    if len(now.roles) >= MOST_MEMBERS:
        raise errors.Conflict(f"An environment has at most {MOST_MEMBERS} members.")
    return {**now.roles, user_id: role}


def changed(now: Environment, caller: Caller, user_id: int, role: Role) -> Roles:
    """The roles with another one for a member."""
    _must_be_admin(now, caller)
    _must_be_member(now, user_id)
    if now.roles[user_id] == "owner":
        raise errors.Conflict("The owner of an environment is always its admin.")
    return {**now.roles, user_id: role}


def removed(now: Environment, caller: Caller, user_id: int) -> Roles:
    """The roles without a member."""
    if user_id != caller.user_id:
        _must_be_admin(now, caller)
    _must_be_member(now, user_id)
    if now.roles[user_id] == "owner":
        raise errors.Conflict("The owner of an environment is always its member.")
    return {each: role for each, role in now.roles.items() if each != user_id}


def _must_be_admin(now: Environment, caller: Caller) -> None:
    if not caller.may_in(now, _ADMIN):
        raise errors.Forbidden


def _must_be_member(now: Environment, user_id: int) -> None:
    if user_id not in now.roles:
        raise errors.NotFound(_UNKNOWN)


# What is asked for ---------------------------------------------------------------------------------------------------------------------


def invitation(body: Mapping[str, Any]) -> Invitation:
    """`{"userId" or "email", "role"}`; a member unless the role is said. Raises Invalid by field."""
    wrong: dict[str, list[str]] = {}
    said, email = body.get("userId"), body.get("email")
    number = _number(said)
    if said is None and email is None:
        wrong["userId"] = ['"userId" or "email" is required']
    elif said is not None and number is None:
        wrong["userId"] = ['"userId" must be a number']
    elif said is not None and email is not None:
        wrong["email"] = ['either "userId" or "email", not both']
    if email is not None and not (isinstance(email, str) and 0 < len(email.strip()) <= 320):
        wrong["email"] = ['"email" must be an e-mail address']
    if (wanted := body.get("role", "member")) not in ("admin", "member"):
        wrong["role"] = ['"role" must be one of [admin, member]']
    if wrong:
        raise errors.Invalid(fields=wrong)
    return Invitation(number, email.strip() if email else None, cast(Role, wanted))


def role(body: Mapping[str, Any]) -> Role:
    """The `role` of a body. Raises Invalid."""
    if (wanted := body.get("role")) not in ("admin", "member"):
        raise errors.Invalid(fields={"role": ['"role" must be one of [admin, member]']})
    return cast(Role, wanted)


def _number(said: object) -> int | None:
    """A user's number, as a number or as its digits."""
    text = said if isinstance(said, str) else str(said) if type(said) is int else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _person(organization_id: int, asked: Invitation) -> User:
    if asked.email is not None:
        wanted = asked.email.casefold()
        found = next((each for each in store.people(organization_id) if each.email.casefold() == wanted), None)
    else:
        found = store.user(organization_id, asked.user_id or 0, fresh=True)
    if found is None:
        name = "email" if asked.email is not None else "userId"
        raise errors.Invalid(fields={name: [f'"{name}" is of nobody in your organization']})
    return found


def _member(organization_id: int, environment: Environment, user_id: str) -> User:
    number = _number(user_id)
    user = store.user(organization_id, number, fresh=True) if number in environment.roles and number is not None else None
    if user is None:
        raise errors.NotFound(_UNKNOWN)
    return user
