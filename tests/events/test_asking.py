"""The bodies of retrieve and of the histogram: their defaults, which the client leaves to us, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.errors import Invalid
from tapedeck.events.asking import Distribution, Retrieval, distribution, retrieval
from tapedeck.events.model import Filter
from tapedeck.events.summaries import interval

NOW = 1_795_219_230.25
MINUTE, DAY = 60_000, 86_400_000
CEILING = 1_795_219_260_000


def ask(**said: Any) -> Retrieval:
    return retrieval(json.dumps({"event_name": "n", **said}).encode())


def count(**said: Any) -> Distribution:
    return distribution(json.dumps({"event_name": "n", **said}), now=NOW)


def test_defaults_are_the_servers_to_apply() -> None:
    """bucket-events.md §4.1: "Defaults are documentation only: the client does not send them, the server must apply them"."""
    assert ask() == Retrieval(Filter("n"), limit=100, offset=0, start=None, end=None)
    assert count() == Distribution(Filter("n"), start=CEILING - MINUTE - 2 * DAY, end=CEILING, by=interval("minute"))


def test_everything_may_be_said() -> None:
    assert ask(app_name="a", server_name="s", limit=1000, offset=7, start="2026-11-20", end=1_795_219_200_000) == Retrieval(
        Filter("n", "a", "s"), limit=1000, offset=7, start=1_795_132_800_000, end=1_795_219_200_000
    )
    assert count(app_name="a", server_name="s", days=90, interval="5m") == Distribution(
        Filter("n", "a", "s"), start=CEILING - MINUTE - 90 * DAY, end=CEILING, by=interval("5m")
    )


def test_null_and_empty_are_not_said() -> None:
    nothing: dict[str, Any] = {"app_name": "", "server_name": None, "limit": None, "offset": None, "start": "", "end": None}
    assert ask(**nothing) == ask()
    assert count(days=None, interval="") == count()


def test_numbers_may_be_texts() -> None:
    """bucket-events.md §4.1: "`limit:"7"` arrives as a string"."""
    assert ask(limit="7", offset="8", start="1795132800000") == ask(limit=7, offset=8.0, start=1_795_132_800)
    assert count(days="3") == count(days=3)


@pytest.mark.parametrize("limit", [0, -1, 1001, 1.5, "x", "", " 7", "7.5", "-7", "٧", True, [], {}, "9" * 5000, 1e300])
def test_a_limit_is_from_1_to_1000(limit: Any) -> None:
    with pytest.raises(Invalid, match="limit: must be a whole number from 1 to 1000"):
        ask(limit=limit)


@pytest.mark.parametrize("offset", [-1, 0.5, "x", False, 10**12 + 1])
def test_an_offset_is_not_negative(offset: Any) -> None:
    with pytest.raises(Invalid, match="offset: must be a whole number from 0"):
        ask(offset=offset)


@pytest.mark.parametrize("days", [0, -1, 91, 1.5, "two", True, []])
def test_days_are_from_1_to_90(days: Any) -> None:
    """bucket-events.md §4.4: "positive integer 1–90 …; 0, negative, text → 400"."""
    with pytest.raises(Invalid, match="days: must be a whole number from 1 to 90"):
        count(days=days)


@pytest.mark.parametrize("said", [{"interval": "year"}, {"interval": 5}, {"interval": "5"}])
def test_an_interval_is_one_of_ours(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="interval: must be"):
        count(**said)


@pytest.mark.parametrize("said", [{}, {"event_name": ""}, {"event_name": None}])
def test_the_event_name_is_required(said: dict[str, Any]) -> None:
    """bucket-events.md §4.4: "event_name missing/empty → 400 `{"msg":…}`"."""
    for asked in (retrieval, lambda body: distribution(body, now=NOW)):
        with pytest.raises(Invalid, match="event_name: is required"):
            asked(json.dumps(said))


@pytest.mark.parametrize("body", [None, b"", " "])
def test_no_body_has_no_event_name(body: bytes | str | None) -> None:
    with pytest.raises(Invalid, match="event_name: is required"):
        retrieval(body)


@pytest.mark.parametrize("said", [{"event_name": 5}, {"app_name": ["a"]}, {"server_name": {}}])
def test_names_are_texts(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=f"{next(iter(said))}: must be a text"):
        ask(**said)


@pytest.mark.parametrize("said", [{"start": "monday"}, {"end": True}, {"start": [1]}])
def test_start_and_end_are_dates(said: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match=f"{next(iter(said))}: must be an ISO 8601 date"):
        ask(**said)


@pytest.mark.parametrize("end", [5_000_000_000_000, 4_999_999_999_999])
def test_start_is_before_end(end: int) -> None:
    with pytest.raises(Invalid, match="start: must be before end"):
        ask(start=5_000_000_000_000, end=end)


@pytest.mark.parametrize("body", [b"[]", b"5", b'"n"', b"{", b"\xff", b'{"event_name":"\\ud800"}', b"[" * 5000, b'{"limit":NaN}'])
def test_a_body_is_a_json_object(body: bytes) -> None:
    with pytest.raises(Invalid):
        retrieval(body)


fields = st.sampled_from(["event_name", "app_name", "server_name", "limit", "offset", "start", "end", "days", "interval"])
anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2) | st.just("n")


@given(st.dictionaries(fields, anything))
def test_whatever_is_asked_is_understood_or_refused_in_words(said: dict[str, Any]) -> None:
    body = json.dumps({"event_name": "n", **said})
    with suppress(Invalid):
        asked = retrieval(body)
        assert 1 <= asked.limit <= 1000
        assert asked.offset >= 0
    with suppress(Invalid):
        assert distribution(body, now=NOW).start % MINUTE == 0
