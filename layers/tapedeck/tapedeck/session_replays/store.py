"""Where session replays are kept: the rows of the `replays` table, and the tombstones of `control` that keep erased data out.

replays  R#{org}#{project}#{replay}  M              the replay's row: one compressed document, `v` counts its versions
                                                    a project's public key must not reach another project's replays, so
                                                    the project is in the key
                                     S#{seg:05d}    a segment: where its recording is, its sizes, its SHA-256
by_start L#{org}#{project}           {ms}#{replay}  the hot tier: visible replays that are in no block, or have changed since, in the
                                                    order in which they began (project all)
         M#{org}                     {ms}#{replay}  those of them of which a block says that they began at another moment: looked at in
                                                    every search, as its period may be that of the copy
         N#{org}#{project}           {name}         an environment name that an SDK has used there ("production")
         U#{org}#{project}#{digest}  {replay}       a replay in which this person appears: written with the segment that told so, so
                                                    that all of a person's replays are found without a look at anybody else's
         R#{org}#{project}#{replay}  E              whose erasure has refused a segment of it: the rest of it is to go as well

Tombstones (tapedeck.tombstones) keep erased data out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, tombstones
from tapedeck.retention import DAY
from tapedeck.retention import days as days_kept
from tapedeck.session_replays import merging
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.search.document import Document

Item = dict[str, Any]
BATCH = 100
_MOST_WRITES = 25
_MOST_ATTEMPTS = 12


@dataclass(frozen=True, slots=True)
class ReplayId:
    """A replay's full name; `key` is 32 hex digits. `days` is for how many its environment keeps replays, where it has days of its own and
    they are known."""

    organization_id: int
    project_id: int
    key: str
    days: int | None = field(default=None, compare=False)

    @property
    def partition(self) -> str:
        """The partition that holds everything of this replay."""
        return f"R#{self.organization_id}#{self.project_id}#{self.key}"


@dataclass(frozen=True, slots=True)
class Segment:
    """One recorded segment: where its bytes are, how many stored and inflated, when it was, and when it expires (seconds)."""

    number: int
    object_key: str
    stored: int
    inflated: int
    sha256: str
    timestamp: float
    expires: float = field(default=inf, compare=False)


@dataclass(frozen=True, slots=True)
class Cold:
    """Where the copies of a replay in blocks are: when they say that it began (ms), and the block of the last, made of which version.

    A row says so before any block shows its copy, and for as long as one does. While it is listed it stands for them.

    So it is with lines in the lake (`lake/`): `lake` is the place of the last, none when it has none any more, and `older` are the places
    of those that are to be taken out.
    """

    moments: tuple[int, ...]
    block: str
    number: int
    lake: str | None = None
    older: tuple[str, ...] = ()

    @property
    def places(self) -> list[str]:
        """Wherever in the lake a line of the replay may be."""
        return [*self.older, *([self.lake] if self.lake else ())]

    def __str__(self) -> str:
        return f"{','.join(map(str, self.moments))}#{self.block}#{self.number}"

    @classmethod
    def parse(cls, text: str, lake: str | None = None, older: str = "") -> Cold:
        """What `str` made of it, with what stands beside it in a row."""
        moments, block, number = text.split("#")
        return cls(tuple(map(int, moments.split(","))), block, int(number), lake, tuple(older.split(",")) if older else ())


@dataclass(frozen=True, slots=True)
class Version:
    """A replay's row as it was read: what a conditional write compares with. `row` is None before the first write. `cold` is where
    its copies are: a write leaves that as it is."""

    row: Row | None
    number: int
    cold: Cold | None = None


class Erased(errors.DomainError):
    """A tombstone covers this data: it is refused, and says so to nobody but the counters. `causes` are the tombstones' names."""


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
        winner = _swap(replay, merged, version, segment, guards, _appearing(version.row, merged, delta))
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
    stopped = answer["LastEvaluatedKey"]["listed_at"]["S"] if "LastEvaluatedKey" in answer else None
    return [_document(item) for item in answer["Items"]], stopped


