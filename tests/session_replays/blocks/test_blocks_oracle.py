"""One language, two executions: whatever a document is said to be, its row in a block is said to be as well, and in the same order.

Replays and queries are those of the contract's oracle (tests/session_replays/search/test_oracle.py), which holds the evaluator of documents
to the contract; here the evaluator of blocks is held to that of documents. Blocks are as they are packed, and as merging makes them of
others; pages and bitmaps are so small that there are several of everything.
"""

from __future__ import annotations

import io
import os
import random
from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapedeck import aws, objects
from tapedeck.session_replays.blocks import counting, fanning, gathering, manifest, writing
from tapedeck.session_replays.blocks import evaluating as cold
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.format import Range
from tapedeck.session_replays.blocks.reading import Block, joined
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import archive_delta, link_delta, merge, segment_delta, view_delta
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.search import evaluating, fields
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.language import Expression, parse
from tapedeck.session_replays.search.planning import Period
from tests.session_replays.search import test_oracle as oracle
from tests.session_replays.search.test_oracle import Query, Story, grown, many_stories, sorts

# ORACLE_EXAMPLES=5000 for a long night.
thorough = settings(
    max_examples=int(os.environ.get("ORACLE_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)
queries = grown(st.one_of(oracle.text_terms, oracle.other_terms, oracle.click_terms))


@pytest.fixture(params=[(32_768, 16, 4_096), (40, 0, 2)], ids=["as it is", "small pages, bitmaps of everything"])
def sizes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(("PAGE", "FEW", "REFERENCES"), request.param, strict=True):
        monkeypatch.setattr(form, name, value)


def packed(documents: Sequence[Document]) -> Block:
    data, head = writing.write(writing.columns_of(documents))
    block = Block.of(data)
    assert block.head == head
    return block


def together(documents: Sequence[Document], parts: int) -> Block:
    """The same rows, packed in parts that are merged."""
    packs = [packed(part) for number in range(parts) if (part := documents[number::parts])]
    (columns,) = writing.merged([(block, block.full) for block in packs])
    return Block.of(writing.write(columns)[0])


def sparse(block: Block, ranges: Sequence[Range]) -> Block:
    """The block, as somebody sees it who has read these ranges and no others."""
    whole = block.bytes_of(Range(0, block._spans[0][1].__len__()))
    return Block(block.head, [(each.offset, bytes(whole[each.offset : each.end])) for each in joined(ranges)])


def places(block: Block) -> dict[str, int]:
    return {block.row_id(row).hex(): row for row in range(block.rows)}


def found(block: Block, expression: Expression, viewer: int | None = oracle.VIEWER) -> list[str]:
    """The ids that a query finds in a block, of which only what the query says that it needs has been read."""
    question = cold.question(expression, viewer)
    rows = question.rows(sparse(block, list(question.ranges(block.head))))
    return [block.row_id(row).hex() for row in form.rows_of(rows, block.rows)]


def page(block: Block, expression: Expression, sort: str, count: int) -> list[tuple[Any, int, str]]:
    question, order, descending = cold.question(expression, oracle.VIEWER), fields.sort_of(sort), evaluating.is_descending(sort)
    ranges = [*question.ranges(block.head), *cold.sort_ranges(order, block.head), block.head.began]
    partly = sparse(block, ranges)
    best = cold.best(partly, question.rows(partly), order, count, descending=descending)
    return [(key, partly.began[row], block.row_id(row).hex()) for key, row in best]


def agrees(documents: Sequence[Document], block: Block, query: str, sort: str, count: int) -> None:
    expression = parse(query)
    matches, key = evaluating.matcher(expression, oracle.VIEWER), evaluating.sort_key(sort)
    expected = sorted((document for document in documents if matches(document)), key=key, reverse=evaluating.is_descending(sort))
    assert sorted(found(block, expression)) == sorted(document.replay_id for document in expected), query
    assert page(block, expression, sort, count) == [key(document) for document in expected[:count]], (query, sort)
    if expected:
        zone = cold.zone(fields.sort_of(sort), block.head)
        assert zone is None or zone[0] <= min(key(one)[0] for one in documents) <= max(key(one)[0] for one in documents) <= zone[1]
        edge, ends = key(expected[min(count, len(expected)) - 1])[0], evaluating.is_descending(sort)
        rows = places(block)
        for equal in (False, True):
            before = cold.beyond(block, fields.sort_of(sort), edge, descending=ends, equal=equal)
            for document, row in ((one, rows[one.replay_id]) for one in expected):
                value = key(document)[0]
                ahead = value > edge if ends else value < edge
                if ahead or (equal and value == edge):
                    assert before >> row & 1, (sort, value, edge)


@thorough
@given(many_stories.filter(bool), queries, sorts, st.integers(1, 6), st.integers(1, 3))
def test_blocks_and_documents_answer_alike(
    sizes: None, many: list[Story], query: Query, sort: str, count: int, parts: int
) -> None:
    documents = [story.document() for story in many]
    agrees(documents, packed(documents), query.text, sort, count)
    agrees(documents, together(documents, parts), query.text, sort, count)


@settings(thorough, max_examples=thorough.max_examples // 10)
@given(many_stories.filter(bool))
def test_every_term_by_itself(sizes: None, many: list[Story]) -> None:
    documents = [story.document() for story in many]
    block = packed(documents)
    rows = places(block)
    for query, matches in oracle.every_term_and_its_negation():
        bits = cold.question(parse(query.text), oracle.VIEWER).rows(block)
        assert {replay for replay, row in rows.items() if bits >> row & 1} == {one.replay_id for one in documents if matches(one)}, query


# --- Many blocks, and functions among which they are divided ---------------------------------------------------------------------------------


class Workers:
    """Lambda, in which a worker answers at once; and S3, as far as blocks are read."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked = 0

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        assert FunctionName == "workers"
        self.asked += 1
        return {"Payload": io.BytesIO(orjson.dumps(fanning.answer(orjson.loads(Payload))))}

    def get_range(self, key: str, first: int, length: int) -> bytes:
        return self.objects[key][first : first + length]

    def keep(self, documents: Sequence[Document]) -> manifest.Kept:
        data, head = writing.write(writing.columns_of(documents))
        kept = manifest.new(1, 0, head)
        self.objects[kept.object_key] = data
        return kept


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    """Every search of more than one block is divided; answers of a hundred bytes are too large."""
    found = Workers()
    for name, value in (("RETENTION_DAYS", "36500"), ("SEARCH_BLOCKS_FUNCTION", "workers")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(gathering, "most_rows", lambda: 1)
    monkeypatch.setattr(fanning, "MOST_ANSWER", 100)
    monkeypatch.setattr(objects, "get_range", found.get_range)
    monkeypatch.setattr(aws, "client", {"lambda": found}.__getitem__)
    return found


@thorough
@given(many_stories.filter(bool), queries, sorts, st.integers(0, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2))
def test_divided_searches_and_documents_answer_alike(
    workers: Workers, sizes: None, many: list[Story], query: Query, sort: str, offset: int, limit: int, parts: int, hot: int
) -> None:
    documents = [story.document() for story in many]
    blocks = [workers.keep(part) for number in range(parts) if (part := documents[number::parts])]
    listed = [one._replace(cold=(fields.began(one),)) for one in documents[:hot]]
    expression, descending, asked = parse(query.text), evaluating.is_descending(sort), workers.asked
    period = Period(1, sorted({one.project_id for one in documents}), 0, 4e9)
    wanted = gathering.Wanted(period, expression, oracle.VIEWER, listed)
    cold_ = gathering.Cold(wanted, blocks, fields.sort_of(sort), descending=descending)
    matches, key = evaluating.matcher(expression, oracle.VIEWER), evaluating.sort_key(sort)
    page = cold_.page(cold_.merged(filter(matches, listed), offset + limit + 1), offset, limit)
    expected = sorted(filter(matches, documents), key=key, reverse=descending)[offset : offset + limit]
    told = [(name.key, name.project_id) if name else (each.document.replay_id, each.document.project_id) for each, name in page if name or each.document]
    assert told == [(one.replay_id, one.project_id) for one in expected], (query.text, sort)
    assert workers.asked > asked or len(wanted.blocks(blocks)) < 2


@settings(thorough, max_examples=thorough.max_examples // 2)
@given(many_stories.filter(bool), queries, st.integers(1, 4))
def test_divided_sums_and_sums_of_blocks_are_alike(workers: Workers, sizes: None, many: list[Story], query: Query, parts: int) -> None:
    documents = [story.document() for story in many]
    blocks = [workers.keep(part) for number in range(parts) if (part := documents[number::parts])]
    wanted = gathering.Wanted(Period(1, sorted({one.project_id for one in documents}), 0, 4e9), parse(query.text), oracle.VIEWER)
    for name, arguments in (("keys", ()), ("elements", ()), *(("values", (key,)) for key in ("plan", "url", "user.ip", "release"))):
        reduction = counting.NAMED[name](*arguments)
        here = reduction.finish(gathering.reduced_here(wanted, wanted.blocks(blocks), reduction))
        assert reduction.joined(reduction.finish(gathering.reduced(wanted, blocks, reduction))) == reduction.joined(here), (name, arguments)
    reduction = counting.transactions(["/cart", "x"], 2)
    here = reduction.finish(gathering.reduced_here(wanted, wanted.blocks(blocks), reduction))
    assert reduction.finish(gathering.reduced(wanted, blocks, reduction)) == here


# --- Many rows ----------------------------------------------------------------------------------------------------------------------------

WORDS = ("Chrome", "chromium", "Straße", "STRASSE", "K\u212a", "x", "", "*", "a\nb", "\U0001f600", "user@example.com", "ſ", "line\x00")


def _replay(dice: random.Random, number: int) -> Document:
    started = 1_700_000_000 + dice.choice([number, number // 7, 5]) + dice.choice([0, 0.001, 0.5])
    deltas = []
    for segment in range(dice.choice([1, 1, 2, 3])):
        scalars = {name: dice.choice(WORDS) for name in oracle.SCALARS if dice.random() < 0.3}
        event = ReplayEvent(
            f"{number:032x}",
            segment,
            started + dice.choice([-3, 0, 1, 60, 3600]),
            started,
            {name: text for name, text in scalars.items() if text},
            [dice.choice(WORDS) for _ in range(dice.randrange(3))],
            [f"{dice.randrange(40):032x}" for _ in range(dice.randrange(2))],
            [f"{dice.getrandbits(128):032x}"],
            dice.choice([None, "1.0", "2.0"]),
            {key: dice.choice(WORDS) for key in ("a", "b", "transaction") if dice.random() < 0.5},
        )
        clicks = [
            Click(int(started) + node, node, anger > 0, anger > 1, tuple(dice.choice(("", "button", "c1 c2", "ü")) for _ in TEXTS))
            for node in range(dice.randrange(3))
            for anger in [dice.randrange(3)]
        ]
        deltas.append(segment_delta(event, clicks))
    for _ in range(dice.randrange(3)):
        deltas.append(link_delta(EventLink(f"{dice.getrandbits(128):032x}", "", dice.choice(oracle.LEVELS), started, "")))
    deltas += [view_delta(dice.randrange(4))] * (dice.random() < 0.3) + [archive_delta()] * (dice.random() < 0.1)
    return Document(f"{number:032x}"[::-1], dice.randrange(3), reduce(merge, deltas))


def _queries(dice: random.Random) -> Iterator[str]:
    yield from ("", "has:user.email", "!has:a", "is_archived:true", "!is_archived:1", "viewed_by_me:true", "viewed_by_me:false")
    for _ in range(15):
        word = dice.choice(WORDS).replace("*", "\\*").replace('"', "")
        key = dice.choice(["browser.name", "a", "b", "url", "user.email", "tags[user.id]", "click.id", "click.class", "release", "nothing"])
        yield f'{dice.choice(["", "!"])}{key}:"{word}"'
        yield f'{key}:"*{word[: dice.randrange(4)]}*{word[-1:]}"'
        yield f'{key}:["{word}", "x", ""]'
        yield f"{dice.choice(oracle.COUNTS)}:{dice.choice(oracle.OPERATORS)}{dice.randrange(4)}"
        yield f"duration:{dice.choice(oracle.OPERATORS)}{dice.choice([0, 1, 60, 3600, 3597])}s"
        yield f"error_id:{dice.randrange(40):032x}"


@pytest.mark.parametrize("seed", range(2))
def test_many_rows_answer_alike(sizes: None, seed: int) -> None:
    dice = random.Random(seed)
    documents = [_replay(dice, number) for number in range(150)]
    blocks = [packed(documents), together(documents, 3)]
    asked = list(_queries(dice))
    mixed = [f"({one}) {dice.choice(['AND', 'OR'])} !({dice.choice(asked[1:5])})" for one in asked[7:40]]
    for query in asked + mixed:
        sort = dice.choice(["", "-"]) + dice.choice(oracle.SORTS)
        agrees(documents, blocks[dice.randrange(2)], query, sort, dice.choice([1, 5, 50, 400]))


def test_a_block_says_the_same_however_it_was_made() -> None:
    """Merging is exact: what is merged and what is packed at once are the same bytes."""
    dice = random.Random(3)
    documents = [_replay(dice, number) for number in range(200)]
    whole, merged = packed(documents), together(documents, 4)
    assert dict(whole.dictionary()) == dict(merged.dictionary())
    assert whole.head.numbers == merged.head.numbers
    assert sorted(whole.shown()) == sorted(merged.shown())


def test_rows_that_are_not_wanted_leave_nothing_behind() -> None:
    dice = random.Random(4)
    documents = [_replay(dice, number) for number in range(50)]
    marked = documents[7]._replace(row=merge(documents[7].row, {"scalars": {"user.email": {"marker@example.com": 0}}, "archived": False}))
    block = packed([*documents[:7], marked, *documents[8:]])
    (row,) = form.rows_of(block.having("user.email", b"marker@example.com"), block.rows)
    (columns,) = writing.merged([(block, block.full & ~(1 << row))])
    data, _ = writing.write(columns)
    left = Block.of(data)
    assert left.rows == 49
    assert not any(b"marker" in key for key, _ in left.dictionary())
    assert bytes.fromhex(marked.replay_id) not in data


@pytest.mark.parametrize("data", [b"", b"TDBK", b"TDBK\x02\0\0\0" + bytes(20) + b"TDBK", b"TDBK\x01\0\0\0" + bytes(20) + b"TDBK"])
def test_what_is_no_block_is_refused(data: bytes) -> None:
    with pytest.raises(form.NoBlock):
        Block.of(data)


def test_codes_and_planes() -> None:
    dice = random.Random(5)
    for count in (1, 7, 64, 1000):
        codes = array("Q", [dice.getrandbits(37) for _ in range(count)])
        assert form.codes_of(form.slices(codes, 37), count) == codes
        bits = dice.getrandbits(count) | 1 << count - 1
        assert form.bitmap(form.rows_of(bits, count), count) == bits
