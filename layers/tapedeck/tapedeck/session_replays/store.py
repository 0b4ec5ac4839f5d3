"""Where session replays are kept: the rows of the `replays` table, and the tombstones of `control` that keep erased data out.

replays  R#{org}#{project}#{replay}  M              the replay's row: one compressed document, `v` counts its versions
                                                    a project's public key must not reach another project's replays, so
                                                    the project is in the key
                                     S#{seg:05d}    a segment: where its recording is, its sizes, its SHA-256
by_start L#{org}#{project}           {ms}#{replay}  visible replays in the order in which they began (project all)
         N#{org}#{project}           {name}         an environment name that an SDK has used there ("production")
control  E#{org}#{project}           U#{digest}     a tombstone: this user's data from before `until` is refused
                                     R#{replay}     a tombstone: this replay is gone for good
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors
from tapedeck.session_replays import merging
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.search.document import Document

Item = dict[str, Any]
BATCH = 100
_MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class ReplayId:
    """A replay's full name; `key` is 32 hex digits."""

    organization_id: int
    project_id: int
    key: str

    @property
    def partition(self) -> str:
        """The partition that holds everything of this replay."""
        return f"R#{self.organization_id}#{self.project_id}#{self.key}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One recorded segment: where its bytes are, how many stored and inflated, and when it was."""

    number: int
    object_key: str
    stored: int
    inflated: int
    sha256: str
    timestamp: float


@dataclass(frozen=True, slots=True)
class Version:
    """A replay's row as it was read: what a conditional write compares with. `row` is None before the first write."""

    row: Row | None
    number: int


class Erased(errors.DomainError):
    """A tombstone covers this data: it is refused, and says so to nobody but the counters."""


class Taken(errors.DomainError):
    """A segment with this number is committed already."""


# ------------------------------------------------------------------------------------------------------------ writing


def look(replay: ReplayId, environment: str | None, *meanwhile: Callable[[], Any]) -> Version:
    """Read a replay's row before a write to it, with `meanwhile` going on beside: one round trip.

    An environment's name is noted as well: once in a container's life, so that it costs no write a segment.
    """
    naming = (lambda: _name_environment(replay, environment),) if environment else ()
    version: Version = aws.together(*meanwhile, lambda: read(replay), *naming)[len(meanwhile)]
    return version


def delete_segment(replay: ReplayId, number: int) -> None:
    """Delete a segment's row: after its object, so that nothing is left that no row knows. Safe to repeat."""
    aws.client("dynamodb").delete_item(TableName=aws.setting("REPLAYS_TABLE"), Key=_key(replay, f"S#{number:05d}"))


def read(replay: ReplayId, *, consistent: bool = False) -> Version:
    """A replay's row and its version: one read."""
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("REPLAYS_TABLE"), Key=_key(replay, "M"), ConsistentRead=consistent)
    return _version(answer.get("Item"))


def read_many(replays: Sequence[ReplayId]) -> list[Version]:
    """The rows of several replays, in order: one round trip for a hundred."""
    found: dict[str, Version] = {}
    wanted = [_key(replay, "M") for replay in replays]
    while wanted:
        batch, wanted = wanted[:BATCH], wanted[BATCH:]
        answer = aws.client("dynamodb").batch_get_item(RequestItems={aws.setting("REPLAYS_TABLE"): {"Keys": batch}})
        for item in answer["Responses"].get(aws.setting("REPLAYS_TABLE"), ()):
            found[item["pk"]["S"]] = _version(item)
        wanted += answer.get("UnprocessedKeys", {}).get(aws.setting("REPLAYS_TABLE"), {}).get("Keys", [])
    return [found.get(replay.partition, Version(None, 0)) for replay in replays]


def commit(
    replay: ReplayId,
    delta: Row,
    known: Version | None = None,
    *,
    segment: Segment | None = None,
    guards: Guards = (),
    begin: bool = True,
) -> Row | None:
    """Merge `delta` into the replay's row under compare-and-swap, and answer the row that is now there: the commit point of every write.

    A lost race costs one more write: DynamoDB hands back the winner. Merging is idempotent, so that a repeated commit, whoever
    crashed before, changes nothing; a row that would not change is not written. `begin` False refuses to begin a row (answers None).
    With `guards` the write and "no tombstone" are one transaction: what was erased meanwhile raises Erased. With `segment`, the
    segment's row is part of that transaction: a number that is committed already raises Taken, a deleted replay Erased.
    """
    version = known or read(replay, consistent=True)
    for _ in range(_MOST_ATTEMPTS):
        if version.row is None and not begin:
            return None
        if segment and merging.is_archived(version.row):
            raise Erased
        if segment and merging.has_segment(version.row, segment.number):
            raise Taken
        merged = merging.merge(version.row, delta)
        if merged == version.row:
            return merged
        winner = _swap(replay, merged, version.number, segment, guards)
        if winner is None:
            return merged
        version = winner
    raise errors.Unavailable("Too many writers at once.")