def moved(organization_id: int) -> list[Document]:
    """The replays of which a block says that they began at another moment than they did: hardly ever any."""
    return [_document(item) for item in _listed(f"M#{organization_id}")]


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


def retention(days: int | None = None) -> int:
    """For how many seconds replays are kept, in an environment that has these days of its own."""
    return days_kept(days) * DAY


def expires(replay: ReplayId) -> int:
    """When what is recorded of a replay now expires (seconds)."""
    return int(clock.now()) + retention(replay.days)


def oldest(days: int | None = None, now: float | None = None) -> int:
    """The second before which a replay must not have ended, to be kept now."""
    return int((clock.now() if now is None else now) - retention(days))


def is_kept(replay: ReplayId, row: Row) -> bool:
    """Whether a replay's retention is not over."""
    return merging.is_kept(row, clock.now(), oldest(replay.days))


def environment_names(organization_id: int, project_id: int) -> set[str]:
    """The environment names that SDKs have used in a project."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"N#{organization_id}#{project_id}"}},
    )
    return {item["sk"]["S"] for item in found}


# ------------------------------------------------------------------------------------------------------------ hot and cold


@dataclass(frozen=True, slots=True)
class Hot:
    """A replay of the hot tier: its document, its version, and when it was last written (seconds)."""

    replay: ReplayId
    document: Document
    version: Version
    written: float


def hot(organization_id: int, project_ids: Sequence[int]) -> Iterator[Hot]:
    """The hot tier of an organization: project by project in the order in which they began; lastly those that have moved."""
    for listed in (*(_listed_in(organization_id, project_id) for project_id in project_ids), f"M#{organization_id}"):
        for item in _listed(listed):
            document = _document(item)
            replay = ReplayId(organization_id, document.project_id, document.replay_id)
            yield Hot(replay, document, _version(item), _written(item))


def _written(item: Item) -> float:
    """When a replay was last written; by its end, of a time when its row did not tell."""
    return float(item["written"]["N"]) if "written" in item else float(item["ttl"]["N"]) - retention()


def point(hot: Hot, block: str, lake: str | None = None) -> bool:
    """Say in a replay's row that a block is going to have a copy of it as it was read, and a place in the lake a line (none: it is to have
    no line any more); False when it has changed since.

    From here on until `cool` the row stands for this copy, and for older ones; and it says where older lines are.
    """
    began = moment(place(hot.document))
    known = hot.version.cold or Cold((), "", 0)
    cold = Cold(tuple(sorted({*known.moments, began})), block, hot.version.number + 1, lake, tuple(known.places))
    said = _cold_attributes(cold)
    gone = [name for name in ("lake", "lake_older") if name not in said]
    update = f"SET v = :next, {', '.join(f'{name} = :{name}' for name in said)}" + (f" REMOVE {', '.join(gone)}" if gone else "")
    return _turn(hot.replay, hot.version.number, update, {f":{name}": value for name, value in said.items()})


def cool(replay: ReplayId, number: int, began: int, block: str) -> bool:
    """Let a replay that has not changed since `point`, and whose older lines have been taken out of the lake, leave the hot tier; False
    when it has changed. `number` is the version that was packed."""
    cold = Cold((began,), block, number + 1)
    return _turn(replay, number + 1, "SET v = :next, cold = :cold REMOVE listed_in, listed_at, lake_older", {":cold": {"S": str(cold)}})


def _turn(replay: ReplayId, known: int, update: str, values: Item) -> bool:
    try:
        aws.client("dynamodb").update_item(
            TableName=aws.setting("REPLAYS_TABLE"),
            Key=_key(replay, "M"),
            UpdateExpression=update,
            ConditionExpression="v = :known",
            ExpressionAttributeValues={":known": {"N": str(known)}, ":next": {"N": str(known + 1)}, **values},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return False
    return True


def _listed(listed: str) -> Iterator[Item]:
    return aws.query(
        "REPLAYS_TABLE",
        IndexName="by_start",
        KeyConditionExpression="listed_in = :in",
        ExpressionAttributeValues={":in": {"S": listed}},
    )


# ------------------------------------------------------------------------------------------------------------ people


@dataclass(frozen=True, slots=True)
class Appearance:
    """A replay in which a person appears: when we heard of it first, and when it began (seconds)."""

    replay: ReplayId
    received: float
    started: float


def appearances(organization_id: int, project_id: int, digest: str) -> Iterator[Appearance]:
    """The replays in which a person appears, by replay id; as they are now, past their retention or not."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"U#{organization_id}#{project_id}#{digest}"}},
        ConsistentRead=True,
    )
    for item in found:
        replay = ReplayId(organization_id, project_id, item["sk"]["S"])
        yield Appearance(replay, float(item["received"]["N"]), float(item["started"]["N"]))


