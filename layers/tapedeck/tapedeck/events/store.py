"""Where events are kept: chunks of them, in the order in which they were received, in the `events` table and the bucket.

C#{org}#{collection}  HEAD                      how many events there ever were, the generation, the last receive time
                      C#{gen:06d}#{first:015d}  a chunk: the events numbered from `first` on, its summary, and its body when that is small;
                                                beside the head, so that one Query from the head down answers what there is
I#{org}#{collection}  {digest}                  a request that was taken: its repetition is answered with the same ids and adds nothing
W#{org}#{collection}  {gen:06d}                 a generation that was left behind: to be swept
by_due  {kind}        {seconds}                 collections with work to be done: chunks to merge, an old generation to sweep
bucket  ev/{org}/{collection}/{yyyymmddhh}/{attempt}      the body of a larger chunk, by hour of receipt for the janitor

An event's number never changes, and a chunk is never changed but by merging it with its neighbours, in one transaction. Numbers follow
each other without a gap, so a reader that was overtaken by a merge sees that it was, and reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, ids, objects

Item = dict[str, Any]
T = TypeVar("T")
INLINE = 8_000  # bytes of a body that lie in the chunk's own row; more go to the bucket
MOST_SUMMARY = 300_000  # bytes: an item may weigh 400 KB
_MOST_ATTEMPTS = 12
MERGE, SWEEP = "merge_chunks", "sweep_events"
SWEEP_AFTER = 60  # seconds for which who empties a bucket may still tell what was in it


@dataclass(frozen=True, slots=True)
class CollectionId:
    """A collection's full name."""

    organization_id: int
    id: str

    @property
    def partition(self) -> str:
        """Where its head and its chunks are."""
        return f"C#{self.organization_id}#{self.id}"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a collection ends: the number of the next event, its generation, and the last receive time (ms)."""

    next: int = 0
    generation: int = 0
    received: int = 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """`count` events from number `first` on, received between two moments (ms). Its body is in it or in the bucket."""

    generation: int
    first: int
    count: int
    received: int
    received_last: int
    size: int  # bytes of the body
    summary: bytes
    body: bytes | None = None
    object_key: str | None = None

    @property
    def end(self) -> int:
        """The number after its last event."""
        return self.first + self.count


@dataclass(frozen=True, slots=True)
class Taken:
    """A request's events as they were committed: the prefix of their ids, how many, and the number of the first."""

    prefix: str
    count: int
    first: int
    repeated: bool = False


class Overtaken(errors.DomainError):
    """Chunks were merged while they were read: read again."""


# ------------------------------------------------------------------------------------------------------------ writing


def append(collection: CollectionId, taken: Taken, body: bytes, summary: bytes, *, digest: str, remembered: int) -> Taken:
    """Commit a request's events at the end of the collection: one transaction of head, chunk and receipt.

    The head moves only from where it was read, so two requests never share a number, and receive time never runs backwards. A lost race
    costs one more attempt with the head that DynamoDB hands back. Safe to repeat: the receipt (kept `remembered` seconds) is put only
    where there is none, and a repetition is answered with the first one's ids. A crash leaves nothing, or a body that nobody knows.
    """
    object_key = _put_body(collection, body) if len(body) > INLINE else None
    head = _heads.get(collection) or head_of(collection)
    for _ in range(_MOST_ATTEMPTS):
        now = max(int(clock.now() * 1000), head.received)
        inline = body if object_key is None else None
        chunk = Chunk(head.generation, head.next, taken.count, now, now, len(body), summary, inline, object_key)
        moved = Head(chunk.end, head.generation, now)
        try:
            aws.client("dynamodb").transact_write_items(
                TransactItems=[
                    _move(collection, head, moved),
                    _put(collection, chunk, "attribute_not_exists(pk)"),
                    _receipt(collection, replace(taken, first=chunk.first), digest, remembered),
                ]
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "TransactionCanceledException":
                raise
            reasons = error.response["CancellationReasons"]
            if reasons[-1]["Code"] == "ConditionalCheckFailed":
                known = _taken(reasons[-1]["Item"])
                if known.prefix == taken.prefix:  # it is our own: the answer to an earlier attempt was lost on its way
                    return replace(known, repeated=False)
                if object_key:
                    objects.delete(object_key)
                return known
            head = _head(reasons[0]["Item"]) if reasons[0].get("Item") else head_of(collection)
            continue
        _heads[collection] = moved
        return replace(taken, first=chunk.first)
    if object_key:
        objects.delete(object_key)
    raise errors.Unavailable("Too many writers at once.")


def merge(collection: CollectionId, parts: Sequence[Chunk], body: bytes, summary: bytes) -> bool:
    """Put one chunk in the place of neighbours: one transaction. False when one of them was merged by somebody else meanwhile.

    Safe to repeat and to kill: before the transaction there is a body that nobody knows, after it there may be bodies of the parts.
    """
    object_key = _put_body(collection, body) if len(body) > INLINE else None
    first, *others = parts
    whole = replace(
        first,
        count=sum(part.count for part in parts),
        received_last=parts[-1].received_last,
        size=len(body),
        summary=summary,
        body=body if object_key is None else None,
        object_key=object_key,
    )
    deletes = [
        {
            "Delete": {
                "TableName": aws.setting("EVENTS_TABLE"),
                "Key": _chunk_key(collection, part),
                "ConditionExpression": "n = :n",
                "ExpressionAttributeValues": {":n": {"N": str(part.count)}},
            }
        }
        for part in others
    ]
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=[_put(collection, whole, "n = :n", first.count), *deletes])
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


