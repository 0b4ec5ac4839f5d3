"""Where session replays are kept: the `replays` table, the recordings bucket, and the tombstones that keep erased data out.

replays  R#{org}#{project}#{replay}  M              the replay's row: one compressed document, `v` counts its versions
                                                    a project's public key must not reach another project's replays, so
                                                    the project is in the key
                                     S#{seg:05d}    a segment: where its recording is, its sizes, its SHA-256
by_start L#{org}#{project}           {ms}#{replay}  visible replays in the order in which they began (project all)
         N#{org}#{project}           {name}         an environment name that an SDK has used there ("production")
control  E#{org}#{project}           U#{digest}     a tombstone: this user's data from before `until` is refused
                                     R#{replay}     a tombstone: this replay is gone for good
bucket   rec/{org}/{project}/{yyyymmddhh}/{replay}/{seg:05d}-{sha256[:16]}
                                                    as received; by hour of receipt, so that the janitor finds what no row
                                                    knows by listing the last hours; by content, so that a re-sent segment
                                                    overwrites itself and another one never does
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, ids
from tapedeck.session_replays import merging
from tapedeck.session_replays.merging import Row

Item = dict[str, Any]
BATCH = 100
PRESIGNED_SECONDS = 300
_MOST_ATTEMPTS = 12
DOOMED = "doomed"  # stands for a SHA-256 on the row by which the janitor claims an object


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


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the index: `place` orders rows of all projects by when they began, then by id."""

    place: str
    replay: ReplayId
    row: Row


class Erased(errors.DomainError):
    """A tombstone covers this data: it is refused, and says so to nobody but the counters."""


def now_hour() -> str:
    """The hour of receipt, as recordings' keys spell it."""
    return hour(clock.now())


