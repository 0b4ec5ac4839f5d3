"""Counting once is counting right: summaries against a walk over the events themselves."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tapedeck.errors import Invalid
from tapedeck.events import summaries
from tapedeck.events.model import ANY, Event, Filter, iso
from tapedeck.events.summaries import (
    MAX_POINTS,
    MINUTE,
    Interval,
    bounds,
    histogram,
    histogram_of_events,
    interval,
    keys_by_app,
    merge,
    summarise,
    total,
)

# --- Worlds small enough that things collide ----------------------------------------------------------------------------------------------

BASE = 1_709_164_800_000  # 2024-02-29T00:00:00Z, a Thursday
names = st.sampled_from(["a", "b", "é"])
times = st.one_of(
    st.integers(0, 3 * MINUTE),
    st.integers(0, 3 * 86_400_000),
    st.sampled_from([0, MINUTE - 1, MINUTE, 86_400_000 - 1, 86_400_000, 40 * 86_400_000]),
).map(lambda ms: BASE + ms)
events = st.builds(Event, id=st.just("0" * 24), name=names, app=names, server=names, at=times, data=st.just(msgspec.Raw(b"null")))
batches = st.lists(events, max_size=30)
wanteds = st.builds(Filter, st.none() | names, st.none() | names, st.none() | names)
intervals = st.sampled_from(
    ["second", "minute", "hour", "day", "week", "month", "1s", "90s", "5m", "7m", "120s", "2h", "1d", "7d", "999999d"]
)


def event(at: int, name: str = "a", app: str = "b", server: str = "c") -> Event:
    return Event(id="0" * 24, name=name, app=app, server=server, at=at, data=msgspec.Raw(b"null"))


def wanted_of(batch: list[Event], wanted: Filter, start: int | None = None, end: int | None = None) -> list[Event]:
    """The oracle's filter."""
    return [
        each
        for each in batch
        if (wanted.name is None or each.name == wanted.name)
        and (wanted.app is None or each.app == wanted.app)
        and (wanted.server is None or each.server == wanted.server)
        and (start is None or each.at >= start)
        and (end is None or each.at < end)
    ]


# --- The laws -----------------------------------------------------------------------------------------------------------------------------


@given(batches, batches, batches)
def test_the_summary_of_all_is_the_sum_of_the_summaries(a: list[Event], b: list[Event], c: list[Event]) -> None:
    whole = summarise(a + b + c)
    x, y, z = summarise(a), summarise(b), summarise(c)
    assert merge([x, y, z]) == merge([z, x, y]) == merge([merge([x, y]), z]) == merge([x, merge([y, z])]) == whole
    assert (x, y, z) == (summarise(a), summarise(b), summarise(c)), "merging changes nobody"


@given(batches)
def test_what_goes_in_comes_out(batch: list[Event]) -> None:
    summary = summarise(batch)
    assert summaries.decode(summaries.encode(summary)) == summary
    assert summaries.encode(summarise(batch[::-1])) == summaries.encode(summary), "equal summaries are equal bytes"


@pytest.mark.parametrize("data", [b"", b"\x02abc"])
def test_a_summary_of_another_version_is_not_guessed_at(data: bytes) -> None:
    with pytest.raises(ValueError, match="version"):
        summaries.decode(data)


def test_a_summary_is_small() -> None:
    rnd = random.Random(3)
    batch = [event(BASE + rnd.randrange(86_400_000), rnd.choice("abcdef"), rnd.choice(["api", "worker"]), "web-1") for _ in range(20_000)]
    summary = summarise(batch)
    assert len(summaries.encode(summary)) < 2 * sum(len(count.minutes) for count in summary.values())
    assert len(summaries.encode(summarise(batch[:1]))) < 100


@given(batches, wanteds)
def test_the_total_is_how_many_match(batch: list[Event], wanted: Filter) -> None:
    assert total(summarise(batch), wanted) == len(wanted_of(batch, wanted))


@given(batches, wanteds, st.none() | times, st.none() | times)
def test_bounds_hold_and_are_exact_when_no_minute_is_cut(batch: list[Event], wanted: Filter, start: int | None, end: int | None) -> None:
    summary = summarise(batch)
    least, most = bounds(summary, wanted, start, end)
    assert least <= len(wanted_of(batch, wanted, start, end)) <= most
    start, end = start and start // MINUTE * MINUTE, end and end // MINUTE * MINUTE
    least, most = bounds(summary, wanted, start, end)
    assert least == most == len(wanted_of(batch, wanted, start, end))