# ------------------------------------------------------------------------------------------------------------ reading


def segments(replay: ReplayId, *, consistent: bool = False) -> list[Segment]:
    """Every segment of a replay, by number."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :segment)",
        ExpressionAttributeValues={":pk": {"S": replay.partition}, ":segment": {"S": "S#"}},
        ConsistentRead=consistent,
    )
    return [_segment(item) for item in found]


def segment(replay: ReplayId, number: int, *, consistent: bool = False) -> Segment | None:
    """One segment's row."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("REPLAYS_TABLE"), Key=_key(replay, f"S#{number:05d}"), ConsistentRead=consistent
    )
    return _segment(answer["Item"]) if "Item" in answer else None


def list_page(
    organization_id: int,
    project_id: int,
    first: int,
    last: int,
    *,
    newest_first: bool,
    most: int | None = None,
    after: str | None = None,
) -> tuple[list[Document], str | None]:
    """Visible replays of a project that began in [first, last] milliseconds, in that order: one round trip.

    At most `most` of them, and at most 1 MB; those behind the place `after`. Answers the place where it stopped, None at the end.
    """
    answer = aws.client("dynamodb").query(
        TableName=aws.setting("REPLAYS_TABLE"),
        IndexName="by_start",
        KeyConditionExpression="listed_in = :in AND listed_at BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":in": {"S": _listed_in(organization_id, project_id)},
            ":first": {"S": place_before(first)},
            ":last": {"S": place_after(last)},
        },
        ScanIndexForward=not newest_first,
        **({"Limit": most} if most else {}),
        **({"ExclusiveStartKey": _listed_key(organization_id, project_id, after)} if after else {}),
    )
    rows = [
        Document(item["pk"]["S"].rsplit("#", 1)[1], project_id, merging.decode(item["d"]["B"]))
        for item in answer["Items"]
    ]
    return rows, answer["LastEvaluatedKey"]["listed_at"]["S"] if "LastEvaluatedKey" in answer else None


def milliseconds(seconds: float) -> int:
    """A moment as the index counts it."""
    return max(0, int(seconds * 1000))


def moment(at: str) -> int:
    """The milliseconds of a place."""
    return int(at.split("#")[0])


def place(document: Document) -> str:
    """Where a replay is in the order of the index: by when it began, then by its id."""
    return f"{place_before(milliseconds(merging.started_at(document.row) or 0.0))}{document.replay_id}"


def place_before(at: int) -> str:
    """A place before all replays that began at this millisecond."""
    return f"{at:014d}#"


def place_after(at: int) -> str:
    """A place after all replays that began at this millisecond."""
    return f"{at:014d}#~"


def retention() -> int:
    """For how many seconds a replay is kept."""
    return int(aws.setting("RETENTION_DAYS")) * 86400