def hour(seconds: float) -> str:
    """`yyyymmddhh`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H")


def object_key(replay: ReplayId, number: int, sha256: str) -> str:
    """Where a segment received now is put."""
    return f"rec/{replay.organization_id}/{replay.project_id}/{now_hour()}/{replay.key}/{number:05d}-{sha256[:16]}"


def segment_of_object(object_key: str) -> tuple[ReplayId, int] | None:
    """Which segment an object of the bucket claims to be: `object_key` read backwards."""
    parts = object_key.split("/")
    if len(parts) != 6 or parts[0] != "rec":
        return None
    return ReplayId(int(parts[1]), int(parts[2]), parts[4]), int(parts[5].split("-")[0])


# ------------------------------------------------------------------------------------------------------------ writing


def put_segment(
    replay: ReplayId, segment: Segment, body: bytes, guards: Guards, *, environment: str | None = None
) -> tuple[Segment, Version]:
    """Write a segment's object and its row, and read the replay's row: one round trip. Answers the segment that now holds the number.

    The row is put only where there is none: the first one wins and is answered (decision 34). Raises Erased under a tombstone.
    Safe to repeat: the same bytes find their own row, and their object is where that row says before this returns.
    """
    answers = aws.together(
        lambda: _put_object(segment.object_key, body),
        lambda: _claim(replay, segment),
        lambda: read(replay),
        *(_check(replay, guard) for guard in guards),
        *((lambda: _name_environment(replay, environment),) if environment else ()),
    )
    holder: Segment = answers[1]
    if any(answers[3:]):
        discard_segment(replay, segment)
        raise Erased
    if holder.sha256 == DOOMED:  # the janitor is deleting what an earlier attempt left under this key: take another
        segment = replace(segment, object_key=f"{segment.object_key}-{ids.random_hex(4)}")
        _put_object(segment.object_key, body)
        holder = _claim(replay, segment, instead_of=DOOMED)
    if holder.object_key != segment.object_key:
        if holder.sha256 == segment.sha256:  # an earlier attempt, begun in another hour, may have died before its object was there
            _put_object(holder.object_key, body)
        delete_object(segment.object_key)
    return holder, answers[2]


def discard_segment(replay: ReplayId, segment: Segment) -> None:
    """Undo `put_segment` of a segment that must not be: object before row, so that nothing is left that no row knows."""
    delete_object(segment.object_key)
    aws.client("dynamodb").delete_item(
        TableName=aws.setting("REPLAYS_TABLE"),
        Key=_key(replay, f"S#{segment.number:05d}"),
        ConditionExpression="attribute_not_exists(pk) OR sha256 = :sha",
        ExpressionAttributeValues={":sha": {"S": segment.sha256}},
    )


def doom(replay: ReplayId, number: int, object_key: str) -> bool:
    """Claim an object that no row knows, so that no ingest may adopt it while it is being deleted; False when a row does know it."""
    holder = segment(replay, number, consistent=True)
    if holder is not None and holder.sha256 != DOOMED:
        return holder.object_key != object_key
    doomed = Segment(number, object_key, 0, 0, DOOMED, 0.0)
    return _claim(replay, doomed).sha256 == DOOMED


def undoom(replay: ReplayId, number: int) -> None:
    """Take the janitor's claim away again. Safe to repeat, and when an ingest has replaced it."""
    try:
        aws.client("dynamodb").delete_item(
            TableName=aws.setting("REPLAYS_TABLE"),
            Key=_key(replay, f"S#{number:05d}"),
            ConditionExpression="sha256 = :doomed",
            ExpressionAttributeValues={":doomed": {"S": DOOMED}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def objects(hours: Sequence[str]) -> Iterator[tuple[str, float]]:
    """(key, seconds since the epoch when it was last put) of every recording that was received in these hours (`yyyymmddhh`)."""
    for organization in _folders("rec/"):
        for project in _folders(organization):
            for each in hours:
                for page in _pages(f"{project}{each}/"):
                    for entry in page.get("Contents", ()):
                        yield entry["Key"], entry["LastModified"].timestamp()


def delete_object(object_key: str) -> None:
    """Delete one recording object. Safe to repeat."""
    aws.client("s3").delete_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=object_key)


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


def commit(replay: ReplayId, delta: Row, known: Version | None = None, *, guards: Guards = (), begin: bool = True) -> Row | None:
    """Merge `delta` into the replay's row under compare-and-swap, and answer the row that is now there: the commit point of every write.

    A lost race costs one more write: DynamoDB hands back the winner. Merging is idempotent, so that a repeated commit, whoever
    crashed before, changes nothing; a row that would not change is not written. `begin` False refuses to begin a row (answers None).
    With `guards` the write and "no tombstone" are one transaction: what was erased meanwhile raises Erased.
    """
    version = known or read(replay, consistent=True)
    for _ in range(_MOST_ATTEMPTS):
        if version.row is None and not begin:
            return None
        merged = merging.merge(version.row, delta)
        if merged == version.row:
            return merged
        winner = _swap(replay, merged, version.number, guards)
        if winner is None:
            return merged
        version = winner
    raise errors.Unavailable("Too many writers at once.")


# ------------------------------------------------------------------------------------------------------------ reading


def segments(replay: ReplayId) -> list[Segment]:
    """Every segment that has a row, by number. Only those whose bit is set in the replay's row are committed."""
    found: list[Segment] = []
    more: dict[str, Any] = {}
    while True:
        answer = aws.client("dynamodb").query(
            TableName=aws.setting("REPLAYS_TABLE"),
            KeyConditionExpression="pk = :pk AND begins_with(sk, :segment)",
            ExpressionAttributeValues={":pk": {"S": replay.partition}, ":segment": {"S": "S#"}},
            **more,
        )
        found += [_segment(item) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            return found
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def segment(replay: ReplayId, number: int, *, consistent: bool = False) -> Segment | None:
    """One segment's row."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("REPLAYS_TABLE"), Key=_key(replay, f"S#{number:05d}"), ConsistentRead=consistent
    )
    return _segment(answer["Item"]) if "Item" in answer else None


def recording(segment: Segment) -> bytes | None:
    """A segment's bytes as they were received; None when they are not there."""
    try:
        answer = aws.client("s3").get_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=segment.object_key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def recordings(of: Sequence[Segment]) -> list[bytes | None]:
    """The bytes of several segments: side by side."""
    return aws.together(*(_reader(each) for each in of)) if of else []


def list_page(
    organization_id: int, project_id: int, start: float, end: float, *, newest_first: bool, most: int, after: Item | None = None
) -> tuple[list[Listed], Item | None]:
    """Visible replays of a project that began in [start, end) seconds, in that order, and from where to go on: one round trip."""
    first, last = f"{_milliseconds(start):014d}", f"{_milliseconds(end) - 1:014d}~"
    if last < first:
        return [], None
    answer = aws.client("dynamodb").query(
        TableName=aws.setting("REPLAYS_TABLE"),
        IndexName="by_start",
        KeyConditionExpression="listed_in = :in AND listed_at BETWEEN :first AND :last",
        ExpressionAttributeValues={
            ":in": {"S": f"L#{organization_id}#{project_id}"},
            ":first": {"S": first},
            ":last": {"S": last},
        },
        ScanIndexForward=not newest_first,
        Limit=most,
        **({"ExclusiveStartKey": after} if after else {}),
    )
    rows = [
        Listed(
            item["listed_at"]["S"],
            ReplayId(organization_id, project_id, item["pk"]["S"].rsplit("#", 1)[1]),
            merging.decode(item["d"]["B"]),
        )
        for item in answer["Items"]
    ]
    return rows, answer.get("LastEvaluatedKey")


def environment_names(organization_id: int, project_id: int) -> set[str]:
    """The environment names that SDKs have used in a project."""
    found: set[str] = set()
    more: dict[str, Any] = {}
    while True:
        answer = aws.client("dynamodb").query(
            TableName=aws.setting("REPLAYS_TABLE"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"N#{organization_id}#{project_id}"}},
            **more,
        )
        found |= {item["sk"]["S"] for item in answer["Items"]}
        if "LastEvaluatedKey" not in answer:
            return found
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def put_page(replay: ReplayId, name: str, body: bytes) -> str:
    """Keep a page that is too large for a Lambda answer for a day, and answer its key."""
    key = f"pages/{replay.organization_id}/{replay.project_id}/{replay.key}/{name}"
    _put_object(key, body)
    return key


def presigned_get(object_key: str, *, content_type: str, encoding: str | None, filename: str) -> str:
    """A URL that anyone may GET for five minutes: no call is made."""
    wanted = {"ResponseContentType": content_type, "ResponseContentDisposition": f'attachment; filename="{filename}"'}
    if encoding:
        wanted["ResponseContentEncoding"] = encoding
    url: str = aws.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": aws.setting("RECORDINGS_BUCKET"), "Key": object_key, **wanted}, ExpiresIn=PRESIGNED_SECONDS
    )
    return url


