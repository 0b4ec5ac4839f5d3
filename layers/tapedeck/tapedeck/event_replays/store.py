"""Where event replays are kept: a row each, and the lines of their histories.

control   REPLAY#{org}               {replay id}   a replay: one document; `v` counts its versions, every write is conditional on it
          REPLAY#{org}#{collection}  {replay id}   a continuous replay of a collection, while it goes on: who is rung for when events come
          HISTORY#{org}#{replay id}  {n:010d}      the n-th line of a replay's history, in the transaction that makes it true
by_due    event_replays              {seconds}     replays by when somebody should look after them: the end of a lease, a retry, a lost bell
          following_replays          {seconds}     continuous replays that have seen everything: behind again when a bell was lost
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from math import ceil
from typing import Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, due, errors
from tapedeck.event_replays.model import Entry, Lent, Progress, Replay, Step, Told, Waiting

Item = dict[str, Any]
DUE, FOLLOWING = "event_replays", "following_replays"
PATIENCE = 60  # seconds after which a replay that nobody has taken up is rung for again
_MOST_ATTEMPTS = 12
_LOST = ("ConditionalCheckFailed", "TransactionConflict", "ConditionalCheckFailedException", "TransactionConflictException")


def create(replay: Replay, entry: Entry, conditions: Sequence[Item] = ()) -> Replay:
    """A new replay, with the first line of its history: one transaction, under further `conditions`.

    Safe to repeat: a replay of this id that is there already is the answer. Conflict when one of the conditions does not hold.
    """
    made = replace(replay, version=1, entries=1, noted_at=entry.at)
    items = [_put_row(made, known=0), _put_line(made, 1, entry), *conditions]
    if replay.until is None:
        items.append({"Put": {"TableName": aws.setting("CONTROL_TABLE"), "Item": _follower_key(made)}})
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=items)
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        if found := error.response["CancellationReasons"][0].get("Item"):
            return _replay(found)
        raise errors.Conflict("What the replay needs has changed meanwhile.") from None
    return made


def change(replay: Replay, step: Step) -> Replay:
    """Take a step from the replay as it is known; from the replay as it is, when somebody else was faster. Answers it as it is then.

    One conditional write, or one transaction when its history has something to say of it. What the step raises is passed on; NotFound
    when the replay is gone. Safe to repeat as far as the step is.
    """
    for _ in range(_MOST_ATTEMPTS):
        moved, entries = step(replay)
        if moved is replay:
            return replay
        noted_at = entries[-1].at if entries else replay.noted_at
        moved = replace(
            moved, version=replay.version + 1, updated_at=clock.now(), entries=replay.entries + len(entries), noted_at=noted_at
        )
        lost = _write(moved, replay, entries)
        if lost is None:
            return moved
        replay = lost
    raise errors.Unavailable("Too many writers at once.")


def read(organization_id: int, replay_id: str) -> Replay:
    """One replay, as it is now. NotFound when there is none."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"), Key=_key(organization_id, replay_id), ConsistentRead=True
    )
    if "Item" not in answer:
        raise errors.NotFound("There is no such replay.")
    return _replay(answer["Item"])


def all_of(organization_id: int) -> list[Replay]:
    """Every replay of an organization, the newest first."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"REPLAY#{organization_id}"}},
        ConsistentRead=True,
    )
    return sorted(map(_replay, found), key=lambda each: (-each.created_at, each.id))


def uses(organization_id: int, destination_id: str) -> bool:
    """Whether a replay that is not over sends to a destination."""
    return any(each.destination_id == destination_id and not each.is_over and not each.archived for each in all_of(organization_id))


def history(replay: Replay, *, after: int, most: int) -> list[tuple[int, Entry]]:
    """Up to `most` numbered lines of a replay's history, the oldest first, from the one after number `after` on."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND sk > :after",
        ExpressionAttributeValues={":pk": {"S": _history(replay)}, ":after": {"S": f"{after:010d}"}},
        ConsistentRead=True,
        Limit=most,
    )
    return [(int(item["sk"]["S"]), Entry(**orjson.loads(item["d"]["B"]))) for item in islice(found, most)]


def delete(replay: Replay) -> None:
    """Forget a replay and its history. The row goes last, so that what was killed half-way is found and deleted again."""
    lines = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": _history(replay)}},
        ProjectionExpression="pk, sk",
        ConsistentRead=True,
    )
    for line in lines:
        _delete({"pk": line["pk"], "sk": line["sk"]})
    _delete(_follower_key(replay))
    _delete(_key(replay.organization_id, replay.id))