def newest_first(collection: CollectionId) -> Iterator[Chunk]:
    """Every chunk of the present generation, the newest first: a page of 1 MB at a time, as far as the caller goes.

    Raises Overtaken when a merge went on meanwhile, which would show events twice or not at all: numbers must follow each other.
    """
    generation: int | None = None
    edge: int | None = None
    for item in _items(collection, "C#", "HEAD", forward=False):
        if item["sk"]["S"] == "HEAD":
            generation, edge = int(item["generation"]["N"]), int(item["next"]["N"])
            continue
        chunk = _chunk(item)
        if chunk.generation != generation:
            return
        if chunk.end != edge:
            raise Overtaken
        edge = chunk.first
        yield chunk


def oldest_first(collection: CollectionId, generation: int) -> Iterator[Chunk]:
    """Every chunk of a generation, the oldest first. Raises Overtaken like `newest_first`."""
    edge: int | None = None
    for item in _items(collection, f"C#{generation:06d}#", f"C#{generation:06d}#~", forward=True):
        chunk = _chunk(item)
        if edge is not None and chunk.first != edge:
            raise Overtaken
        edge = chunk.end
        yield chunk


def _items(collection: CollectionId, first: str, last: str, *, forward: bool) -> Iterator[Item]:
    return aws.query(
        "EVENTS_TABLE",
        KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
        ExpressionAttributeValues={":pk": {"S": collection.partition}, ":first": {"S": first}, ":last": {"S": last}},
        ScanIndexForward=forward,
        ConsistentRead=True,
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
    """A chunk's body: one read, or none. Raises Overtaken when a merge has taken it away."""
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


def due(kind: str) -> Iterator[Due]:
    """The collections whose chunks may be merged (MERGE), or that have an old generation to sweep (SWEEP)."""
    found = aws.query(
        "EVENTS_TABLE",
        IndexName="by_due",
        KeyConditionExpression="due_in = :kind AND due_at <= :now",
        ExpressionAttributeValues={":kind": {"S": kind}, ":now": {"N": str(int(clock.now()))}},
    )
    for item in found:
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


def sweep(left: Due, most: int) -> bool:
    """Delete up to `most` chunks of an old generation, bodies first, and say whether that was all. Safe to repeat and to kill."""
    for swept, chunk in enumerate(oldest_first(left.collection, left.generation)):
        if swept == most:
            return False
        if chunk.object_key:
            objects.delete(chunk.object_key)
        _delete(_chunk_key(left.collection, chunk))
    _delete(_left_key(left.collection, left.generation))
    return True


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
                "SET #next = :next, generation = :generation, received = :received, due_in = :merge, due_at = if_not_exists(due_at, :now)"
            ),
            "ConditionExpression": "attribute_not_exists(pk) OR (#next = :known AND generation = :of)",
            "ExpressionAttributeNames": {"#next": "next"},
            "ExpressionAttributeValues": {
                ":next": {"N": str(moved.next)},
                ":generation": {"N": str(moved.generation)},
                ":received": {"N": str(moved.received)},
                ":merge": {"S": MERGE},
                ":now": {"N": str(int(clock.now()))},
                ":known": {"N": str(known.next)},
                ":of": {"N": str(known.generation)},
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def _put(collection: CollectionId, chunk: Chunk, condition: str, known_count: int | None = None) -> Item:
    item: Item = {
        **_chunk_key(collection, chunk),
        "n": {"N": str(chunk.count)},
        "received": {"N": str(chunk.received)},
        "received_last": {"N": str(chunk.received_last)},
        "size": {"N": str(chunk.size)},
        "s": {"B": chunk.summary},
        "ttl": {"N": str(int(clock.now()) + int(aws.setting("RETENTION_DAYS")) * 86400)},
        **({"object_key": {"S": chunk.object_key}} if chunk.object_key else {"b": {"B": chunk.body}}),
    }
    values = {"ExpressionAttributeValues": {":n": {"N": str(known_count)}}} if known_count is not None else {}
    return {"Put": {"TableName": aws.setting("EVENTS_TABLE"), "Item": item, "ConditionExpression": condition, **values}}


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
    return Head(int(item["next"]["N"]), int(item["generation"]["N"]), int(item["received"]["N"])) if item else Head()


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
    )


def _put_body(collection: CollectionId, body: bytes) -> str:
    object_key = f"ev/{collection.organization_id}/{collection.id}/{objects.hour(clock.now())}/{ids.random_hex(24)}"
    objects.put(object_key, body)
    return object_key


def _delete(key: Item) -> None:
    aws.client("dynamodb").delete_item(TableName=aws.setting("EVENTS_TABLE"), Key=key)


def _head_key(collection: CollectionId) -> Item:
    return _key(collection.partition, "HEAD")


def _chunk_key(collection: CollectionId, chunk: Chunk) -> Item:
    return _key(collection.partition, f"C#{chunk.generation:06d}#{chunk.first:015d}")


def _left_key(collection: CollectionId, generation: int) -> Item:
    return _key(f"W#{collection.organization_id}#{collection.id}", f"{generation:06d}")


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
