"""Where events are kept: chunks of them, in the order in which they were received, in the `events` table and the bucket.

C#{org}#{collection}  HEAD                      how many events there ever were, the generation, the last receive time, how many erasures
                      C#{gen:06d}#{first:015d}  a chunk: the events numbered from `first` on, its summary, and its body when that is small;
                                                beside the head, so that one Query from the head down answers what there is
U#{org}#{collection}  C#{gen:06d}#{first:015d}  whose events that chunk holds, if they are anybody's (`owners`); apart, counting reads none
I#{org}#{collection}  {digest}                  a request that was taken: its repetition is answered with the same ids and adds nothing
W#{org}#{collection}  {gen:06d}                 a generation that was left behind: to be swept
by_due  {kind}        {seconds}                 collections with work to be done: chunks to merge, an old generation to sweep
bucket  ev/{org}/{collection}/{yyyymmddhh}/{attempt}      the body of a larger chunk, by hour of receipt for the janitor

An event's number never changes, and a chunk is changed in two ways only, each in one transaction: it is merged with its neighbours, or
written again without what was erased. Numbers follow each other, so a reader that was overtaken by a merge sees that it was, and reads
again; a gap is what has expired.

A chunk holds events of one day (UTC) and expires as a whole: at the end of that day and so many more as its environment had then. That is
when S3's lifecycle may take its body, and nothing that is done to a chunk moves it. Readers see no chunk that has expired, and none that is
older than the days that the environment has now; its row goes when TTL or the compactor comes by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from tapedeck import aws, clock, due, errors, ids, objects, retention
from tapedeck.events import owners

Item = dict[str, Any]
T = TypeVar("T")
INLINE = 8_000  # bytes of a body that lie in the chunk's own row; more go to the bucket
MOST_SUMMARY = 300_000  # bytes: an item may weigh 400 KB
_MOST_ATTEMPTS = 12
MERGE, SWEEP = "merge_chunks", "sweep_events"
_LINGERS = 7 * retention.DAY  # seconds for which owners outlive their chunk, whose row TTL may leave there for days: erasure finds it
_NEVER = 1 << 40
SWEEP_AFTER = 60  # seconds for which who empties a bucket may still tell what was in it


@dataclass(frozen=True, slots=True)
class CollectionId:
    """A collection's full name. `days` is for how many its environment keeps events, where it has days of its own and they are known."""

    organization_id: int
    id: str
    days: int | None = field(default=None, compare=False)

    @property
    def partition(self) -> str:
        """Where its head and its chunks are."""
        return f"C#{self.organization_id}#{self.id}"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a collection ends: the number of the next event, its generation, the last receive time (ms), how many erasures."""

    next: int = 0
    generation: int = 0
    received: int = 0
    erasures: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """`count` numbers from `first` on, received between two moments (ms). Its body is in it or in the bucket.

    A number may be without an event: refused, or erased since. The summary counts events.
    """

    generation: int
    first: int
    count: int
    received: int
    received_last: int
    size: int  # bytes of the body
    summary: bytes
    body: bytes | None = None
    object_key: str | None = None
    rewritten: int = 0  # how often something was erased from it
    expires: int = _NEVER  # seconds since the epoch: a midnight

    @property
    def end(self) -> int:
        """The number after its last event."""
        return self.first + self.count

    @property
    def day(self) -> int:
        """On which day (UTC, since the epoch) its last event was received."""
        return day_of(self.received_last)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request's events as they were committed: the prefix of their ids, how many, and the number of the first."""

    prefix: str
    count: int
    first: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A request's events as they are to be kept: a chunk's body, its summary, whose they are."""

    body: bytes
    summary: bytes
    owners: bytes


class Overtaken(errors.DomainError):
    """Chunks were merged while they were read: read again."""


# ------------------------------------------------------------------------------------------------------------ writing


def append(collection: CollectionId, taken: Taken, batch_of: Callable[[int], Batch], *, digest: str, remembered: int) -> Taken:
    """Commit a request's events at the end of the collection: one transaction of head, chunk, owners and receipt.

    The head moves only from where it was read, so two requests never share a number, and receive time never runs backwards. A lost race
    costs one more attempt with the head that DynamoDB hands back. `batch_of` is asked for what is to be kept after so many erasures, and
    asked again when there has been another one meanwhile: what was erased cannot come back by a request that was under way. Safe to
    repeat: the receipt (kept `remembered` seconds) is put only where there is none, and a repetition is answered with the first one's
    ids. A crash leaves nothing, or a body that nobody knows.
    """
    head = _heads.get(collection) or head_of(collection)
    put_at = clock.milliseconds()  # S3 counts a body's days from here, which may be before a midnight that its commit is behind
    batch, object_key = _prepared(collection, batch_of, head)
    for _ in range(_MOST_ATTEMPTS):
        now = max(int(clock.now() * 1000), head.received)
        inline = batch.body if object_key is None else None
        expires = expiry(now if object_key is None else min(put_at, now), collection.days)
        chunk = Chunk(
            head.generation, head.next, taken.count, now, now, len(batch.body), batch.summary, inline, object_key, expires=expires
        )
        moved = replace(head, next=chunk.end, received=now)
        try:
            aws.client("dynamodb").transact_write_items(
                TransactItems=[
                    _move(collection, head, moved),
                    _put(collection, chunk, "attribute_not_exists(pk)"),
                    *([_put_owners(collection, chunk, batch.owners)] if batch.owners else []),
                    _receipt(collection, replace(taken, first=chunk.first), digest, remembered),
                ]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response["CancellationReasons"]
            if reasons[-1]["Code"] == "ConditionalCheckFailed":
                earlier = _taken(reasons[-1]["Item"])
                if earlier.prefix == taken.prefix:  # it is our own: the answer to an earlier attempt was lost on its way
                    return replace(earlier, repeated=False)
                if object_key:
                    objects.delete(object_key)
                return earlier
            known, head = head, _head(reasons[0]["Item"]) if reasons[0].get("Item") else head_of(collection)
            if head.erasures != known.erasures:
                if object_key:
                    objects.delete(object_key)
                put_at = clock.milliseconds()
                batch, object_key = _prepared(collection, batch_of, head)
            continue
        _heads[collection] = moved
        return replace(taken, first=chunk.first)
    if object_key:
        objects.delete(object_key)
    raise errors.Unavailable("Too many writers at once.")


def merge(collection: CollectionId, parts: Sequence[Chunk], batch: Batch) -> bool:
    """Put one chunk in the place of neighbours that expire together: one transaction. False when one of them was merged or rewritten
    meanwhile.

    Safe to repeat and to kill: before the transaction there is a body that nobody knows, after it there may be bodies of the parts.
    """
    first, *others = parts
    whole = replace(first, count=sum(part.count for part in parts), received_last=parts[-1].received_last, rewritten=0)
    gone = [
        {"Delete": {"TableName": aws.setting("EVENTS_TABLE"), "Key": _chunk_key(collection, part), **_unchanged(part)}} for part in others
    ]
    owned = [_put_owners(collection, whole, batch.owners), *(_delete_owners(collection, part) for part in others)] if batch.owners else []
    return _replace(collection, parts, whole, batch, [*gone, *owned])


def rewrite(collection: CollectionId, chunk: Chunk, batch: Batch) -> bool:
    """Put the same numbers with fewer events in the place of a chunk: one transaction. False when it was merged or rewritten meanwhile.

    Safe to repeat and to kill, as `merge` is. The old body is gone from the bucket before this answers.
    """
    owned = _put_owners(collection, chunk, batch.owners) if batch.owners else _delete_owners(collection, chunk)
    return _replace(collection, [chunk], replace(chunk, rewritten=chunk.rewritten + 1), batch, [owned])


def fence(collection: CollectionId, at: int) -> Head:
    """From now on nothing is committed with a receive time before `at` (ms): a request that was under way is timed anew. One write at most.

    Safe to repeat: receive time only moves on.
    """
    head = head_of(collection)
    for _ in range(_MOST_ATTEMPTS):
        if head.received >= at:
            return head
        moved = replace(head, received=at)
        try:
            aws.client("dynamodb").transact_write_items(TransactItems=[_move(collection, head, moved)])
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            head = head_of(collection)
            continue
        return moved
    raise errors.Unavailable("Too many writers at once.")


def note_erasure(collection: CollectionId) -> None:
    """Make every request that is under way look at the tombstones again before it commits. Called again it costs them one more look."""
    aws.client("dynamodb").update_item(
        TableName=aws.setting("EVENTS_TABLE"),
        Key=_head_key(collection),
        UpdateExpression=(
            "SET erasures = if_not_exists(erasures, :none) + :one, #next = if_not_exists(#next, :none), "
            "generation = if_not_exists(generation, :none), received = if_not_exists(received, :none)"
        ),
        ExpressionAttributeNames={"#next": "next"},
        ExpressionAttributeValues={":none": {"N": "0"}, ":one": {"N": "1"}},
    )


def begin_generation(collection: CollectionId) -> Head:
    """Leave all events behind: one write, however many there are. Answers the head as it was; what it led to is swept later.

    Safe to repeat: a second call leaves an empty generation behind.
    """
    head = head_of(collection)
    for _ in range(_MOST_ATTEMPTS):
        moved = replace(head, generation=head.generation + 1)
        left = {**_left_key(collection, head.generation), "due_in": {"S": SWEEP}, "due_at": {"N": str(int(clock.now()) + SWEEP_AFTER)}}
        try:
            aws.client("dynamodb").transact_write_items(
                TransactItems=[_move(collection, head, moved), {"Put": {"TableName": aws.setting("EVENTS_TABLE"), "Item": left}}]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            head = head_of(collection)
            continue
        _heads.pop(collection, None)
        return head
    raise errors.Unavailable("Too many writers at once.")


# ------------------------------------------------------------------------------------------------------------ reading


def head_of(collection: CollectionId) -> Head:
    """Where a collection ends: one read."""
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("EVENTS_TABLE"), Key=_head_key(collection), ConsistentRead=True)
    return _head(answer.get("Item"))


def day_of(at: int) -> int:
    """The day (UTC, since the epoch) of a moment (ms)."""
    return at // (1000 * retention.DAY)


def expiry(received: int, days: int | None) -> int:
    """When what is received at a moment (ms) expires, in an environment that has these days of its own: as S3's lifecycle rounds."""
    return (day_of(received) + 1 + retention.days(days)) * retention.DAY