def presigned_put(object_key: str) -> str:
    """A URL to which anyone may PUT for five minutes."""
    url: str = aws.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": aws.setting("RECORDINGS_BUCKET"), "Key": object_key}, ExpiresIn=PRESIGNED_SECONDS
    )
    return url


def upload_key(organization_id: int, project_id: int, upload_id: str) -> str:
    """Where a large envelope is put by its sender: gone after a day."""
    return f"up/{organization_id}/{project_id}/{upload_id}"


def upload(organization_id: int, project_id: int, upload_id: str, limit: int) -> tuple[bytes, str]:
    """(bytes, Content-Encoding) of what was uploaded. NotFound when nothing was, TooLarge beyond `limit` bytes."""
    try:
        answer = aws.client("s3").get_object(
            Bucket=aws.setting("RECORDINGS_BUCKET"), Key=upload_key(organization_id, project_id, upload_id)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            raise errors.NotFound("Nothing was uploaded under this id.") from None
        raise
    if answer["ContentLength"] > limit:
        raise errors.TooLarge("envelope exceeds size limits", causes=[f"more than {limit} bytes"])
    return answer["Body"].read(), answer.get("ContentEncoding", "")


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


def _tombstone_key(replay: ReplayId, guard: Guard) -> Item:
    return {"pk": {"S": f"E#{replay.organization_id}#{replay.project_id}"}, "sk": {"S": guard.name}}


def _check(replay: ReplayId, guard: Guard) -> Callable[[], bool]:
    def covered() -> bool:
        answer = aws.client("dynamodb").get_item(
            TableName=aws.setting("CONTROL_TABLE"), Key=_tombstone_key(replay, guard), ConsistentRead=True
        )
        return "Item" in answer and float(answer["Item"]["until"]["N"]) >= guard.since

    return covered


# ------------------------------------------------------------------------------------------------------------ items


def _put_object(object_key: str, body: bytes) -> None:
    aws.client("s3").put_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=object_key, Body=body)


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


