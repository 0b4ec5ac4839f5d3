"""Where captures are kept. Every change of one is a single conditional write of its row, with what goes with it in the same transaction.

control   CAPTURE#{org}  {id:010d}              a capture: one document, `v` counts its versions, `status` is what it was moved to
          CAPTURE#{org}  NAME#{env}#{name}      takes a name in an environment, for the capture whose `id` it has
          K#{org}        {collection id}        the sealed collection that a DONE capture is (`events.collections`)
          SEQ            capture                the last id given out, in all organizations: schedules are named after it
by_due    captures       {seconds}              captures that have a next step, by when the sweeper should ring for it
bucket    captures/{org}/{id}/metrics.json      its metrics, taken when it ended
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, due, errors
from tapedeck.captures.model import Capture, turns_at
from tapedeck.events import collections
from tapedeck.events.collections import Collection, Window

Item = dict[str, Any]
KIND = "captures"
HEED = 30  # seconds in which a bell is awaited before the sweeper rings
_TAKEN = "The name is taken by another capture of this environment."


class Overtaken(errors.Conflict):
    """Somebody else has moved the capture: look at it again."""


class Taken(errors.Invalid):
    """Another capture of the environment has the name (decision 31)."""

    def __init__(self, capture_id: int) -> None:
        super().__init__(fields={"name": [_TAKEN]})
        self.capture_id = capture_id


def next_id() -> int:
    """A number that no capture has had: gaps are possible after a crash, repeats are not."""
    answer = aws.client("dynamodb").update_item(
        TableName=aws.setting("CONTROL_TABLE"),
        Key=_key("SEQ", "capture"),
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["n"]["N"])


def create(capture: Capture) -> Capture:
    """A new capture and its name, or neither: Taken when another one has the name. Safe to repeat with the same capture."""
    return _commit(None, replace(capture, version=1), [_take_name(capture)])


def save(known: Capture, moved: Capture) -> Capture:
    """Write the next version of a capture, and in one transaction what comes and goes with it: its name, its collection.

    Overtaken when it is no more what is known of it; Taken when another one has its new name. Safe to repeat: a write that has happened,
    and whose answer was lost, is recognised.
    """
    beside: list[Item] = []
    if moved.name != known.name:
        beside += [_leave_name(known), _take_name(moved)]
    if moved.status == "DELETED" and known.status != "DELETED":
        beside.append(_leave_name(known))
        if known.stop is not None:
            beside.append(collections.deletion(known.organization_id, known.collection_id))
    elif moved.stop is not None and (known.stop is None or moved.name != known.name):
        beside.append(collections.sealing(moved.organization_id, collection(moved)))
    return _commit(known, replace(moved, version=known.version + 1), beside)


def forget(known: Capture) -> None:
    """Take the last row of a deleted capture away. Safe to repeat."""
    aws.client("dynamodb").delete_item(TableName=aws.setting("CONTROL_TABLE"), Key=_capture_key(known))


def read(organization_id: int, capture_id: int) -> Capture:
    """One capture as it is now, deleted or not. NotFound when there is none."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"), Key=_key(f"CAPTURE#{organization_id}", f"{capture_id:010d}"), ConsistentRead=True
    )
    if "Item" not in answer:
        raise errors.NotFound
    return _capture(answer["Item"])


def of_organization(organization_id: int) -> Iterator[Capture]:
    """Its captures that are not deleted, the oldest first."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND sk < :names",
        ExpressionAttributeValues={":pk": {"S": f"CAPTURE#{organization_id}"}, ":names": {"S": "NAME#"}},
        ConsistentRead=True,
    )
    return (capture for capture in map(_capture, found) if capture.status != "DELETED")


def overdue() -> Iterator[Capture]:
    """Captures whose next step is due, and for which no bell seems to have rung."""
    return map(_capture, due.items(KIND))


def collection(capture: Capture) -> Collection:
    """The sealed collection that a capture is when it is DONE."""
    assert capture.first is not None
    assert capture.stop is not None
    assert capture.generations is not None
    window = Window(capture.source, capture.first, capture.stop, capture.generations)
    return Collection(capture.collection_id, capture.env_id, capture.name, "", capture.moved_at / 1000, window)


def metrics_key(capture: Capture) -> str:
    """Under which its metrics are kept: one object a capture, whoever takes them."""
    return f"captures/{capture.organization_id}/{capture.id}/metrics.json"


def _commit(known: Capture | None, moved: Capture, beside: list[Item]) -> Capture:
    row = _row(known, moved)
    try:
        if beside:
            aws.client("dynamodb").transact_write_items(TransactItems=[{"Put": row}, *beside])
        else:
            aws.client("dynamodb").put_item(**row)
    except ClientError as error:
        found = _found(error)
        if found is not None and found.get("d") == row["Item"]["d"]:
            return moved  # it is our own: the answer to an earlier attempt was lost on its way
        raise Overtaken("The capture was changed by somebody else.") from None
    return moved


def _found(error: Any) -> Item | None:
    """The row that stood in the way, if it is known. Raises Taken when it was a name, and the error itself when it was nothing."""
    code = error.response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return error.response.get("Item")  # type: ignore[no-any-return]
    if code != "TransactionCanceledException":
        raise error
    own, *beside = error.response["CancellationReasons"]
    for reason in beside:
        if reason["Code"] == "ConditionalCheckFailed" and own["Code"] == "None":
            raise Taken(int(reason["Item"]["id"]["N"])) from None
    return own.get("Item")  # type: ignore[no-any-return]


def _row(known: Capture | None, moved: Capture) -> Item:
    turns = turns_at(moved)
    due: Item = {} if turns is None else {"due_in": {"S": KIND}, "due_at": {"N": str(ceil(turns / 1000) + HEED)}}
    condition: Item = {"ConditionExpression": "attribute_not_exists(pk)"}
    if known is not None:
        condition = {
            "ConditionExpression": "v = :v AND #status = :status",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":v": {"N": str(known.version)}, ":status": {"S": known.status}},
        }
    return {
        "TableName": aws.setting("CONTROL_TABLE"),
        "Item": {
            **_capture_key(moved),
            "v": {"N": str(moved.version)},
            "status": {"S": moved.status},
            "d": {"B": orjson.dumps(moved)},
            **due,
        },
        **condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _take_name(capture: Capture) -> Item:
    return {
        "Put": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Item": {**_name_key(capture), "id": {"N": str(capture.id)}},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _leave_name(capture: Capture) -> Item:
    return {"Delete": {"TableName": aws.setting("CONTROL_TABLE"), "Key": _name_key(capture)}}


def _capture_key(capture: Capture) -> Item:
    return _key(f"CAPTURE#{capture.organization_id}", f"{capture.id:010d}")


def _name_key(capture: Capture) -> Item:
    return _key(f"CAPTURE#{capture.organization_id}", f"NAME#{capture.env_id}#{capture.name}")


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _capture(item: Item) -> Capture:
    row = orjson.loads(item["d"]["B"])
    return Capture(**{**row, "generations": tuple(row["generations"]) if row["generations"] else None})
