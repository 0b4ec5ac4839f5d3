"""The audit trail: who erased, deleted or changed what. Rows are put once and never touched again; they name nobody but colleagues.

AUDIT#{org}  {ms:013d}#{random}  what was ordered: by time, so that a page of the newest is one Query

A row is written before the deed, or in the same transaction: nothing is deleted without one. A row without its deed is an order that was
given and came to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, ids

if TYPE_CHECKING:
    from tapedeck.environments.model import Caller


@dataclass(frozen=True, slots=True)
class Entry:
    """One order. `event` is `thing.verb`; `target` names the thing: an id, or the SHA-256 of one that names a person."""

    id: str
    at: float
    event: str
    user_id: int | None  # the person who gave it; None of a key that is the organization's
    key_id: str | None
    target: str
    data: Mapping[str, Any]


def write(caller: Caller, event: str, target: str, **data: Any) -> None:
    """Write down an order before it is carried out. Called again it is a second order."""
    try:
        aws.client("dynamodb").put_item(**entry(caller, event, target, **data)["Put"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise  # else it is our own: the answer to the first attempt was lost on its way


def entry(caller: Caller, event: str, target: str, **data: Any) -> dict[str, Any]:
    """The same as a part of a transaction, for orders whose row is written at once with them."""
    now = clock.now()
    row = {"at": now, "event": event, "user_id": caller.user_id, "key_id": caller.key_id, "target": target, "data": data}
    return {
        "Put": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Item": {
                "pk": {"S": f"AUDIT#{caller.organization_id}"},
                "sk": {"S": f"{int(now * 1000):013d}#{ids.random_hex(8)}"},
                "d": {"B": orjson.dumps(row)},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def newest_first(organization_id: int) -> Iterator[Entry]:
    """Every order, the newest first, as far as the caller goes."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"AUDIT#{organization_id}"}},
        ScanIndexForward=False,
        ConsistentRead=True,
    )
    for item in found:
        yield Entry(item["sk"]["S"].replace("#", "-"), **orjson.loads(item["d"]["B"]))