def is_there(collection: CollectionId, chunk: Chunk) -> bool:
    """Whether a reader may see a chunk now."""
    return clock.now() < chunk.expires and chunk.day >= _oldest_day(collection)


def _oldest_day(collection: CollectionId) -> int:
    """The day before which nothing is seen, whatever it was stored for."""
    return int(clock.now()) // retention.DAY - retention.days(collection.days)


def newest_first(collection: CollectionId) -> Iterator[Chunk]:
    """Every chunk of the present generation that is there, the newest first: a page of 1 MB at a time, as far as the caller goes.

    Raises Overtaken when a merge went on meanwhile, which would show events twice or not at all: numbers must follow each other.
    """
    generation: int | None = None
    edge = 0
    for item in _items(collection, "C#", "HEAD", forward=False):
        if item["sk"]["S"] == "HEAD":
            generation, edge = int(item["generation"]["N"]), int(item["next"]["N"])
            continue
        chunk = _chunk(item)
        if chunk.generation != generation:
            return
        _follow(collection, generation, chunk.end, edge)
        edge = chunk.first
        if chunk.day < _oldest_day(collection):
            return  # and so are all before it
        if is_there(collection, chunk):
            yield chunk


def oldest_first(collection: CollectionId, generation: int, since: int = 0, *, expired: bool = False) -> Iterator[Chunk]:
    """The chunks of a generation that hold numbers from `since` on and are there, the oldest first; those that have `expired` as well.

    Raises Overtaken like `newest_first`.
    """
    edge: int | None = None
    begin = f"C#{generation:06d}#"
    if since:
        before = _items(collection, begin, f"{begin}{since:015d}", forward=False, Limit=1)
        begin = next((item["sk"]["S"] for item in before), begin)
    for item in _items(collection, begin, f"C#{generation:06d}#~", forward=True):
        chunk = _chunk(item)
        if edge is not None and (expired or chunk.day >= _oldest_day(collection)):
            _follow(collection, generation, edge, chunk.first)
        edge = chunk.end
        if chunk.end > since and (expired or is_there(collection, chunk)):
            yield chunk


