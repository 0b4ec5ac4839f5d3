"""Moments, in every form in which senders write them, and the ids of events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.events.model import ANY, Filter, id_prefix, iso, moment

AT = 1_795_219_200_500


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        (AT, AT),
        (AT / 1000, AT),
        (AT + 0.75, AT),
        (str(AT), AT),
        (str(AT / 1000), AT),
        ("2026-11-21T00:00:00.500Z", AT),
        ("2026-11-21T01:00:00.5+01:00", AT),
        ("2026-11-21 00:00:00.500999", AT),
        ("2026-11-21", AT - 500),
        (0, 0),
        (99_999_999_999, 99_999_999_999_000),
        (100_000_000_000, 100_000_000_000),
        (-1.5, -1500),
    ],
)
def test_a_moment_is_a_number_its_text_or_an_iso_text(written: Any, ms: int) -> None:
    assert moment(written) == ms


@pytest.mark.parametrize(
    "written",
    ["", "now", "2026-13-01", "12:00", "1e999", "9" * 400, float("nan"), float("inf"), True, None, [], {}, "0001-01-01T00:00+23:59x"],
)
def test_anything_else_is_no_moment(written: Any) -> None:
    assert moment(written) is None


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_no_text_and_no_number_is_too_odd_to_be_asked(written: Any) -> None:
    assert moment(written) is None or isinstance(moment(written), int)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - hypothesis wants them naive
def test_what_iso_writes_moment_reads(at: datetime) -> None:
    ms = moment(at.replace(tzinfo=UTC).isoformat())
    assert ms is not None
    assert moment(iso(ms)) == ms
    assert iso(ms) == at.isoformat(timespec="milliseconds") + "Z"


def test_an_id_tells_its_second_its_request_and_its_place() -> None:
    """bucket-events.md §4.1: "`_id` 24 hex (Mongo)"."""
    assert id_prefix(1_700_000_000.9, "0123456789") == "6553f1000123456789"
    assert len(id_prefix(1_700_000_000.9, "0123456789") + f"{9_999:06x}") == 24


def test_a_filter_wants_what_is_equal_in_all_that_it_names() -> None:
    assert ANY.matches("a", "b", "c")
    assert Filter("a", server="c").matches("a", "b", "c")
    assert not Filter("a", "x").matches("a", "b", "c")
    assert not Filter("a", "b", "x").matches("a", "b", "c")
    assert not Filter("").matches("a", "b", "c")
