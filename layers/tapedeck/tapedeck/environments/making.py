"""How an environment is asked for: its name, and the slug that is made of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tapedeck import errors
from tapedeck.environments import store
from tapedeck.environments.model import Caller, Environment, Organization, User

_MOST_NAME, _MOST_SLUG = 64, 50
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# RDS: letters, digits and single hyphens, a letter first, 63 characters at most.
_INSTANCE = re.compile(r"(?=.{1,63}$)[A-Za-z](-?[A-Za-z0-9])*")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new environment shall be."""

    name: str
    slug: str
    database_instance: str | None


def create(caller: Caller, organization: Organization, body: Mapping[str, Any]) -> Environment:
    """The environment that a body asks for, owned by the caller: by the organization's owner where a key of the organization calls.

    Raises Invalid by field, also for a name that is taken. After a crash there is all of it or nothing.
    """
    asked = wanted(body)
    owner = caller.user or _owner(organization)
    try:
        return store.create_environment(organization.id, asked.slug, owner, name=asked.name, database_instance=asked.database_instance)
    except errors.Conflict:
        raise errors.Invalid(fields={"name": [f'there is an environment named "{asked.slug}" already']}) from None


def wanted(body: Mapping[str, Any]) -> Wanted:
    """A request's wishes: `name` and, for metrics of a database, `dbInstance`. Raises Invalid by field; unknown members are nobody's."""
    wrong: dict[str, list[str]] = {}
    name, instance = body.get("name"), body.get("dbInstance")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _MOST_NAME or _CONTROL.search(name):
        wrong["name"] = [f'"name" must be a text of 1 to {_MOST_NAME} characters']
    if instance is not None and not (isinstance(instance, str) and _INSTANCE.fullmatch(instance)):
        wrong["dbInstance"] = ['"dbInstance" must be the identifier of an RDS instance']
    if wrong:
        raise errors.Invalid(fields=wrong)
    text = str(name).strip()
    return Wanted(text, slug_of(text), instance)


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
