"""The plan of a search: every row once, nothing out of order, a handful of trips."""

from __future__ import annotations

import bisect
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapedeck import aws, clock
from tapedeck.errors import Invalid
from tapedeck.session_replays import store
from tapedeck.session_replays.search import planning
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period

START, END = 1_000.0, 2_000.0
Lists = dict[int, list[str]]


class Index:
    """What stands in for the table: lists of places, handed out in pages of `page` rows, counting trips."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, lists: Lists, page: int) -> None:
        self.lists = {project: sorted(places) for project, places in lists.items()}
        self.page = page
        self.queries = self.trips = 0
        monkeypatch.setattr(store, "list_page", self.list_page)
        monkeypatch.setattr(clock, "now", lambda: END)
        monkeypatch.setattr(aws, "together", self.together)

    def together(self, *calls: Any) -> list[Any]:
        self.trips += 1
        return [call() for call in calls]

    def list_page(
        self, _: int, project: int, first: int, last: int, *, newest_first: bool, most: int | None = None, after: str | None = None
    ) -> tuple[list[Document], str | None]:
        self.queries += 1
        places = self.lists[project]
        found = places[bisect.bisect_left(places, store.place_before(first)) : bisect.bisect_right(places, store.place_after(last))]
        if newest_first:
            found = found[::-1]
        if after is not None:
            assert store.place_before(first) <= after <= store.place_after(last), "DynamoDB refuses a start outside of the condition"
            found = [place for place in found if (place < after if newest_first else place > after)]
        size = min(self.page, most or self.page)
        rows = [Document(at.split("#")[1], project, {"started": (int(at.split("#")[0]) + 0.5) / 1000, "finished": END}) for at in found[:size]]
        return rows, store.place(rows[-1]) if len(rows) == size else None


def places(moments: Sequence[int]) -> list[str]:
    return [f"{at:014d}#{number:032x}" for number, at in enumerate(moments)]


def scanned(index: Index, *, newest_first: bool = True, most: int | None = None) -> list[planning.Trip[list[str]]]:
    period = Period(1, list(index.lists), START, END)
    return list(planning.scan(period, lambda replays: [store.place(replay) for replay in replays], newest_first=newest_first, most=most))


lists = st.dictionaries(
    st.integers(1, 3),
    st.lists(st.one_of(st.integers(990_000, 2_010_000), st.just(1_500_000), st.integers(1_499_990, 1_500_010)), max_size=60).map(places),
    max_size=3,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lists, st.integers(1, 20), st.booleans(), st.none() | st.integers(1, 5))
def test_every_row_of_the_period_is_read_once(
    monkeypatch: pytest.MonkeyPatch, lists: Lists, page: int, newest_first: bool, most: int | None
) -> None:
    with monkeypatch.context() as patch:
        index = Index(patch, lists, page)
        trips = scanned(index, newest_first=newest_first, most=most)
    expected = [place for some in lists.values() for place in some if START * 1000 <= store.moment(place) < END * 1000]
    assert sorted(place for trip in trips for result in trip.results for place in result) == sorted(expected)
    read: list[str] = []
    for trip in trips:
        read += [place for result in trip.results for place in result]
        if trip.known_to is not None:
            settled = [place for place in expected if (place >= trip.known_to if newest_first else place <= trip.known_to)]
            assert set(settled) <= set(read), "nothing comes later that belongs before the place up to which the order is known"
    assert not trips or trips[-1].known_to is None


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("pages", [1, 8, 40])
def test_an_even_list_takes_at_most_three_trips(monkeypatch: pytest.MonkeyPatch, newest_first: bool, pages: int) -> None:
    dice = random.Random(pages)
    moments = [dice.randrange(1_000_000, 2_000_000) for _ in range(100 * pages)]
    index = Index(monkeypatch, {1: places(moments)}, 100)
    scanned(index, newest_first=newest_first)
    assert index.trips <= 3
    assert index.queries <= 3 * pages + 1, "and not many more queries than pages"


def test_projects_of_very_different_sizes_take_at_most_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list gets as many pieces as it needs, not an equal share."""
    dice = random.Random(2)
    lists = {project: places([dice.randrange(1_000_000, 2_000_000) for _ in range(size)]) for project, size in enumerate((3000, 1000, 300, 20))}
    index = Index(monkeypatch, lists, 100)
    scanned(index)
    assert index.trips <= 3


def test_a_list_whose_rows_are_all_of_the_last_hour_takes_at_most_four(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(1)
    index = Index(monkeypatch, {1: places([dice.randrange(1_990_000, 2_000_000) for _ in range(4_000)])}, 100)
    scanned(index)
    assert index.trips <= 4


def test_rows_that_began_in_the_same_millisecond_are_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    index = Index(monkeypatch, {1: places([1_500_000] * 50)}, 10)
    assert sum(len(result) for trip in scanned(index) for result in trip.results) == 50


def test_more_rows_than_a_lambda_can_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """§1: 400 "Query limits exceeded. Try narrowing your request."."""
    monkeypatch.setattr(planning, "MOST_ROWS", 10)
    index = Index(monkeypatch, {1: places(range(1_000_000, 1_000_030))}, 10)
    with pytest.raises(Invalid, match="Query limits exceeded"):
        scanned(index)


@pytest.mark.parametrize("own", [None, 90, 30])
def test_a_period_keeps_what_is_neither_expired_nor_too_old(monkeypatch: pytest.MonkeyPatch, own: int | None) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "90")
    period, days = Period(1, [1, 2], 0, END, {} if own is None else {1: own}), own or 90
    for expires in (None, END + 400 * 86400.0, END + 10):
        row = {"finished": END, **({} if expires is None else {"expires": expires})}
        end = min(END + days * 86400 + 1, expires or END + 400 * 86400)
        assert period.keeps(Document("a", 1, row), end - 0.001)
        assert not period.keeps(Document("a", 1, row), end)
        assert period.keeps(Document("a", 2, row), min(END + 90 * 86400, (expires or 1e12) - 1)), "another project has its own days, or none"