def note_refusal(replay: ReplayId, tombstone: str, since: float) -> None:
    """Remember that a segment of a replay was refused because its user had been erased: what came of it before, without a user, is theirs
    as well. Safe to repeat."""
    aws.client("dynamodb").put_item(
        TableName=aws.setting("REPLAYS_TABLE"),
        Item={**_key(replay, "E"), "tombstone": {"S": tombstone}, "since": {"N": repr(since)}, "ttl": {"N": str(expires(replay))}},
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a segment of a replay was refused: by which tombstone, and since when its data was (seconds)."""

    tombstone: str
    since: float


def refused(replay: ReplayId) -> Refusal | None:
    """What `note_refusal` has noted of a replay."""
    found = next((item for item in _partition(replay) if item["sk"]["S"] == "E"), None)
    return Refusal(found["tombstone"]["S"], float(found["since"]["N"])) if found else None


def forget_refusal(replay: ReplayId) -> None:
    """The refusal was of an erasure that has been cancelled since."""
    delete_rows([_key(replay, "E")])


# ------------------------------------------------------------------------------------------------------------ erasing


@dataclass(frozen=True, slots=True)
class Holding:
    """All rows of a replay as they are now: their keys, the version of its row, who appears in it, its segments, its places in the lake."""

    replay: ReplayId
    keys: Sequence[Item]
    version: int
    users: Sequence[str]
    segments: Sequence[Segment]
    lake: Sequence[str] = ()


def holding(replay: ReplayId) -> Holding:
    """Everything that there is of a replay in the table: one Query."""
    items = list(_partition(replay))
    row = _version(next((item for item in items if item["sk"]["S"] == "M"), None))
    segments = [_segment(item) for item in items if item["sk"]["S"].startswith("S#")]
    keys = [{"pk": item["pk"], "sk": item["sk"]} for item in items]
    return Holding(replay, keys, row.number, merging.users(row.row or {}), segments, row.cold.places if row.cold else ())


def seals(held: Holding) -> list[Item]:
    """What, in one transaction, closes a replay for ever: its tombstone, and that it still is as it was listed."""
    replay = held.replay
    grave = {"pk": {"S": tombstones.partition(replay.organization_id, replay.project_id)}, "sk": {"S": tombstones.of_replay(replay.key)}}
    return [
        {"Put": {"TableName": aws.setting("CONTROL_TABLE"), "Item": {**grave, "until": {"N": repr(clock.now())}}}},
        {"ConditionCheck": {"TableName": aws.setting("REPLAYS_TABLE"), "Key": _key(replay, "M"), **_still(held.version)}},
    ]


def transact(parts: Sequence[Item]) -> bool:
    """One transaction; False when one of its conditions did not hold, or another one was under way."""
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=list(parts))
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        return False
    return True


def delete_rows(keys: Sequence[Item]) -> None:
    """Delete rows, in whatever order. Safe to repeat and to kill."""
    wanted = [{"DeleteRequest": {"Key": key}} for key in keys]
    while wanted:
        batch, wanted = wanted[:_MOST_WRITES], wanted[_MOST_WRITES:]
        answer = aws.client("dynamodb").batch_write_item(RequestItems={aws.setting("REPLAYS_TABLE"): batch})
        wanted += answer.get("UnprocessedItems", {}).get(aws.setting("REPLAYS_TABLE"), [])


def delete_unchanged(held: Sequence[Holding]) -> bool:
    """Delete the rows of replays (fifty at the most) where each is as it was read; False, and none has gone, when one has changed: what it
    says now was not looked at."""
    table = aws.setting("REPLAYS_TABLE")
    return transact([{"Delete": {"TableName": table, "Key": _key(each.replay, "M"), **_still(each.version)}} for each in held])


def forget_appearances(of: Sequence[tuple[ReplayId, str]]) -> None:
    """Forget that people (by their tombstones' names) appear in replays. Safe to repeat."""
    delete_rows([_appearance_key(replay, name) for replay, name in dict.fromkeys(of)])


def is_gone(replay: ReplayId) -> bool:
    """Whether a replay has been erased."""
    return _tombstone(replay, tombstones.of_replay(replay.key)) is not None


def is_covered(replay: ReplayId, refusal: Refusal) -> bool:
    """Whether the tombstone that refused a segment still does."""
    until = _tombstone(replay, refusal.tombstone)
    return until is not None and until >= refusal.since


# ------------------------------------------------------------------------------------------------------------ tombstones


@dataclass(frozen=True, slots=True)
class Guard:
    """A tombstone that must not cover what is written: its name, and since when the data is (a later person is not refused)."""

    name: str
    since: float


Guards = Sequence[Guard]


def guards_of(replay: ReplayId, user_id: str | None, since: float) -> list[Guard]:
    """The tombstones that could cover a segment: the replay's, and its user's (kept by digest: a tombstone names nobody)."""
    guards = [Guard(tombstones.of_replay(replay.key), 0.0)]
    if user_id:
        guards.append(Guard(tombstones.of_user(user_id), since))
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


def _swap(
    replay: ReplayId, row: Row, version: Version, segment: Segment | None, guards: Guards, users: Sequence[str] = ()
) -> Version | None:
    """Write the next version of a row where `version` still stands; else answer the version that does."""
    put = {
        "TableName": aws.setting("REPLAYS_TABLE"),
        "Item": _item(replay, row, version.number + 1, version.cold),
        **_still(version.number),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        if segment or guards:
            rows = [{"Put": put}, *([_segment_put(replay, segment)] if segment else [])]
            absent = [_absence(replay, guard) for guard in guards]
            aws.client("dynamodb").transact_write_items(TransactItems=[*rows, *absent, *(_appearance(replay, row, user) for user in users)])
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
        if covering := [guard.name for guard, covers in zip(guards, failed[bool(segment) :], strict=False) if covers]:
            raise Erased(causes=covering) from None
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
                "ttl": {"N": str(expires(replay))},
            },
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


def _absence(replay: ReplayId, guard: Guard) -> Item:
    return {
        "ConditionCheck": {
            "TableName": aws.setting("CONTROL_TABLE"),
            "Key": {"pk": {"S": tombstones.partition(replay.organization_id, replay.project_id)}, "sk": {"S": guard.name}},
            "ConditionExpression": "attribute_not_exists(pk) OR #until < :since",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":since": {"N": repr(guard.since)}},
        }
    }


def _still(known: int) -> Item:
    """The condition that a row is as it was read. One that has gone since is not brought back by who had read it before."""
    if not known:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "v = :known", "ExpressionAttributeValues": {":known": {"N": str(known)}}}