def backwards(collection: CollectionId) -> Iterator[Chunk]:
    """Every chunk of whatever generation, those left behind and those that have expired as well, the newest first.

    Raises Overtaken like `newest_first`.
    """
    after: Chunk | None = None
    for item in _items(collection, "C#", "C#~", forward=False):
        chunk = _chunk(item)
        if after and after.generation == chunk.generation:
            _follow(collection, chunk.generation, chunk.end, after.first)
        after = chunk
        yield chunk


def _follow(collection: CollectionId, generation: int, end: int, first: int) -> None:
    """See that between two neighbours, of which one ended before `end` and the next begins with `first`, there is nothing.

    Overtaken when a merge has moved what is there. Numbers that no chunk has are those of chunks that have expired: one more read, for
    each such gap.
    """
    if end > first:
        raise Overtaken
    if end < first:
        begin = f"C#{generation:06d}#"
        before = _items(collection, begin, f"{begin}{first - 1:015d}", forward=False, Limit=1)
        holder = next((_chunk(item) for item in before), None)
        if holder is not None and holder.end > end:
            raise Overtaken


def chunks_with_user(collection: CollectionId, user: str) -> list[Chunk]:
    """The chunks, of whatever generation, that may hold this person's events: all that do are among them.

    Raises Overtaken when a merge, or the sweeping of an old generation, went on meanwhile: a chunk may have moved from where the Query had
    not been to where it had been already. Each takes owners away that had been seen before, so that a second look tells.
    """
    seen = _owned(collection)
    found = []
    for sk, packed in seen.items():
        if owners.may_hold(packed, user):
            answer = aws.client("dynamodb").get_item(
                TableName=aws.setting("EVENTS_TABLE"), Key=_key(collection.partition, sk), ConsistentRead=True
            )
            if "Item" in answer:
                found.append(_chunk(answer["Item"]))
    if not found and not seen.keys() <= _owned(collection).keys():
        raise Overtaken
    return found