def _claim(replay: ReplayId, segment: Segment, *, instead_of: str = "") -> Segment:
    """Put a segment's row where there is none (or one of the SHA-256 `instead_of`), and answer the one that is there now."""
    item = {
        **_key(replay, f"S#{segment.number:05d}"),
        "object_key": {"S": segment.object_key},
        "stored": {"N": str(segment.stored)},
        "inflated": {"N": str(segment.inflated)},
        "sha256": {"S": segment.sha256},
        "timestamp": {"N": repr(segment.timestamp)},
        "ttl": {"N": str(_ttl())},
    }
    try:
        aws.client("dynamodb").put_item(
            TableName=aws.setting("REPLAYS_TABLE"),
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR sha256 = :instead",
            ExpressionAttributeValues={":instead": {"S": instead_of or "-"}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return _segment(error.response["Item"])
    return segment


def _swap(replay: ReplayId, row: Row, known: int, guards: Guards) -> Version | None:
    """Write version `known + 1` of a row where `known` still stands; else answer the version that does."""
    put = {
        "TableName": aws.setting("REPLAYS_TABLE"),
        "Item": _item(replay, row, known + 1),
        "ConditionExpression": "attribute_not_exists(pk) OR v = :known",
        "ExpressionAttributeValues": {":known": {"N": str(known)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    checks = [
        {
            "ConditionCheck": {
                "TableName": aws.setting("CONTROL_TABLE"),
                "Key": _tombstone_key(replay, guard),
                "ConditionExpression": "attribute_not_exists(pk) OR #until < :since",
                "ExpressionAttributeNames": {"#until": "until"},
                "ExpressionAttributeValues": {":since": {"N": repr(guard.since)}},
            }
        }
        for guard in guards
    ]
    try:
        if checks:
            aws.client("dynamodb").transact_write_items(TransactItems=[{"Put": put}, *checks])
        else:
            aws.client("dynamodb").put_item(**put)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "ConditionalCheckFailedException":
            return _version(error.response.get("Item"))
        if code != "TransactionCanceledException":
            raise
        swapped, *covered = error.response["CancellationReasons"]
        if any(reason["Code"] == "ConditionalCheckFailed" for reason in covered):
            raise Erased from None
        if swapped["Code"] == "ConditionalCheckFailed":
            return _version(swapped.get("Item"))
        return read(replay, consistent=True)  # another transaction was under way: look again
    return None


def _item(replay: ReplayId, row: Row, number: int) -> Item:
    item: Item = {
        **_key(replay, "M"),
        "v": {"N": str(number)},
        "d": {"B": merging.encode(row)},
        "ttl": {"N": str(_ttl())},
    }
    if merging.is_visible(row) and (began := merging.started_at(row)) is not None:
        item["listed_in"] = {"S": f"L#{replay.organization_id}#{replay.project_id}"}
        item["listed_at"] = {"S": f"{_milliseconds(began):014d}#{replay.key}"}
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


def _folders(prefix: str) -> Iterator[str]:
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"]


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    paginator = aws.client("s3").get_paginator("list_objects_v2")
    yield from paginator.paginate(Bucket=aws.setting("RECORDINGS_BUCKET"), Prefix=prefix, **options)


def _reader(segment: Segment) -> Callable[[], bytes | None]:
    return lambda: recording(segment)


def _key(replay: ReplayId, sk: str) -> Item:
    return {"pk": {"S": replay.partition}, "sk": {"S": sk}}


def _milliseconds(seconds: float) -> int:
    return max(0, int(seconds * 1000))


def _ttl() -> int:
    return int(clock.now()) + int(aws.setting("RETENTION_DAYS")) * 86400