def _appearing(known: Row | None, merged: Row, delta: Row) -> list[str]:
    """The people whose appearance in a replay is to be written down: those whom a segment names first. An event that is linked long
    after the last segment, or an environment that now keeps for longer, makes the replay live on: when its end moves into another week
    all of them are written again, so that no appearance goes before its replay."""
    again = "links" in delta or (known is not None and _week(merged) != _week(known))
    told = merged if again else delta
    before = {} if again else merging.users(known or {})
    return [user for user in merging.users(told) if user not in before]


def _week(row: Row) -> int:
    end: int = row.get("expires", 0)
    return end // (7 * DAY)


def _appearance(replay: ReplayId, row: Row, user: str) -> Item:
    """Somebody appears in a replay. What was written first stands; it is kept for longer than the replay, which later segments prolong and
    which TTL leaves there for days: an erasure finds it."""
    longer = max(retention(replay.days), 14 * DAY)
    at = {":received": {"N": repr(clock.now())}, ":started": {"N": repr(merging.started_at(row) or clock.now())}}
    return {
        "Update": {
            "TableName": aws.setting("REPLAYS_TABLE"),
            "Key": _appearance_key(replay, tombstones.of_user(user)),
            "UpdateExpression": (
                "SET received = if_not_exists(received, :received), started = if_not_exists(started, :started), #ttl = :ttl"
            ),
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {**at, ":ttl": {"N": str(row.get("expires", expires(replay)) + longer)}},
        }
    }


