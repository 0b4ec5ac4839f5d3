"""Retention over blocks: whatever a row says of itself, its place in a block says as well, of what has been read for it and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.session_replays.blocks import evaluating, keeping, writing
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.language import And
from tapedeck.session_replays.search.planning import Period
from tests.session_replays.blocks.test_blocks_oracle import packed, sparse, thorough, together

NOW, DAY = 1_800_000_000, 86_400
moments = st.builds(lambda days, by: NOW - days * DAY + by, st.integers(-2, 8), st.sampled_from([-1, -0.5, 0, 0.5, 1]))
rows = st.builds(
    lambda project, ended, expires, archived: (
        project,
        {"seen": "1", "started": ended - 1, "finished": ended}
        | ({} if expires is None else {"expires": int(expires)})
        | ({"archived": True} if archived else {}),
    ),
    st.sampled_from([1, 2, 3]),
    moments,
    st.none() | moments,
    st.booleans(),
)


def documents(many: Sequence[tuple[int, Row]]) -> list[Document]:
    return [Document(f"{number:032x}", project, row) for number, (project, row) in enumerate(many)]


@thorough
@given(
    st.lists(rows, min_size=1, max_size=12),
    st.dictionaries(st.sampled_from([1, 2]), st.sampled_from([1, 3, 7])),
    st.integers(1, 3),
    st.sampled_from([0, 0.25, 0.999]),
)
def test_a_block_and_its_rows_say_the_same(many: list[tuple[int, Row]], days: dict[int, int], parts: int, by: float) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_DAYS", "3650")  # what the stack forgets is not this question's
        there, now = documents(many), NOW + by
        period = Period(1, [1, 2, 3], 0, 4e9, days)
        for block in (packed(there), together(there, parts)):
            _agrees(block, there, period, now)


def _agrees(block: Block, there: Sequence[Document], period: Period, now: float) -> None:
    question = evaluating.both(keeping.Kept.of(period, now), evaluating.question(And(())))
    found = question.rows(sparse(block, list(question.ranges(block.head))))
    expected = {one.replay_id for one in there if period.keeps(one, now)}
    assert {block.row_id(row).hex() for row in form.rows_of(found, block.rows)} == expected
    told = keeping.Kept.of(period, now).verdict(block.head)
    assert told is None or told == (len(expected) == len(there)) == bool(expected)
    assert keeping.is_over(block.head, now) <= (not any("expires" not in one.row or now < one.row["expires"] for one in there))
    unexpired = {block.row_id(row).hex() for row in form.rows_of(keeping.unexpired(block, now), block.rows)}
    assert unexpired == {one.replay_id for one in there if now < one.row.get("expires", 4e9)}


def test_a_block_of_a_time_when_rows_told_no_end_goes_by_age() -> None:
    there = documents([(1, {"seen": "1", "started": NOW - 5 * DAY, "finished": NOW - 5 * DAY}), (2, {"seen": "1", "started": NOW, "finished": NOW})])
    columns = writing.columns_of(there)
    del columns.numbers[writing.EXPIRES]
    data, _ = writing.write(columns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RETENTION_DAYS", "3650")
        _agrees(Block.of(data), there, Period(1, [1, 2], 0, 4e9, {1: 3}), NOW)