def test_bounds_know_when_the_first_and_the_last_were() -> None:
    summary = summarise([event(BASE + 10), event(BASE + 20)])
    assert bounds(summary, start=BASE + 10, end=BASE + 21) == (2, 2)
    assert bounds(summary, start=BASE + 21) == bounds(summary, end=BASE + 10) == (0, 0)
    assert bounds(summary, start=BASE + 11) == bounds(summary, end=BASE + 20) == (0, 2)


@given(st.lists(batches, max_size=3))
def test_keys_by_app_are_what_a_walk_over_all_finds(parts: list[list[Event]]) -> None:
    """Decision 19: "keys by app `[{app_name, events:[…], details:[{name,count,first,last}]}]`"."""
    batch = [each for part in parts for each in part]
    expected = []
    for app in sorted({each.app for each in batch}):
        details = []
        for name in sorted({each.name for each in batch if each.app == app}):
            ats = [each.at for each in batch if (each.app, each.name) == (app, name)]
            details.append({"name": name, "count": len(ats), "first": iso(min(ats)), "last": iso(max(ats))})
        expected.append({"app_name": app, "events": [each["name"] for each in details], "details": details})
    assert keys_by_app([summarise(part) for part in parts]) == expected


# --- Histograms ---------------------------------------------------------------------------------------------------------------------------


