"""The laws of the row: whatever the order, the repetition and the company, the same deltas make the same row."""

from __future__ import annotations

import random
from functools import reduce
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapedeck.errors import TooLarge
from tapedeck.session_replays import merging
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import Row, archive_delta, expiring, link_delta, merge, segment_delta, view_delta
from tapedeck.session_replays.recording import Click

# --- Worlds small enough that things collide ----------------------------------------------------------------------------------------------

times = st.sampled_from([1_700_000_000.25, 1_700_000_003.5, 1_700_000_010.0, 1_700_000_060.75])
ids = st.sampled_from([digit * 32 for digit in "0123456789abcdef"])
words = st.sampled_from(["", "a", "b", "c", "prod", "ünï"])


def lists(of: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=4)


events = st.builds(
    ReplayEvent,
    replay_id=st.just("f" * 32),
    segment_id=st.integers(0, 4) | st.just(65_535),
    timestamp=times,
    started=times,
    scalars=st.dictionaries(st.sampled_from(["user.id", "browser.name", "environment"]), words.filter(bool), max_size=3),
    urls=lists(words.filter(bool)),
    error_ids=lists(ids),
    trace_ids=lists(ids),
    release=st.none() | words,
    tags=st.dictionaries(words.filter(bool), words.filter(bool), max_size=4),
)
clicks = st.builds(
    lambda second, node, dead, rage, text: Click(second, node, dead or rage, rage, (text,) * 10),
    st.integers(1_700_000_000, 1_700_000_002),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
    words,
)
links = st.builds(
    EventLink, event_id=ids, replay_id=st.just("f" * 32), level=st.sampled_from(["error", "warning", "info"]), timestamp=times, title=words
)
deltas = st.one_of(
    st.builds(segment_delta, events, lists(clicks)),
    st.builds(link_delta, links),
    st.builds(view_delta, st.integers(1, 5)),
    st.builds(lambda event, at: expiring(segment_delta(event), at), events, st.integers(1_800_000_000, 1_800_000_003)),
)
any_delta = deltas | st.builds(archive_delta)
rows = st.lists(any_delta, min_size=1, max_size=6).map(lambda some: reduce(merge, some))


@pytest.fixture(autouse=True, params=["roomy", "cramped"], ids=str)
def caps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every law holds under the real caps, and under caps so small that every row meets them."""
    if request.param == "cramped":
        small = {
            **merging._JOINS,
            "scalars": merging._each(2, merging._earliest(2)),
            "urls": merging._smallest(3),
            "viewers": merging._smallest(2),
            "url_counts": merging._greatest(2),
            "error_ids": merging._earliest(2),
            "trace_ids": merging._earliest(3),
            "releases": merging._earliest(1),
            "tags": merging._each(2, merging._earliest(2)),
            "links": merging._earliest(2),
            "clicks": merging._earliest(2),
            "slow": merging._greatest(2),
        }
        monkeypatch.setattr(merging, "_JOINS", small)


# Rows are drawn inside each law, for `caps` to be in force when they are made: hypothesis draws while the test runs.
laws = settings(max_examples=150)


@laws
@given(rows, rows)
def test_merge_is_commutative(a: Row, b: Row) -> None:
    assert merge(a, b) == merge(b, a)


@laws
@given(rows, rows, rows)
def test_merge_is_associative(a: Row, b: Row, c: Row) -> None:
    assert merge(merge(a, b), c) == merge(a, merge(b, c))


@laws
@given(rows, rows)
def test_merge_is_idempotent(a: Row, b: Row) -> None:
    assert merge(a, a) == a
    assert merge(merge(a, b), b) == merge(a, b)


@laws
@given(st.lists(any_delta, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_order_and_any_repetition_makes_the_same_row(some: list[Row], chance: random.Random) -> None:
    again = some + chance.choices(some, k=4)
    chance.shuffle(again)
    assert reduce(merge, again, None) == reduce(merge, some, None)


@laws
@given(rows, rows)
def test_merge_changes_neither_of_its_arguments_and_survives_the_disk(a: Row, b: Row) -> None:
    before = merging.encode(a), merging.encode(b)
    merged = merge(a, b)
    assert (merging.encode(a), merging.encode(b)) == before
    assert merging.decode(merging.encode(merged)) == merged


@laws
@given(rows)
def test_whatever_comes_after_a_deletion_is_forgotten(row: Row) -> None:
    deleted = merge(row, archive_delta())
    assert merging.is_archived(deleted)
    assert set(deleted) <= {"seen", "started", "finished", "archived", "expires"}
    assert set(merge(deleted, row)) <= {"seen", "started", "finished", "archived", "expires"}


# --- Examples from the contract -----------------------------------------------------------------------------------------------------------


def event(segment_id: int, **changes: Any) -> ReplayEvent:
    plain = ReplayEvent("f" * 32, segment_id, 1_700_000_017.0, 1_700_000_000.0, {}, [], [], [], None, {})
    return plain._replace(**changes)


def test_a_replay_begins_with_its_earliest_start_and_ends_with_its_latest_moment() -> None:
    """§2.4: min(replay_start_timestamp) and max(timestamp over all rows); a view is none of them."""
    late = segment_delta(event(1, timestamp=1_700_000_030.0, started=1_700_000_002.0))
    row = reduce(
        merge, [late, segment_delta(event(0)), view_delta(7), link_delta(EventLink("a" * 32, "f" * 32, "error", 1_700_000_041.5, ""))]
    )
    assert (row["started"], row["finished"]) == (1_700_000_000.0, 1_700_000_041.5)


def test_a_click_after_the_segment_is_part_of_the_session() -> None:
    assert segment_delta(event(0), [Click(1_700_000_020, 3, False, False, ("",) * 10)])["finished"] == 1_700_000_020.0


def test_the_lowest_segment_that_knows_a_value_decides() -> None:
    """§8 case 15: segment 2 knows nothing, segment 1 does."""
    rows = [
        segment_delta(event(2)),
        segment_delta(event(1, scalars={"user.email": "first@x"})),
        segment_delta(event(3, scalars={"user.email": "later@x"})),
    ]
    row = reduce(merge, rows)
    assert merging.scalar(row, "user.email") == "first@x"
    assert merging.scalar(row, "user.name") is None


def test_every_value_that_a_segment_gave_is_kept() -> None:
    """§2.4: a condition holds when any segment's row meets it; whoever signs in half way is to be found, and erased, as well."""
    row = merge(segment_delta(event(1, scalars={"user.id": "ann"})), segment_delta(event(0, scalars={"user.id": "bob"})))
    assert row["scalars"] == {"user.id": {"ann": 1, "bob": 0}}


