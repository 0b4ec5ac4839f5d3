"""The table of a capture's life: what may follow what, and when somebody has to look (issue 5)."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest

from tapedeck.captures import model
from tapedeck.captures.model import GRACE, NEXT, PATIENCE, Capture, Status
from tapedeck.errors import Conflict, NotFound, Unsupported

STATUSES: tuple[Status, ...] = get_args(Status)
CAPTURE = Capture(1, 1, 1, "name", 1, "", "source", "becomes", "STARTED", begins=1000, created_at=1000, moved_at=1000)


def in_status(status: Status, **changes: object) -> Capture:
    return replace(CAPTURE, status=status, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("following", STATUSES)
def test_only_what_the_table_has_follows(status: Status, following: Status) -> None:
    if following in NEXT[status]:
        assert model.moved(in_status(status), following, 2000).status == following
    else:
        with pytest.raises(AssertionError):
            model.moved(in_status(status), following, 2000)


def test_the_way_is_as_the_contract_has_it() -> None:
    """§2.2: STARTED → STARTING → RUNNING → STOPPING → DONE; SCHEDULED → STARTING; FAILED from anywhere that is not over."""
    way: tuple[Status, ...] = ("STARTED", "STARTING", "RUNNING", "STOPPING", "DONE")
    assert all(following in NEXT[status] for status, following in pairwise(way))
    assert "STARTING" in NEXT["SCHEDULED"]
    assert {status for status in STATUSES if "FAILED" in NEXT[status]} == {"SCHEDULED", *way[:-1]}
    assert not NEXT["DELETED"]
    assert {status for status in STATUSES if "DELETED" in NEXT[status]} == set(STATUSES) - {"DELETED"}


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("SCHEDULED", Unsupported),
        ("STARTED", Conflict),
        ("STARTING", Conflict),
        ("STOPPING", Conflict),
        ("DONE", Conflict),
        ("FAILED", Conflict),
        ("DELETED", NotFound),
    ],
)
def test_only_what_runs_is_stopped(status: Status, refusal: type[Exception]) -> None:
    """Decision 15."""
    with pytest.raises(refusal):
        model.stopped(in_status(status), 2000)


@pytest.mark.parametrize(
    ("duration", "scheduled_start", "now", "ends"),
    [
        (None, None, 5_000, 5_000),
        (60, None, 5_000, 5_000),
        (60, None, 61_000, 61_000),
        (60, None, 61_001, 61_000),
        (60, None, 9_999_999, 61_000),
        (60, 31_000, 9_999_999, 91_000),
        (60, None, 500, 1_000),
    ],
)
def test_a_window_ends_when_it_is_stopped_or_when_it_was_to(duration: int | None, scheduled_start: int | None, now: int, ends: int) -> None:
    assert model.stopped(in_status("RUNNING", duration=duration, scheduled_start=scheduled_start), now).ends == ends


@pytest.mark.parametrize(
    ("capture", "at"),
    [
        (in_status("SCHEDULED", begins=9000), 1000),  # its bells are to be set
        (in_status("SCHEDULED", begins=9000, armed=True), 9000),
        (in_status("STARTED"), 1000),
        (in_status("STARTING"), 1000),
        (in_status("RUNNING"), None),
        (in_status("RUNNING", duration=60), 61_000),
        (in_status("STOPPING"), 1000),
        (in_status("DONE"), None),
        (in_status("DONE", metrics_at=7000), 7000),
        (in_status("FAILED", armed=True), 1000),
        (in_status("FAILED"), None),
        (in_status("DELETED", armed=True), 1000),
        (in_status("DELETED"), 1000 + GRACE),
    ],
)
def test_when_somebody_has_to_look(capture: Capture, at: int | None) -> None:
    assert model.turns_at(capture) == at


@pytest.mark.parametrize("status", STATUSES)
def test_what_is_hopeless_is_given_up(status: Status) -> None:
    troubled = in_status(status, troubled_at=1000, metrics_at=1000)
    assert not model.is_hopeless(troubled, 1000 + PATIENCE - 1)
    assert not model.is_hopeless(in_status(status), 1000 + PATIENCE)
    assert model.is_hopeless(troubled, 1000 + PATIENCE) == (status != "SCHEDULED")
    given_up = model.given_up(troubled, "x" * 200, 5000)
    if status in ("DONE", "FAILED", "DELETED"):
        assert (given_up.status, given_up.reason) == (status, None)
    else:
        assert (given_up.status, len(given_up.reason or ""), given_up.armed) == ("FAILED", 100, True)
