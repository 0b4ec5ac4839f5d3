"""Pins: what a capture needs stays when its bucket is emptied (decision 20).

P#{org}#{collection}  {name}   a window of receive time; chunks of old generations that hold a part of it are not swept away
"""

from __future__ import annotations

from dataclasses import dataclass

from tapedeck import aws
from tapedeck.events import store
from tapedeck.events.store import Chunk, CollectionId


@dataclass(frozen=True, slots=True)
class Pin:
    """A window of receive time (ms): [since, until), None is open."""

    since: int
    until: int | None = None

    def holds(self, received: int) -> bool:
        """Whether what was received then stays."""
        return self.since <= received and (self.until is None or received < self.until)

    def overlaps(self, chunk: Chunk) -> bool:
        """Whether a part of the chunk may have to stay."""
        return self.since <= chunk.received_last and (self.until is None or chunk.received < self.until)


def pin(collection: CollectionId, name: str, window: Pin) -> None:
    """Keep what is received in a window. Safe to repeat; the same name again moves the window."""
    until = {"until": {"N": str(window.until)}} if window.until is not None else {}
    item = {"pk": {"S": _partition(collection)}, "sk": {"S": name}, "since": {"N": str(window.since)}, **until}
    aws.client("dynamodb").put_item(TableName=aws.setting("EVENTS_TABLE"), Item=item)


def unpin(collection: CollectionId, name: str) -> None:
    """Keep a window no longer: what nothing else keeps is swept. Safe to repeat and to kill: old generations are looked at every day."""
    key = {"pk": {"S": _partition(collection)}, "sk": {"S": name}}
    aws.client("dynamodb").delete_item(TableName=aws.setting("EVENTS_TABLE"), Key=key)
    store.sweep_again(collection, 0)


def of(collection: CollectionId) -> list[Pin]:
    """What must stay of a collection."""
    found = aws.query(
        "EVENTS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": _partition(collection)}},
        ConsistentRead=True,
    )
    return [Pin(int(item["since"]["N"]), int(item["until"]["N"]) if "until" in item else None) for item in found]


def _partition(collection: CollectionId) -> str:
    return f"P#{collection.organization_id}#{collection.id}"