def test_a_click_and_its_slow_click_are_one_and_dead() -> None:
    """§6.4: same node and second; the second telling may come in the next segment, or be received before the first."""
    texts = ("button", *("",) * 9)
    first = segment_delta(event(0), [Click(1_700_000_005, 9, False, False, texts)])
    second = segment_delta(event(1), [Click(1_700_000_005, 9, True, False, texts)])
    for row in (merge(first, second), merge(second, first)):
        assert row["clicks"] == {"1700000005:9": [0, 0, list(texts)]}
        assert row["slow"] == {"1700000005:9": 1}


def test_one_link_per_event() -> None:
    """§6.2: one link per event id."""
    link = EventLink("a" * 32, "f" * 32, "error", 1_700_000_001.0, "Error: x")
    row = merge(link_delta(link), link_delta(link))
    assert row["links"] == {"a" * 32: [1_700_000_001.0, "error", "Error: x"]}


@pytest.mark.parametrize(
    ("deltas", "visible"),
    [
        ([], False),
        ([segment_delta(event(1))], False),
        ([segment_delta(event(1)), segment_delta(event(0))], True),
        ([view_delta(1)], False),
        ([archive_delta()], True),
    ],
)
def test_a_replay_is_visible_from_its_segment_0_on(deltas: list[Row], visible: bool) -> None:
    """§6.5."""
    assert merging.is_visible(reduce(merge, deltas, None)) is visible


def test_segments_are_counted_once() -> None:
    row = reduce(merge, [segment_delta(event(n)) for n in (0, 3, 3, 0, 65_535)])
    assert merging.count_segments(row) == 3
    assert [merging.has_segment(row, n) for n in (0, 1, 3, 65_535)] == [True, False, True, True]
    assert not merging.has_segment(None, 0)


def test_an_ordinary_row_weighs_well_under_a_kilobyte() -> None:
    scalars = {
        "user.id": "30246326",
        "user.email": "john.doe@example.com",
        "browser.name": "Chrome",
        "browser.version": "120.0.0",
        "os.name": "Windows",
    }
    row = reduce(
        merge, [segment_delta(event(n, scalars=scalars, urls=["https://example.com/a"], tags={"plan": "free"})) for n in range(12)]
    )
    assert len(merging.encode(row)) < 1000


def test_a_row_too_heavy_for_an_item_is_refused_and_not_cut() -> None:
    heavy: Row = {"urls": [[0, i, random.Random(i).randbytes(500).hex()] for i in range(1000)]}
    with pytest.raises(TooLarge):
        merging.encode(heavy)
