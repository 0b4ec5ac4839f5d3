"""Fan-out: a search of more rows than one function should look at is divided among several.

The blocks of the search are cut, in the order in which they are visited, into shares of about as many rows. Each share goes, side by side
with the others, to an invocation of one further function, which evaluates the same question over it and answers what it has found: its best
candidates, or its sum. These are merged as what single blocks find is merged, so the answer is the same as if nothing had been divided.

A question and an answer of Lambda's may have 6 MB. Where one would be larger, its share is halved, as often as it takes, and a single block
for which that is not enough is looked at by the caller. A worker that fails is asked once more; if it fails again the search does (503).
"""

from __future__ import annotations

import base64
import heapq
import zlib
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate, chain
from typing import Any

import msgspec
import orjson
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import aws, errors
from tapedeck.session_replays.blocks import counting, gathering, manifest
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.counting import Reduction
from tapedeck.session_replays.blocks.gathering import Candidate, Wanted
from tapedeck.session_replays.blocks.manifest import Kept, Overtaken
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.fields import Sort
from tapedeck.session_replays.search.language import And, Expression, Not, Or, Term
from tapedeck.session_replays.search.planning import Period

MOST_WORKERS = 32
MOST_QUESTION = MOST_ANSWER = 4_000_000  # bytes, of which Base64 makes 5.4 million
_ATTEMPTS = 2
_BEST = "best"


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """What a worker is asked: a search's `Wanted`, what is to be made of its rows (name and arguments), and rows of the manifest."""

    period: Period
    expression: Any
    viewer_id: int | None
    masked: list[tuple[str, int, tuple[int, ...]]]
    task: tuple[str, list[Any]]
    blocks: list[manifest.Item]


class Found(msgspec.Struct, array_like=True, frozen=True):
    """A worker's best, in their order, column by column. `at` counts its blocks; all but texts are 64-bit numbers, transposed."""

    texts: list[str] | None
    keys: bytes
    began: bytes
    at: bytes
    rows: bytes
    projects: bytes


_asked = msgspec.msgpack.Decoder(Asked)


# --- The caller ---------------------------------------------------------------------------------------------------------------------------


def best(wanted: Wanted, blocks: Sequence[Kept], sort: Sort, count: int, *, descending: bool) -> list[Candidate]:
    """What `gathering.best` says of these blocks, in one round trip; workers read them."""
    told = _spread(wanted, blocks, (_BEST, [sort.name, count, descending]), Found)
    found: list[Candidate] = []
    for each in heapq.merge(*(_candidates(*share) for share in told), key=gathering.place, reverse=descending):
        if len(found) >= count and gathering.place(each) != gathering.place(found[count - 1]):
            break
        found.append(each)
    return found


def reduced(wanted: Wanted, blocks: Sequence[Kept], reduction: Reduction[Any]) -> list[Any]:
    """What `gathering.reduced` says of these blocks, in one round trip, share by share; workers read them."""
    told = _spread(wanted, blocks, (reduction.name, list(reduction.arguments)), list[reduction.told])  # type: ignore[name-defined]
    return list(chain.from_iterable(each for _, each in told))


def _spread(wanted: Wanted, blocks: Sequence[Kept], task: tuple[str, list[Any]], kind: Any) -> list[tuple[int, Any]]:
    """What workers say, of the type `kind`: of each share the number of its first block, and the answer."""
    shares, found = _shares(blocks), list[tuple[int, Any]]()
    while shares:
        asked = [_packed(wanted, blocks[first:end], task) for first, end in shares]
        halves: list[tuple[int, int]] = []
        for (first, end), question, told in zip(shares, asked, aws.together(*(partial(_ask, each) for each in asked)), strict=True):
            if told is None and end > first + 1:
                middle = (first + end) // 2
                halves += [(first, middle), (middle, end)]
            else:
                found.append((first, msgspec.msgpack.decode(_answered(question) if told is None else told, type=kind)))
        shares = halves
    return sorted(found, key=lambda each: each[0])