def followers(organization_id: int, collection_id: str) -> list[str]:
    """The ids of the continuous replays of a collection that go on: one Query."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"REPLAY#{organization_id}#{collection_id}"}},
    )
    return [item["sk"]["S"] for item in found]


def overdue() -> Iterator[Replay]:
    """Replays that somebody should look after by now."""
    return map(_replay, due.items(DUE))


def following() -> Iterator[Replay]:
    """Continuous replays that had seen everything when they were left."""
    return map(_replay, due.items(FOLLOWING))


# ------------------------------------------------------------------------------------------------------------ items


def _write(moved: Replay, known: Replay, entries: Sequence[Entry]) -> Replay | None:
    """Write the next version of a replay; None when that is done, else the replay as somebody else has made it meanwhile."""
    put = _put_row(moved, known=known.version)
    ends = known.until is None and (moved.is_over or moved.archived) and not (known.is_over or known.archived)
    try:
        if not entries and not ends:
            aws.client("dynamodb").put_item(**put["Put"])
            return None
        lines = [_put_line(moved, number, entry) for number, entry in enumerate(entries, known.entries + 1)]
        gone = [{"Delete": {"TableName": aws.setting("CONTROL_TABLE"), "Key": _follower_key(moved)}}] if ends else []
        aws.client("dynamodb").transact_write_items(TransactItems=[put, *lines, *gone])
    except ClientError as error:
        reasons = error.response.get("CancellationReasons") or [{"Code": error.response["Error"]["Code"], **error.response}]
        if not any(reason.get("Code") in _LOST for reason in reasons):
            raise
        found = reasons[0].get("Item")
        return _replay(found) if found else read(known.organization_id, known.id)
    return None


def _put_row(replay: Replay, *, known: int) -> Item:
    due = _due(replay)
    condition: Item = (
        {"ConditionExpression": "v = :known", "ExpressionAttributeValues": {":known": {"N": str(known)}}}
        if known
        else {"ConditionExpression": "attribute_not_exists(pk)"}
    )
    return {
        "Put": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Item": {
                **_key(replay.organization_id, replay.id),
                "v": {"N": str(replay.version)},
                "d": {"B": orjson.dumps(replay)},
                **({"due_in": {"S": due[0]}, "due_at": {"N": str(ceil(due[1]))}} if due else {}),
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **condition,
        }
    }


def _due(replay: Replay) -> tuple[str, float] | None:
    """In which list of work to be done a replay is, and when somebody should look after it."""
    if replay.notice_at is not None:
        return DUE, replay.notice_at
    if replay.is_over or replay.archived or replay.state == "paused" or replay.pulled:
        return None
    if replay.owner is not None:
        return DUE, replay.leased_until
    if replay.idle:
        return FOLLOWING, 0
    return DUE, max(replay.progress.resumes_at, clock.now() + PATIENCE)


def _put_line(replay: Replay, number: int, entry: Entry) -> Item:
    return {
        "Put": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Item": {"pk": {"S": _history(replay)}, "sk": {"S": f"{number:010d}"}, "d": {"B": orjson.dumps(entry)}},
        }
    }


def _delete(key: Item) -> None:
    aws.client("dynamodb").delete_item(TableName=aws.setting("CONTROL_TABLE"), Key=key)


def _key(organization_id: int, replay_id: str) -> Item:
    return {"pk": {"S": f"REPLAY#{organization_id}"}, "sk": {"S": replay_id}}


def _follower_key(replay: Replay) -> Item:
    return {"pk": {"S": f"REPLAY#{replay.organization_id}#{replay.collection_id}"}, "sk": {"S": replay.id}}


def _history(replay: Replay) -> str:
    return f"HISTORY#{replay.organization_id}#{replay.id}"


def _replay(item: Mapping[str, Any]) -> Replay:
    row = orjson.loads(item["d"]["B"])
    progress = row.pop("progress")
    progress["waiting"] = [Waiting(**each) for each in progress["waiting"]]
    told, lent = row.pop("told"), row.pop("lent")
    return Replay(**row, progress=Progress(**progress), told=Told(**told) if told else None, lent=[Lent(**each) for each in lent])
