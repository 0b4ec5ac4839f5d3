"""How an environment is asked for, and how its admins change it: its name, and the slug that is made of it; its database; its retention."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from tapedeck import audit, errors, retention
from tapedeck.environments import store
from tapedeck.environments.model import Caller, Environment, Organization, User

_MOST_NAME, _MOST_SLUG = 64, 50
_MEMBERS = {"name": "name", "database_instance": "dbInstance", "retention_days": "retentionDays"}  # of a body, by their fields
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# RDS: letters, digits and single hyphens, a letter first, 63 characters at most.
_INSTANCE = re.compile(r"(?=.{1,63}$)[A-Za-z](-?[A-Za-z0-9])*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new environment shall be."""

    name: str
    slug: str
    database_instance: str | None
    retention_days: int | None


def create(caller: Caller, organization: Organization, body: Mapping[str, Any]) -> Environment:
    """The environment that a body asks for, owned by the caller: by the organization's owner where a key of the organization calls.

    Raises Invalid by field, also for a name that is taken. After a crash there is all of it or nothing.
    """
    asked = wanted(body)
    owner = caller.user or _owner(organization)
    try:
        return store.create_environment(
            organization.id,
            asked.slug,
            owner,
            name=asked.name,
            database_instance=asked.database_instance,
            retention_days=asked.retention_days,
        )
    except errors.Conflict:
        raise errors.Invalid(fields={"name": [f'there is an environment named "{asked.slug}" already']}) from None


def edit(caller: Caller, environment: Environment, body: Mapping[str, Any]) -> Environment:
    """The environment with what a body asks for; what it leaves out stays, and its slug always does. Raises Invalid by field.

    Decided and written on the environment as it is then, with its row of the audit trail. Safe to repeat: the same again writes nothing.
    """
    asked = changes(body)

    def changed(now: Environment) -> Environment:
        if not caller.may_in(now, "project:admin"):
            raise errors.Forbidden
        return replace(now, **asked)

    def order(before: Environment, after: Environment) -> dict[str, Any]:
        told = [_MEMBERS[name] for name in asked if getattr(before, name) != getattr(after, name)]
        days = {"retentionDays": after.retention_days, "before": before.retention_days} if "retentionDays" in told else {}
        return audit.entry(caller, "environment.edit", str(after.env_id), changed=told, **days)

    return store.change(caller.organization_id, environment, changed, with_=order)


def wanted(body: Mapping[str, Any]) -> Wanted:
    """A request's wishes: `name` and, for metrics of a database, `dbInstance`; `retentionDays`. Raises Invalid by field; unknown members
    are nobody's."""
    asked = changes({"name": None, **body})
    return Wanted(asked["name"], slug_of(asked["name"]), asked.get("database_instance"), asked.get("retention_days"))


def changes(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a body says of an environment's fields, by their names. Raises Invalid by field."""
    wrong: dict[str, list[str]] = {}
    name, instance, days = body.get("name"), body.get("dbInstance"), body.get("retentionDays")
    if "name" in body and (not isinstance(name, str) or not 0 < len(name.strip()) <= _MOST_NAME or _CONTROL.search(name)):
        wrong["name"] = [f'"name" must be a text of 1 to {_MOST_NAME} characters']
    if instance is not None and not (isinstance(instance, str) and _INSTANCE.fullmatch(instance)):
        wrong["dbInstance"] = ['"dbInstance" must be the identifier of an RDS instance']
    if days is not None and (type(days) is not int or days not in retention.choices()):
        wrong["retentionDays"] = [f'"retentionDays" must be null or one of {retention.choices()}']
    if wrong:
        raise errors.Invalid(fields=wrong)
    told = {field: body[member] for field, member in _MEMBERS.items() if member in body}
    return told | {"name": name.strip()} if isinstance(name, str) else told


def slug_of(name: str) -> str:
    """A name as paths spell it; never a number, for paths take an environment's number as well as its slug.

    >>> slug_of("Büro: Web shop"), slug_of("42"), slug_of("店")
    ('buro-web-shop', 'env-42', 'env')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MOST_SLUG].rstrip("-")
    return slug if slug and not slug.isdigit() else f"env-{slug}".rstrip("-")


def _owner(organization: Organization) -> User:
    owner = next((each for each in store.people(organization.id) if each.role == "owner"), None)
    if owner is None:
        raise errors.Conflict("The organization has no owner to whom the environment could belong.")
    return owner
