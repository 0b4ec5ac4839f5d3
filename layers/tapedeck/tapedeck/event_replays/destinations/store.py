"""Where destinations are kept: the `control` table, one partition an organization, so that the list of them is one Query.

DESTINATION#{org}  {destination id}  `d` is the document, `v` its version: every write of it is conditional on the one that was read;
                                     `h` is how it fared last, written by whoever sends or checks, whatever the version
by_due  check_destinations  {seconds}  those that are not archived, by when they are to be checked again

Nothing is ever deleted: a replay of last year still says where it sent. An archived destination has no secrets any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, due, errors, ids
from tapedeck.event_replays.destinations.model import NEVER_CHECKED, Destination, Health, Outcome

Item = dict[str, Any]
KIND = "check_destinations"
EVERY = 300  # seconds between two checks
_KEPT_APART = ("organization_id", "id", "version", "health")


def save(destination: Destination) -> Destination:
    """Write the next version of a destination; Conflict when somebody else has. Safe to repeat: what is there already is its own answer."""
    saved = replace(destination, version=destination.version + 1)
    document = orjson.dumps({name: value for name, value in asdict(saved).items() if name not in _KEPT_APART})
    if saved.archived:
        changes, due = "SET d = :d, v = :v REMOVE due_in, due_at", {}
    else:
        changes = "SET d = :d, v = :v, due_in = :kind, due_at = if_not_exists(due_at, :now)"
        due = {":kind": {"S": KIND}, ":now": {"N": str(int(clock.now()))}}
    try:
        aws.client("dynamodb").update_item(
            TableName=aws.setting("CONTROL_TABLE"),
            Key=_key(saved.organization_id, saved.id),
            UpdateExpression=changes,
            ConditionExpression="v = :known" if destination.version else "attribute_not_exists(pk)",
            ExpressionAttributeValues={":d": {"B": document}, ":v": {"N": str(saved.version)}, **due}
            | ({":known": {"N": str(destination.version)}} if destination.version else {}),
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        if error.response.get("Item", {}).get("d", {}).get("B") != document:  # else the answer to this very write was lost on its way
            raise errors.Conflict("The destination was changed by somebody else: look at it again.") from None
    return saved


def read(organization_id: int, destination_id: str) -> Destination:
    """One destination, archived or not, as it is now. NotFound when there is none."""
    found = None
    if ids.parse_uuid(destination_id):
        found = aws.client("dynamodb").get_item(
            TableName=aws.setting("CONTROL_TABLE"), Key=_key(organization_id, destination_id), ConsistentRead=True
        )
    if found is None or "Item" not in found:
        raise errors.NotFound("There is no such destination.")
    return _destination(found["Item"])


def of_organization(organization_id: int) -> list[Destination]:
    """All of them, archived ones too, the oldest first."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": _partition(organization_id)}},
        ConsistentRead=True,
    )
    return sorted(map(_destination, found), key=lambda each: (each.created_at, each.id))


def still_there(organization_id: int, destination_id: str) -> Item:
    """The part of a transaction that fails unless the destination exists and is not archived."""
    return {
        "ConditionCheck": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Key": _key(organization_id, destination_id),
            "ConditionExpression": "attribute_exists(due_in)",
        }
    }


def note_health(destination: Destination, outcome: Outcome) -> Health:
    """Keep the outcome of a delivery or a check, unless a later one is kept; the next check is due EVERY seconds on. Safe to repeat."""
    health = Health(outcome.latency_ms, "ok" if outcome.ok else "error", outcome.message, int(clock.now()))
    try:
        aws.client("dynamodb").update_item(
            TableName=aws.setting("CONTROL_TABLE"),
            Key=_key(destination.organization_id, destination.id),
            UpdateExpression="SET h = :h, h_at = :now, due_at = :next",
            ConditionExpression="attribute_exists(due_in) AND (attribute_not_exists(h_at) OR h_at <= :now)",
            ExpressionAttributeValues={
                ":h": {"B": orjson.dumps(list(health))},
                ":now": {"N": str(health.checked_at)},
                ":next": {"N": str(health.checked_at + EVERY)},
            },
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
    return health


def overdue() -> Iterator[Destination]:
    """The destinations that are to be checked, the longest waiting first: as the index shows them, which may be a moment ago."""
    return map(_destination, due.items(KIND))


def _partition(organization_id: int) -> str:
    return f"DESTINATION#{organization_id}"


def _key(organization_id: int, destination_id: str) -> Item:
    return {"pk": {"S": _partition(organization_id)}, "sk": {"S": destination_id}}


def _destination(item: Item) -> Destination:
    """A row as this version reads it: what a later one has added is left out (trust.md F23)."""
    document = orjson.loads(item["d"]["B"])
    return Destination(
        organization_id=int(item["pk"]["S"].partition("#")[2]),
        id=item["sk"]["S"],
        version=int(item["v"]["N"]),
        health=Health(*orjson.loads(item["h"]["B"])) if "h" in item else NEVER_CHECKED,
        **{name: value for name, value in document.items() if name in Destination.__dataclass_fields__},
    )