def _appearance_key(replay: ReplayId, name: str) -> Item:
    """`name` is that of the person's tombstone, U#{digest}."""
    mark, digest = name.split("#")
    return {"pk": {"S": f"{mark}#{replay.organization_id}#{replay.project_id}#{digest}"}, "sk": {"S": replay.key}}


def _item(replay: ReplayId, row: Row, number: int, cold: Cold | None = None) -> Item:
    item: Item = {
        **_key(replay, "M"),
        "v": {"N": str(number)},
        "d": {"B": merging.encode(row)},
        "ttl": {"N": str(row.get("expires", expires(replay)))},
        "written": {"N": str(int(clock.now()))},
    }
    if merging.is_visible(row) and merging.started_at(row) is not None:
        at = place(Document(replay.key, replay.project_id, row))
        item |= _listed_key(replay.organization_id, replay.project_id, at)
        if cold and any(each != moment(at) for each in cold.moments):
            item["listed_in"] = {"S": f"M#{replay.organization_id}"}
    return item | (_cold_attributes(cold) if cold else {})


def _partition(replay: ReplayId) -> Iterator[Item]:
    return aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": replay.partition}},
        ConsistentRead=True,
    )


def _tombstone(replay: ReplayId, name: str) -> float | None:
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"),
        Key={"pk": {"S": tombstones.partition(replay.organization_id, replay.project_id)}, "sk": {"S": name}},
        ConsistentRead=True,
    )
    return float(answer["Item"]["until"]["N"]) if "Item" in answer else None


def _version(item: Item | None) -> Version:
    return Version(merging.decode(item["d"]["B"]), int(item["v"]["N"]), _cold(item)) if item else Version(None, 0)


def _document(item: Item) -> Document:
    _, _, project, replay = item["pk"]["S"].split("#")
    cold = _cold(item)
    return Document(replay, int(project), merging.decode(item["d"]["B"]), cold.moments if cold else ())


def _cold(item: Item) -> Cold | None:
    if "cold" not in item:
        return None
    lake, older = (item[name]["S"] if name in item else "" for name in ("lake", "lake_older"))
    return Cold.parse(item["cold"]["S"], lake or None, older)


def _cold_attributes(cold: Cold) -> Item:
    said = {"cold": str(cold), "lake": cold.lake or "", "lake_older": ",".join(cold.older)}
    return {name: {"S": text} for name, text in said.items() if text}


def _segment(item: Item) -> Segment:
    return Segment(
        int(item["sk"]["S"].removeprefix("S#")),
        item["object_key"]["S"],
        int(item["stored"]["N"]),
        int(item["inflated"]["N"]),
        item["sha256"]["S"],
        float(item["timestamp"]["N"]),
        float(item["ttl"]["N"]),
    )


def _key(replay: ReplayId, sk: str) -> Item:
    return {"pk": {"S": replay.partition}, "sk": {"S": sk}}


def _listed_in(organization_id: int, project_id: int) -> str:
    return f"L#{organization_id}#{project_id}"


def _listed_key(organization_id: int, project_id: int, at: str) -> Item:
    """The whole key of a row of the index: its place names everything."""
    replay = ReplayId(organization_id, project_id, at.split("#")[1])
    return {**_key(replay, "M"), "listed_in": {"S": _listed_in(organization_id, project_id)}, "listed_at": {"S": at}}