def _owned(collection: CollectionId) -> dict[str, bytes]:
    """The owners of every chunk, by its sort key."""
    found = aws.query(
        "EVENTS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": _owners_partition(collection)}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"]: bytes(item["u"]["B"]) for item in found}


def owners_of(collection: CollectionId, chunk: Chunk) -> bytes:
    """Whose events a chunk holds."""
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("EVENTS_TABLE"), Key=_owners_key(collection, chunk), ConsistentRead=True)
    return bytes(answer["Item"]["u"]["B"]) if "Item" in answer else b""


def _items(collection: CollectionId, first: str, last: str, *, forward: bool, **options: Any) -> Iterator[Item]:
    return aws.query(
        "EVENTS_TABLE",
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": collection.partition}, ":first": {"S": first}, ":last": {"S": last}},
        ScanIndexForward=forward,
        ConsistentRead=True,
        **options,
    )


def steadily(read: Callable[[], T]) -> T:
    """What a reading of chunks answers, begun again as often as a merge overtakes it. Raises Unavailable when that never ends."""
    for _ in range(_MOST_ATTEMPTS):
        try:
            return read()
        except Overtaken:
            continue
    raise errors.Unavailable


def collection_of(object_key: str) -> CollectionId:
    """Whose body an object is."""
    _, organization_id, collection_id, *_ = object_key.split("/")
    return CollectionId(int(organization_id), collection_id)


def object_keys(collection: CollectionId) -> set[str]:
    """The bodies in the bucket that any chunk knows, of whatever generation."""
    items = _items(collection, "C#", "C#~", forward=True)
    return {item["object_key"]["S"] for item in items if "object_key" in item}


def body(chunk: Chunk) -> bytes:
    """A chunk's body: one read, or none. Raises Overtaken when a merge, or its expiry, has taken it away."""
    if chunk.body is not None:
        return chunk.body
    found = objects.get(chunk.object_key or "")
    if found is None:
        raise Overtaken
    return found


# ------------------------------------------------------------------------------------------------------------ work to be done


@dataclass(frozen=True, slots=True)
class Due:
    """A collection with work to be done, and the generation that it is about."""

    collection: CollectionId
    generation: int
    next: int


def overdue(kind: str) -> Iterator[Due]:
    """The collections whose chunks may be merged (MERGE), or that have an old generation to sweep (SWEEP)."""
    for item in due.items(kind, table="EVENTS_TABLE"):
        _, organization_id, collection_id = item["pk"]["S"].split("#")
        collection = CollectionId(int(organization_id), collection_id)
        if kind == SWEEP:
            yield Due(collection, int(item["sk"]["S"]), 0)
        else:
            head = head_of(collection)
            yield Due(collection, head.generation, head.next)


