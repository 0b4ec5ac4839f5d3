"""Collections: the named sources of events. Every environment has one from its birth; others are made by hand, or sealed by a capture.

K#{org}  {collection id}  a collection that was made by hand, or a capture's: a default one needs no row, its environment says all of it

A sealed one has no events of its own: it is a window of the collection from which it was taken, and reads like any other (`span`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tapedeck import aws, clock, ids
from tapedeck.environments.model import Environment, Organization
from tapedeck.errors import Invalid, NotFound
from tapedeck.events.spans import Span
from tapedeck.events.store import CollectionId

_MOST_NAME, _MOST_NOTES = 256, 4096


@dataclass(frozen=True, slots=True)
class Window:
    """Which events of another collection, `source`, a sealed one has: those numbered [first, end), in these generations."""

    source: str
    first: int
    end: int
    generations: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Collection:
    """A source of events in an environment: live, or sealed when it has a window."""

    id: str
    env_id: int
    name: str
    notes: str
    created_at: float
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new collection shall be."""

    name: str
    notes: str
    environment: Environment


def wanted(body: Mapping[str, Any], environments: Sequence[Environment]) -> Wanted:
    """A request's wishes: `name`, `notes`, and `environment` (its slug or number; the first one unless said). Invalid by field."""
    wrong: dict[str, list[str]] = {}
    name, notes, where = body.get("name"), body.get("notes", ""), body.get("environment")
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _MOST_NAME:
        wrong["name"] = [f"a text of 1 to {_MOST_NAME} characters is needed"]
    if notes is not None and (not isinstance(notes, str) or len(notes) > _MOST_NOTES):
        wrong["notes"] = [f"a text of at most {_MOST_NOTES} characters"]
    found = next((each for each in environments if where is None or str(where) in (each.slug, str(each.env_id))), None)
    if found is None:
        wrong["environment"] = ["there is no such environment"]
    if wrong or found is None:
        raise Invalid(fields=wrong)
    return Wanted(str(name).strip(), str(notes or ""), found)


def create(organization_id: int, asked: Wanted) -> Collection:
    """A new, empty collection. Called again it makes another one."""
    made = Collection(ids.random_uuid(), asked.environment.env_id, asked.name, asked.notes, clock.now())
    aws.client("dynamodb").put_item(**_put(organization_id, made))
    return made


def sealing(organization_id: int, sealed: Collection) -> dict[str, Any]:
    """The part of a transaction that makes a sealed collection, or names it anew. Safe to repeat."""
    return {"Put": _put(organization_id, sealed)}


def deletion(organization_id: int, collection_id: str) -> dict[str, Any]:
    """The part of a transaction that takes a collection away. Safe to repeat."""
    return {"Delete": {"TableName": aws.setting("CONTROL_TABLE"), "Key": _key(organization_id, collection_id)}}


def of_environments(organization: Organization, environments: Sequence[Environment]) -> list[Collection]:
    """The collections of these environments: the oldest first."""
    visible = {each.env_id for each in environments}
    found = [*map(default, environments), *(each for each in _made(organization.id) if each.env_id in visible)]
    return sorted(found, key=lambda each: (each.created_at, each.id))


def one(organization: Organization, environments: Sequence[Environment], collection_id: str) -> Collection:
    """A collection of these environments. NotFound for any other."""
    for each in environments:
        if each.collection_id == collection_id:
            return default(each)
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"), Key=_key(organization.id, collection_id), ConsistentRead=True
    )
    found = _read(answer["Item"]) if "Item" in answer else None
    if found is None or found.env_id not in {each.env_id for each in environments}:
        raise NotFound("There is no such collection.")
    return found


def default(environment: Environment) -> Collection:
    """The collection that an environment has from its birth: what is in it is what is in the environment's bucket."""
    return Collection(environment.collection_id, environment.env_id, environment.slug, "", environment.created_at)


def bucket(organization_id: int, environment: Environment) -> CollectionId:
    """Where an environment's bucket has its events: in its default collection."""
    return CollectionId(organization_id, environment.collection_id, environment.retention_days)


def span(organization: Organization, collection: Collection) -> Span:
    """What there is to be read of a collection: a live one as it is now, a sealed one for good; as long as its environment keeps events."""
    window, days = collection.window, days_of(organization, collection)
    if window is None:
        return Span(CollectionId(organization.id, collection.id, days))
    return Span(CollectionId(organization.id, window.source, days), window.first, window.end, window.generations)


def days_of(organization: Organization, collection: Collection) -> int | None:
    """For how many days a collection's environment keeps events; None when it has none of its own."""
    return next((each.retention_days for each in organization.environments if each.env_id == collection.env_id), None)


def describe(collection: Collection, organization: Organization, token: str | None = None) -> dict[str, Any]:
    """A collection as the world sees it. The token is there once, when it is made: only its digest is kept."""
    at = clock.iso(collection.created_at).replace("+00:00", "Z")
    environment = next((each.slug for each in organization.environments if each.env_id == collection.env_id), None)
    return {
        "id": collection.id,
        "name": collection.name,
        "notes": collection.notes,
        "token": token,
        "type": "live" if collection.window is None else "capture",
        "environment": environment,
        "team_id": organization.team_id,
        "paused": False,
        "archived": False,
        "inserted_at": at,
        "updated_at": at,
    }


def _made(organization_id: int) -> Iterator[Collection]:
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"K#{organization_id}"}},
        ConsistentRead=True,
    )
    return map(_read, found)


def _put(organization_id: int, made: Collection) -> dict[str, Any]:
    return {"TableName": aws.setting("CONTROL_TABLE"), "Item": {**_key(organization_id, made.id), "d": {"B": orjson.dumps(made)}}}


def _key(organization_id: int, collection_id: str) -> dict[str, Any]:
    return {"pk": {"S": f"K#{organization_id}"}, "sk": {"S": collection_id}}


def _read(item: dict[str, Any]) -> Collection:
    row = orjson.loads(item["d"]["B"])
    window = row.pop("window", None)
    first, last = window.pop("generations") if window else (0, 0)
    return Collection(**row, window=Window(**window, generations=(first, last)) if window else None)
