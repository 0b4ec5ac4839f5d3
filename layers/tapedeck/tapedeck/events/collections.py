"""Collections: the named sources of events. Every environment has one from its birth; others are made by hand.

K#{org}  {collection id}  a collection that was made by hand: a default one needs no row, its environment says all of it
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tapedeck import aws, clock, ids
from tapedeck.environments.model import Environment, Organization
from tapedeck.errors import Invalid, NotFound

_MOST_NAME, _MOST_NOTES = 256, 4096


@dataclass(frozen=True, slots=True)
class Collection:
    """A source of events in an environment."""

    id: str
    env_id: int
    name: str
    notes: str
    created_at: float


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
    aws.client("dynamodb").put_item(
        TableName=aws.setting("CONTROL_TABLE"),
        Item={"pk": {"S": f"K#{organization_id}"}, "sk": {"S": made.id}, "d": {"B": orjson.dumps(made)}},
    )
    return made


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
        TableName=aws.setting("CONTROL_TABLE"), Key={"pk": {"S": f"K#{organization.id}"}, "sk": {"S": collection_id}}, ConsistentRead=True
    )
    found = _read(answer["Item"]) if "Item" in answer else None
    if found is None or found.env_id not in {each.env_id for each in environments}:
        raise NotFound("There is no such collection.")
    return found


def default(environment: Environment) -> Collection:
    """The collection that an environment has from its birth: what is in it is what is in the environment's bucket."""
    return Collection(environment.collection_id, environment.env_id, environment.slug, "", environment.created_at)


def describe(collection: Collection, organization: Organization, token: str | None = None) -> dict[str, Any]:
    """A collection as the world sees it. The token is there once, when it is made: only its digest is kept."""
    at = clock.iso(collection.created_at).replace("+00:00", "Z")
    environment = next((each.slug for each in organization.environments if each.env_id == collection.env_id), None)
    return {
        "id": collection.id,
        "name": collection.name,
        "notes": collection.notes,
        "token": token,
        "type": "live",
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


def _read(item: dict[str, Any]) -> Collection:
    return Collection(**orjson.loads(item["d"]["B"]))