def _shares(blocks: Sequence[Kept]) -> list[tuple[int, int]]:
    """The first block and the end of each share: as many rows in each, as far as blocks can be divided."""
    rows = list(accumulate((block.head.rows for block in blocks), initial=0))
    workers = min(MOST_WORKERS, -(-rows[-1] // gathering.most_rows()))
    share_of = [before * workers // rows[-1] for before in rows[:-1]]
    firsts = [at for at, share in enumerate(share_of) if not at or share != share_of[at - 1]]
    return list(zip(firsts, [*firsts[1:], len(blocks)], strict=True))


def _ask(asked: bytes) -> bytes | None:
    """A worker's answer; None when it, or the question, would be too large. Unavailable when it fails twice."""
    if len(asked) > MOST_QUESTION:
        return None
    payload = orjson.dumps({"asked": base64.b64encode(asked).decode()})
    for _ in range(_ATTEMPTS):
        try:
            said = aws.client("lambda").invoke(FunctionName=aws.setting("SEARCH_BLOCKS_FUNCTION"), Payload=payload)
            told = orjson.loads(said["Payload"].read())
        except (BotoCoreError, ClientError, orjson.JSONDecodeError):
            continue
        if "FunctionError" not in said:
            if told.get("gone"):
                raise Overtaken
            if told.get("too_large"):
                return None
            return zlib.decompress(base64.b64decode(told["answer"]))
    raise errors.Unavailable("A part of the replays could not be searched.")


def _packed(wanted: Wanted, blocks: Sequence[Kept], task: tuple[str, list[Any]]) -> bytes:
    first, last = min(block.head.first for block in blocks), max(block.head.last for block in blocks)
    theirs = [each for each in wanted.masked if any(first <= moment <= last for moment in each.cold)]
    masked = [(each.replay_id, each.project_id, each.cold) for each in theirs]
    items = [manifest.item(block) for block in blocks]
    return form.pack(Asked(wanted.period, _told(wanted.expression), wanted.viewer_id, masked, task, items))


def _candidates(first: int, found: Found) -> Iterator[Candidate]:
    """What a worker has found, its blocks counted from `first` on. One after another: there may be many that nobody gets to."""
    keys: Sequence[Any] = _numbers(found.keys) if found.texts is None else found.texts
    columns = (_numbers(column) for column in (found.began, found.at, found.rows, found.projects))
    for key, began, at, row, project_id in zip(keys, *columns, strict=True):
        yield Candidate(key, began, first + at, row, project_id)


# --- The worker ---------------------------------------------------------------------------------------------------------------------------


def answer(event: Mapping[str, str]) -> dict[str, Any]:
    """What a worker answers. Changes nothing: safe to ask again."""
    try:
        packed = zlib.compress(_answered(base64.b64decode(event["asked"])), 1)
    except Overtaken:
        return {"gone": True}
    return {"too_large": True} if len(packed) > MOST_ANSWER else {"answer": base64.b64encode(packed).decode()}


def _answered(packed: bytes) -> bytes:
    asked = _asked.decode(packed)
    blocks = [manifest.kept(asked.period.organization_id, item) for item in asked.blocks]
    masked = [Document(replay_id, project_id, {}, cold) for replay_id, project_id, cold in asked.masked]
    wanted = Wanted(asked.period, _expression(asked.expression), asked.viewer_id, masked)
    name, arguments = asked.task
    if name == _BEST:
        return form.pack(_found(wanted, blocks, *arguments))
    reduction = counting.NAMED[name](*arguments)
    results = gathering.reduced_here(wanted, blocks, reduction)
    return form.pack([reduction.joined(results)] if results else [])


def _found(wanted: Wanted, kept: Sequence[Kept], name: str, count: int, descending: bool) -> Found:
    sort = fields.sort_of(name)
    blocks = gathering.opened(wanted, kept, sort)
    found = gathering.best(wanted, kept, blocks, sort, count, descending=descending)
    keys = [each.key for each in found]
    return Found(
        keys if sort.kept == "texts" else None,
        _transposed(() if sort.kept == "texts" else keys),
        _transposed(each.began for each in found),
        _transposed(each.at for each in found),
        _transposed(each.row for each in found),
        _transposed(gathering.projects_of(blocks[each.at], [each.row])[0] for each in found),
    )


# --- On the wire --------------------------------------------------------------------------------------------------------------------------


def _transposed(numbers: Iterable[int]) -> bytes:
    return form.transposed(array("q", numbers).tobytes(), 8)


def _numbers(column: bytes) -> array[int]:
    numbers: array[int] = array("q")
    numbers.frombytes(form.interleaved(column, 8))
    return numbers


def _told(expression: Expression) -> list[Any]:
    """A tree as lists: of a term its parts, of all else what it is and its terms."""
    match expression:
        case Term():
            return ["", expression.key, expression.values, expression.operator, expression.is_tag]
        case Not(inner):
            return ["!", _told(inner)]
        case And(terms):
            return ["&", *map(_told, terms)]
        case Or(terms):
            return ["|", *map(_told, terms)]


def _expression(told: Sequence[Any]) -> Expression:
    kind, *rest = told
    if kind == "":
        key, values, operator, is_tag = rest
        return Term(key, tuple(values), operator, is_tag)
    if kind == "!":
        return Not(_expression(rest[0]))
    return (And if kind == "&" else Or)(tuple(map(_expression, rest)))