def starts(text: str, first: int, last: int) -> list[int]:
    """The oracle's buckets: every aligned start from the one at or before `first` to the one at or before `last`, by the calendar."""
    day = datetime.fromtimestamp(first // 1000, UTC).replace(hour=0, minute=0, second=0)
    if text == "month":
        at, found = day.replace(day=1), []
        while at.timestamp() * 1000 <= last:
            found.append(int(at.timestamp()) * 1000)
            at = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1)
        return found
    if text == "week":
        at, found = day - timedelta(days=day.weekday()), []
        while at.timestamp() * 1000 <= last:
            found.append(int(at.timestamp()) * 1000)
            at += timedelta(days=7)
        return found
    text = {"second": "1s", "minute": "1m", "hour": "1h", "day": "1d"}.get(text, text)
    width = int(text[:-1]) * {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}[text[-1]]
    return list(range(first // width * width, last + 1, width))


@given(st.lists(batches, max_size=3), wanteds, times, times, intervals)
def test_a_histogram_is_what_a_walk_over_all_counts(parts: list[list[Event]], wanted: Filter, start: int, end: int, text: str) -> None:
    """Decision 19: "`[[bucketStartMs, count], …]` ascending, UTC-aligned, zero-filled"; Σ = what retrieve returns for the same window."""
    by = interval(text)
    start, end = start // MINUTE * MINUTE, end // MINUTE * MINUTE
    batch = [each for part in parts for each in part]
    inside = wanted_of(batch, wanted, start, end)
    counted = [summarise(part) for part in parts]
    ats = [each.at for each in inside]
    buckets = starts(text, min(ats), max(ats)) if ats else []
    if len(buckets) > MAX_POINTS:
        with pytest.raises(Invalid):
            histogram_of_events(batch, wanted, start=start, end=end, by=by)
        return
    found = histogram_of_events(batch, wanted, start=start, end=end, by=by)
    assert [bucket for bucket, _ in found] == buckets
    assert found == [[a, sum(a <= at < b for at in ats)] for a, b in pairwise([*buckets, 10**15])]
    assert sum(n for _, n in found) == len(inside)
    if by.needs_events:
        with pytest.raises(ValueError, match="seconds"):
            histogram(counted, wanted, start=start, end=end, by=by)
        summaries.refuse_too_many(counted, wanted, start=start, end=end, by=by)
    else:
        assert histogram(counted, wanted, start=start, end=end, by=by) == found
    assert not found or (found[0][1] and found[-1][1])


def test_without_events_there_are_no_points() -> None:
    """bucket-events.md §4.4: "`[]` when none"."""
    assert histogram([], ANY, start=0, end=BASE, by=interval("minute")) == []
    assert histogram([summarise([event(BASE)])], Filter("z"), start=0, end=BASE * 2, by=interval("minute")) == []
    summaries.refuse_too_many([], ANY, start=0, end=BASE, by=interval("second"))


def test_the_gaps_are_filled_with_zeros() -> None:
    counted = [summarise([event(BASE + 5), event(BASE + 3 * MINUTE)]), summarise([event(BASE + 59_999)])]
    assert histogram(counted, ANY, start=BASE, end=BASE + 4 * MINUTE, by=interval("minute")) == [
        [BASE, 2],
        [BASE + MINUTE, 0],
        [BASE + 2 * MINUTE, 0],
        [BASE + 3 * MINUTE, 1],
    ]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    day = 86_400_000
    assert interval("week").floor(BASE) == BASE - 3 * day
    assert interval("month").floor(BASE) == BASE - 28 * day
    assert interval("month").following(BASE - 28 * day) == BASE + day
    assert interval("week").floor(0) == -3 * day


def test_every_month_has_its_point() -> None:
    """Whatever its length; through a leap February and a turn of the year."""
    month = interval("month")
    found = histogram([summarise([event(BASE - 86_400_000 * 60), event(BASE + 86_400_000 * 330)])], ANY, start=0, end=BASE * 2, by=month)
    assert [iso(bucket)[:10] for bucket, _ in found] == ["2023-12-01", *(f"2024-{n:02}-01" for n in range(1, 13)), "2025-01-01"]


def test_a_window_is_widened_to_whole_minutes() -> None:
    batch = [event(BASE), event(BASE + 2 * MINUTE - 1), event(BASE + 2 * MINUTE)]
    found = histogram([summarise(batch)], ANY, start=BASE + 59_999, end=BASE + MINUTE + 1, by=interval("minute"))
    assert found == [[BASE, 1], [BASE + MINUTE, 1]]


def test_twenty_thousand_points_are_given_and_one_more_is_not() -> None:
    """bucket-events.md §4.4: "cap on points (20 000) → 400"; with the number."""
    most = [summarise([event(BASE), event(BASE + (MAX_POINTS - 1) * MINUTE)])]
    more = [*most, summarise([event(BASE + MAX_POINTS * MINUTE)])]
    window = {"start": BASE, "end": BASE + 30 * 86_400_000}
    assert len(histogram(most, ANY, **window, by=interval("minute"))) == MAX_POINTS
    with pytest.raises(Invalid, match="20001 points, more than 20000"):
        histogram(more, ANY, **window, by=interval("minute"))
    assert len(histogram(more, ANY, **window, by=interval("2m"))) == MAX_POINTS // 2 + 1


@given(st.integers(0, 10**6), st.integers(0, 10**6) | st.integers(MAX_POINTS - 100, MAX_POINTS + 200))
@example(59, 59 + MAX_POINTS - 1)
@example(0, MAX_POINTS + 121)
def test_too_many_seconds_are_refused_before_anything_is_opened(a: int, b: int) -> None:
    batch = [event(BASE + a * 1000), event(BASE + b * 1000)]
    window = {"start": BASE, "end": BASE + 10**10}
    try:
        histogram_of_events(batch, ANY, **window, by=interval("second"))
    except Invalid:
        if abs(a - b) > MAX_POINTS + 120:
            with pytest.raises(Invalid, match="points"):
                summaries.refuse_too_many([summarise(batch)], ANY, **window, by=interval("second"))
    else:
        summaries.refuse_too_many([summarise(batch)], ANY, **window, by=interval("second"))


@pytest.mark.parametrize(
    ("text", "width", "needs_events"),
    [
        ("second", 1000, True),
        ("minute", 60_000, False),
        ("5m", 300_000, False),
        ("120s", 120_000, False),
        ("90s", 90_000, True),
        ("1d", 86_400_000, False),
    ],
)
def test_intervals_have_names_or_numbers(text: str, width: int, needs_events: bool) -> None:
    """bucket-events.md §4.4: "minute, hour, day, week, month (+ second) … accept `<n><s|m|h|d>` as extension"."""
    assert interval(text) == Interval(width)
    assert interval(text).needs_events == needs_events


@pytest.mark.parametrize(
    "text", ["", "year", "Minute", "minutes", "0m", "01m", "-1m", "1.5h", "1w", "1M", "m", "5 m", "5m ", "5m\n", "1234567s", "٣m", "1ms"]
)
def test_other_intervals_are_refused(text: str) -> None:
    """bucket-events.md §4.4: "else 400"."""
    with pytest.raises(Invalid, match="interval: must be one of second, minute"):
        interval(text)


def test_times_before_1970_are_aligned_as_well() -> None:
    found = histogram_of_events([event(-1)], ANY, start=-10, end=10, by=interval("minute"))
    assert found == [[-MINUTE, 1]]