def environment_names(organization_id: int, project_id: int) -> set[str]:
    """The environment names that SDKs have used in a project."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"N#{organization_id}#{project_id}"}},
    )
    return {item["sk"]["S"] for item in found}


# ------------------------------------------------------------------------------------------------------------ tombstones


@dataclass(frozen=True, slots=True)
class Guard:
    """A tombstone that must not cover what is written: its name, and since when the data is (a later person is not refused)."""

    name: str
    since: float


Guards = Sequence[Guard]


def guards_of(replay: ReplayId, user_id: str | None, since: float) -> list[Guard]:
    """The tombstones that could cover a segment: the replay's, and its user's (kept by digest: a tombstone names nobody)."""
    guards = [Guard(f"R#{replay.key}", 0.0)]
    if user_id:
        guards.append(Guard(f"U#{hashlib.sha256(user_id.encode()).hexdigest()}", since))
    return guards


# ------------------------------------------------------------------------------------------------------------ items


_named: set[tuple[int, int, str]] = set()


def forget() -> None:
    """Forget which names were remembered: what a new container knows."""
    _named.clear()


def _name_environment(replay: ReplayId, name: str) -> None:
    """Remember an environment's name: once in a container's life, so that it costs no write a segment. Safe to repeat."""
    if (replay.organization_id, replay.project_id, name) in _named:
        return
    aws.client("dynamodb").put_item(
        TableName=aws.setting("REPLAYS_TABLE"),
        Item={"pk": {"S": f"N#{replay.organization_id}#{replay.project_id}"}, "sk": {"S": name}},
    )
    _named.add((replay.organization_id, replay.project_id, name))


def _swap(replay: ReplayId, row: Row, known: int, segment: Segment | None, guards: Guards) -> Version | None:
    """Write version `known + 1` of a row where `known` still stands; else answer the version that does."""
    put = {
        "TableName": aws.setting("REPLAYS_TABLE"),
        "Item": _item(replay, row, known + 1),
        "ConditionExpression": "attribute_not_exists(pk) OR v = :known",
        "ExpressionAttributeValues": {":known": {"N": str(known)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        if segment or guards:
            rows = [{"Put": put}, *([_segment_put(replay, segment)] if segment else [])]
            aws.client("dynamodb").transact_write_items(TransactItems=[*rows, *(_absence(replay, guard) for guard in guards)])
        else:
            aws.client("dynamodb").put_item(**put)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            return _version(error.response.get("Item"))
        if code != "TransactionCanceledException":
            raise
        swapped, *others = error.response["CancellationReasons"]
        failed = [reason["Code"] == "ConditionalCheckFailed" for reason in others]
        if any(failed[bool(segment) :]):
            raise Erased from None
        if swapped["Code"] == "ConditionalCheckFailed":
            return _version(swapped.get("Item"))
        if any(failed):  # a segment that has outlived the row of its replay
            raise Taken from None
        return read(replay, consistent=True)  # another transaction was under way: look again
    return None


def _segment_put(replay: ReplayId, segment: Segment) -> Item:
    return {
        "Put": {
            "TableName": aws.setting("REPLAYS_TABLE"),
            "Item": {
                **_key(replay, f"S#{segment.number:05d}"),
                "object_key": {"S": segment.object_key},
                "stored": {"N": str(segment.stored)},
                "inflated": {"N": str(segment.inflated)},
                "sha256": {"S": segment.sha256},
                "timestamp": {"N": repr(segment.timestamp)},
                "ttl": {"N": str(_ttl())},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def _absence(replay: ReplayId, guard: Guard) -> Item:
    return {
        "ConditionCheck": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Key": {"pk": {"S": f"E#{replay.organization_id}#{replay.project_id}"}, "sk": {"S": guard.name}},
            "ConditionExpression": "attribute_not_exists(pk) OR #until < :since",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":since": {"N": repr(guard.since)}},
        }
    }


def _item(replay: ReplayId, row: Row, number: int) -> Item:
    item: Item = {
        **_key(replay, "M"),
        "v": {"N": str(number)},
        "d": {"B": merging.encode(row)},
        "ttl": {"N": str(_ttl())},
    }
    if merging.is_visible(row) and merging.started_at(row) is not None:
        item |= _listed_key(replay.organization_id, replay.project_id, place(Document(replay.key, replay.project_id, row)))
    return item


def _version(item: Item | None) -> Version:
    return Version(merging.decode(item["d"]["B"]), int(item["v"]["N"])) if item else Version(None, 0)


def _segment(item: Item) -> Segment:
    return Segment(
        int(item["sk"]["S"].removeprefix("S#")),
        item["object_key"]["S"],
        int(item["stored"]["N"]),
        int(item["inflated"]["N"]),
        item["sha256"]["S"],
        float(item["timestamp"]["N"]),
    )


def _key(replay: ReplayId, sk: str) -> Item:
    return {"pk": {"S": replay.partition}, "sk": {"S": sk}}


def _listed_in(organization_id: int, project_id: int) -> str:
    return f"L#{organization_id}#{project_id}"


def _listed_key(organization_id: int, project_id: int, at: str) -> Item:
    """The whole key of a row of the index: its place names everything."""
    replay = ReplayId(organization_id, project_id, at.split("#")[1])
    return {**_key(replay, "M"), "listed_in": {"S": _listed_in(organization_id, project_id)}, "listed_at": {"S": at}}


def _ttl() -> int:
    return int(clock.now()) + retention()
