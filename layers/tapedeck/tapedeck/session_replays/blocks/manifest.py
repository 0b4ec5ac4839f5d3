"""Which blocks there are: a row each in the `replays` table, changed in transactions, so that a replay's copy is in one block or in none.

replays  BLOCKS#{org}  B#{block}   a block: its object, its head (`h`), the rows of it that are no more (`dead`), whether its replays have
                                   yet to leave the hot tier (`fresh`), since when it is there; `v` counts its versions
                       P#{name}    what a pack is about to put into the lake: goes with its commit. One that stays is of a compactor that
                                   died, and its objects go (`under_way`)
                       E           `n` goes up with every change, and when an erasure begins to look: what was begun before is not
                                   committed after it

All of an organization's blocks are one partition, a Query of some kilobytes a block. Objects are `blocks/{org}/{turn}/{block}`, where a
turn is the `n` at which somebody began: under an older turn, what is in no row never will be.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tapedeck import aws, clock, errors, ids
from tapedeck.session_replays import store
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.format import Head

Item = dict[str, Any]
YOUNG = 30  # seconds: half of what compacting.GRACE leaves a replay in the hot tier, as a search may take the other half


class Overtaken(errors.Unavailable):
    """A block has gone since the manifest was read: others are in its place."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A block: `dead` is the bitmap of rows that are no more; a `fresh` one's replays are in the hot tier as well, and objects of the
    lake, of which `older` are the keys, have yet to lose older lines of theirs."""

    organization_id: int
    id: str
    object_key: str
    head: Head
    dead: int = 0
    fresh: bool = False
    since: float = field(default_factory=clock.now)
    number: int = 1
    older: tuple[str, ...] = ()
    packed: bytes | None = None  # its head, as it lies in the manifest

    @property
    def living(self) -> int:
        """The rows that count."""
        return (1 << self.head.rows) - 1 & ~self.dead


def new(organization_id: int, turn: int, head: Head, *, name: str | None = None, fresh: bool = False, older: tuple[str, ...] = ()) -> Kept:
    """A block that is not there yet; `turn` is what `turn_of` said before anything of it was read."""
    block = name or fresh_name()
    return Kept(organization_id, block, f"blocks/{organization_id}/{turn}/{block}", head, fresh=fresh, older=older)


def fresh_name() -> str:
    """A name for a block: no two have the same."""
    return ids.random_hex(16)


def read(organization_id: int, *, consistent: bool = False) -> list[Kept]:
    """All blocks of an organization, in no order."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :block)",
        ExpressionAttributeValues={":pk": {"S": f"BLOCKS#{organization_id}"}, ":block": {"S": "B#"}},
        ConsistentRead=consistent,
    )
    return [kept(organization_id, item) for item in found]


def shown(organization_id: int, began: float) -> list[Kept]:
    """The blocks that a search looks into which began to read the hot tier at this moment.

    All replays of a block that is younger than YOUNG are in the hot tier, whose rows may have been read before they told of it.
    """
    return [block for block in read(organization_id) if not block.fresh or block.since < began - YOUNG]


def turn_of(organization_id: int) -> int:
    """Whose turn it is: a number that goes up with every change of the manifest."""
    key = _key(organization_id, "E")
    answer = aws.client("dynamodb").get_item(TableName=aws.setting("REPLAYS_TABLE"), Key=key, ConsistentRead=True)
    return int(answer["Item"]["n"]["N"]) if "Item" in answer else 0