def settle(done: Due) -> None:
    """Nothing is left to merge, unless something has been received since `done` was read."""
    try:
        aws.client("dynamodb").update_item(
            TableName=aws.setting("EVENTS_TABLE"),
            Key=_head_key(done.collection),
            UpdateExpression="REMOVE due_in, due_at",
            ConditionExpression="#next = :next",
            ExpressionAttributeNames={"#next": "next"},
            ExpressionAttributeValues={":next": {"N": str(done.next)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise


def remove(collection: CollectionId, chunk: Chunk) -> None:
    """Delete a chunk of an old generation, or one that has expired; body first. Safe to repeat and to kill."""
    if chunk.object_key:
        objects.delete(chunk.object_key)
    keys = (_chunk_key(collection, chunk), _owners_key(collection, chunk))
    aws.client("dynamodb").transact_write_items(
        TransactItems=[{"Delete": {"TableName": aws.setting("EVENTS_TABLE"), "Key": key}} for key in keys]
    )


def swept(left: Due) -> None:
    """Nothing is left of an old generation. Safe to repeat."""
    _delete(_left_key(left.collection, left.generation))


def sweep_again(collection: CollectionId, after: float) -> None:
    """Let the old generations that are still there be looked at again, so many seconds from now. Safe to repeat.

    One that is swept away meanwhile is put back, and is then found to be empty.
    """
    found = aws.query(
        "EVENTS_TABLE",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": _left_partition(collection)}},
        ConsistentRead=True,
    )
    for item in list(found):
        aws.client("dynamodb").put_item(
            TableName=aws.setting("EVENTS_TABLE"), Item={**item, "due_at": {"N": str(int(clock.now() + after))}}
        )


# ------------------------------------------------------------------------------------------------------------ items

_heads: dict[CollectionId, Head] = {}


def forget() -> None:
    """Forget where collections end: what a new container knows."""
    _heads.clear()


def _move(collection: CollectionId, known: Head, moved: Head) -> Item:
    """The head, from where it was read to where it shall be; chunks may then be merged."""
    return {
        "Update": {
            "TableName": aws.setting("EVENTS_TABLE"),
            "Key": _head_key(collection),
            "UpdateExpression": (
                "SET #next = :next, generation = :generation, received = :received, erasures = :erasures, "
                "due_in = :merge, due_at = if_not_exists(due_at, :now)"
            ),
            "ConditionExpression": (
                "attribute_not_exists(pk) OR (#next = :known AND generation = :of AND received = :until AND erasures = :erasures)"
            ),
            "ExpressionAttributeNames": {"#next": "next"},
            "ExpressionAttributeValues": {
                ":next": {"N": str(moved.next)},
                ":generation": {"N": str(moved.generation)},
                ":received": {"N": str(moved.received)},
                ":merge": {"S": MERGE},
                ":now": {"N": str(int(clock.now()))},
                ":known": {"N": str(known.next)},
                ":of": {"N": str(known.generation)},
                ":until": {"N": str(known.received)},
                ":erasures": {"N": str(known.erasures)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _prepared(collection: CollectionId, batch_of: Callable[[int], Batch], head: Head) -> tuple[Batch, str | None]:
    """The batch, and the key under which its body lies in the bucket, if it does."""
    batch = batch_of(head.erasures)
    if len(batch.body) <= INLINE:
        return batch, None
    return batch, _put_body(collection, batch.body, retention.tag(retention.days(collection.days)))


def _replace(collection: CollectionId, parts: Sequence[Chunk], whole: Chunk, batch: Batch, others: Sequence[Item]) -> bool:
    """One chunk in the place of parts, in one transaction with `others`, and then without their bodies."""
    left = max(1, whole.expires // retention.DAY - int(clock.now()) // retention.DAY - 1)
    object_key = _put_body(collection, batch.body, retention.tag(left)) if len(batch.body) > INLINE else None
    whole = replace(
        whole,
        size=len(batch.body),
        summary=batch.summary,
        body=batch.body if object_key is None else None,
        object_key=object_key,
    )
    condition = _unchanged(parts[0])
    put = _put(collection, whole, condition["ConditionExpression"], condition["ExpressionAttributeValues"])
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=[put, *others])
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        if object_key:
            objects.delete(object_key)
        return False
    for part in parts:
        if part.object_key:
            objects.delete(part.object_key)
    return True


def _unchanged(chunk: Chunk) -> Item:
    """The condition that a chunk is still as it was read."""
    rewritten = "r = :r" if chunk.rewritten else "attribute_not_exists(r)"
    values = {":n": {"N": str(chunk.count)}, **({":r": {"N": str(chunk.rewritten)}} if chunk.rewritten else {})}
    return {"ConditionExpression": f"n = :n AND {rewritten}", "ExpressionAttributeValues": values}


def _put_owners(collection: CollectionId, chunk: Chunk, packed: bytes) -> Item:
    item = {**_owners_key(collection, chunk), "u": {"B": packed}, "ttl": {"N": str(chunk.expires + _LINGERS)}}
    return {"Put": {"TableName": aws.setting("EVENTS_TABLE"), "Item": item}}


def _delete_owners(collection: CollectionId, chunk: Chunk) -> Item:
    return {"Delete": {"TableName": aws.setting("EVENTS_TABLE"), "Key": _owners_key(collection, chunk)}}


def _put(collection: CollectionId, chunk: Chunk, condition: str, values: Item | None = None) -> Item:
    item: Item = {
        **_chunk_key(collection, chunk),
        "n": {"N": str(chunk.count)},
        "received": {"N": str(chunk.received)},
        "received_last": {"N": str(chunk.received_last)},
        "size": {"N": str(chunk.size)},
        "s": {"B": chunk.summary},
        "ttl": {"N": str(chunk.expires)},
        **({"object_key": {"S": chunk.object_key}} if chunk.object_key else {"b": {"B": chunk.body}}),
        **({"r": {"N": str(chunk.rewritten)}} if chunk.rewritten else {}),
    }
    given = {"ExpressionAttributeValues": values} if values else {}
    return {"Put": {"TableName": aws.setting("EVENTS_TABLE"), "Item": item, "ConditionExpression": condition, **given}}


def _receipt(collection: CollectionId, taken: Taken, digest: str, remembered: int) -> Item:
    return {
        "Put": {
            "TableName": aws.setting("EVENTS_TABLE"),
            "Item": {
                **_key(f"I#{collection.organization_id}#{collection.id}", digest),
                "prefix": {"S": taken.prefix},
                "n": {"N": str(taken.count)},
                "first": {"N": str(taken.first)},
                "until": {"N": str(int(clock.now()) + remembered)},
                "ttl": {"N": str(int(clock.now()) + remembered)},
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #until < :now",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":now": {"N": str(int(clock.now()))}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _taken(item: Item) -> Taken:
    return Taken(item["prefix"]["S"], int(item["n"]["N"]), int(item["first"]["N"]), repeated=True)


def _head(item: Item | None) -> Head:
    return Head(*(int(item[name]["N"]) for name in ("next", "generation", "received", "erasures"))) if item else Head()


def _chunk(item: Item) -> Chunk:
    _, generation, first = item["sk"]["S"].split("#")
    return Chunk(
        int(generation),
        int(first),
        int(item["n"]["N"]),
        int(item["received"]["N"]),
        int(item["received_last"]["N"]),
        int(item["size"]["N"]),
        bytes(item["s"]["B"]),
        bytes(item["b"]["B"]) if "b" in item else None,
        item["object_key"]["S"] if "object_key" in item else None,
        int(item["r"]["N"]) if "r" in item else 0,
        -(-int(item["ttl"]["N"]) // retention.DAY) * retention.DAY,
    )


def _put_body(collection: CollectionId, body: bytes, days: int | None) -> str:
    object_key = f"ev/{collection.organization_id}/{collection.id}/{objects.hour(clock.now())}/{ids.random_hex(24)}"
    objects.put(object_key, body, days=days)
    return object_key


def _delete(key: Item) -> None:
    aws.client("dynamodb").delete_item(TableName=aws.setting("EVENTS_TABLE"), Key=key)


def _head_key(collection: CollectionId) -> Item:
    return _key(collection.partition, "HEAD")


def _chunk_key(collection: CollectionId, chunk: Chunk) -> Item:
    return _key(collection.partition, f"C#{chunk.generation:06d}#{chunk.first:015d}")


def _owners_partition(collection: CollectionId) -> str:
    return f"U#{collection.organization_id}#{collection.id}"


def _owners_key(collection: CollectionId, chunk: Chunk) -> Item:
    return _key(_owners_partition(collection), f"C#{chunk.generation:06d}#{chunk.first:015d}")


def _left_key(collection: CollectionId, generation: int) -> Item:
    return _key(_left_partition(collection), f"{generation:06d}")


def _left_partition(collection: CollectionId) -> str:
    return f"W#{collection.organization_id}#{collection.id}"


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