def look(organization_id: int) -> int:
    """An erasure begins to look: what was begun before is not committed from here on. Answers what `turn_of` says now."""
    answer = aws.client("dynamodb").update_item(
        TableName=aws.setting("REPLAYS_TABLE"),
        Key=_key(organization_id, "E"),
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["n"]["N"])


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A pack that has not been committed: what it was about to put into the lake, and when it said so (seconds)."""

    name: str
    object_keys: tuple[str, ...]
    since: float


def announce(organization_id: int, name: str, object_keys: Sequence[str]) -> None:
    """Say what a pack is about to put into the lake. Safe to repeat."""
    item = {**_key(organization_id, f"P#{name}"), "since": {"N": repr(clock.now())}, "objects": {"B": _packed(object_keys)}}
    aws.client("dynamodb").put_item(TableName=aws.setting("REPLAYS_TABLE"), Item=item)


def under_way(organization_id: int) -> list[UnderWay]:
    """The packs that were announced, and neither committed nor retracted."""
    found = aws.query(
        "REPLAYS_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :pack)",
        ExpressionAttributeValues={":pk": {"S": f"BLOCKS#{organization_id}"}, ":pack": {"S": "P#"}},
        ConsistentRead=True,
    )
    return [UnderWay(item["sk"]["S"].removeprefix("P#"), _unpacked(item["objects"]["B"]), float(item["since"]["N"])) for item in found]


def retract(organization_id: int, name: str) -> None:
    """Nothing is there any more of what a pack had announced. Safe to repeat."""
    aws.client("dynamodb").delete_item(TableName=aws.setting("REPLAYS_TABLE"), Key=_key(organization_id, f"P#{name}"))


def commit(
    organization_id: int,
    turn: int,
    *,
    new: Sequence[Kept] = (),
    gone: Sequence[Kept] = (),
    changed: Sequence[Kept] = (),
    announced: str | None = None,
) -> bool:
    """Put blocks, take others away and change others, all at once; False when it is no longer our turn, or one of them is not as it was.

    `announced` is the name of a pack whose objects stay in the lake from here on.

    What was refused is looked for before it is given up: an answer may have been lost.
    """
    table = {"TableName": aws.setting("REPLAYS_TABLE")}
    unseen, seen = {"ConditionExpression": "attribute_not_exists(pk)"}, {"ConditionExpression": "attribute_exists(pk)"}
    next_turn = {
        **table,
        "Key": _key(organization_id, "E"),
        "UpdateExpression": "SET n = :next",
        "ConditionExpression": "n = :turn" if turn else "attribute_not_exists(pk)",
        "ExpressionAttributeValues": {":next": {"N": str(turn + 1)}, **({":turn": {"N": str(turn)}} if turn else {})},
    }
    done = store.transact(
        [
            {"Update": next_turn},
            *({"Put": {**table, "Item": item(each), **unseen}} for each in new),
            *({"Put": {**table, "Item": item(replace(each, number=each.number + 1)), **_still(each)}} for each in changed),
            *({"Delete": {**table, "Key": _key(organization_id, f"B#{each.id}"), **_still(each)}} for each in gone),
            *([{"Delete": {**table, "Key": _key(organization_id, f"P#{announced}"), **seen}}] if announced else ()),
        ]
    )
    return done or (bool(new) and {each.id for each in new} <= {each.id for each in read(organization_id, consistent=True)})


def _still(block: Kept) -> Item:
    return {"ConditionExpression": "v = :known", "ExpressionAttributeValues": {":known": {"N": str(block.number)}}}


def item(block: Kept) -> Item:
    """A block's row."""
    told: Item = {
        **_key(block.organization_id, f"B#{block.id}"),
        "v": {"N": str(block.number)},
        "h": {"B": block.packed or form.pack_head(block.head)},
        "object": {"S": block.object_key},
        "since": {"N": repr(block.since)},
    }
    if block.dead:
        told["dead"] = {"B": zlib.compress(array("H", form.rows_of(block.dead, block.head.rows)).tobytes())}
    if block.fresh:
        told["fresh"] = {"BOOL": True}
    if block.older:
        told["older"] = {"B": _packed(block.older)}
    return told


def kept(organization_id: int, item: Item) -> Kept:
    """The block that a row tells of."""
    packed = bytes(item["h"]["B"])
    head = form.unpack_head(packed)
    dead: array[int] = array("H")
    if "dead" in item:
        dead.frombytes(zlib.decompress(item["dead"]["B"]))
    return Kept(
        organization_id,
        item["sk"]["S"].removeprefix("B#"),
        item["object"]["S"],
        head,
        form.bitmap(dead, head.rows) if dead else 0,
        "fresh" in item,
        float(item["since"]["N"]),
        int(item["v"]["N"]),
        _unpacked(item["older"]["B"]) if "older" in item else (),
        packed,
    )


def _packed(object_keys: Sequence[str]) -> bytes:
    return zlib.compress(",".join(object_keys).encode())


def _unpacked(object_keys: bytes) -> tuple[str, ...]:
    return tuple(zlib.decompress(object_keys).decode().split(","))


def _key(organization_id: int, sk: str) -> Item:
    return {"pk": {"S": f"BLOCKS#{organization_id}"}, "sk": {"S": sk}}
