"""The sweeper of captures: it rings for those whose bell was lost, and for no other (trust.md F14)."""

from __future__ import annotations

from tapedeck.captures.store import HEED
from tests.captures.happening import lose, sweep
from tests.captures.test_create_capture import at, created, running, shown
from tests.captures.test_stop_capture import stop
from tests.harness import System


def rung(system: System) -> int:
    """How many the sweeper rang for."""
    answer: dict[str, int] = system.invoke("captures/sweep_captures")
    return answer["rung"]


def test_only_captures_that_have_something_due(system: System) -> None:
    running(system)
    assert rung(system) == 0, "one without an end runs until it is stopped"
    created(system, name="just made")
    assert rung(system) == 0, "its bell is on its way"
    system.drain()
    created(system, name="later on", scheduledStart=at(system, 7200))
    system.drain()
    system.skip(7200 + HEED - 1)
    assert rung(system) == 0
    system.skip(1)
    assert rung(system) == 1


def test_captures_start_and_stop_though_every_bell_is_lost(system: System) -> None:
    """F14: late by not more than a sweep, and with the window that was asked for."""
    made = created(system, scheduledStart=at(system, 600), duration=600)["id"]
    start, end = at(system, 600), at(system, 1200)
    lose(system)
    seen = []
    for _ in range(9):
        sweep(system)
        lose(system)
        seen.append(shown(system, made)["status"])
    assert seen == ["SCHEDULED"] * 2 + ["RUNNING"] * 2 + ["DONE"] * 5
    assert (shown(system, made)["start"], shown(system, made)["end"]) == (start, end)


def test_what_is_over_is_left_alone(system: System) -> None:
    made = running(system)
    stop(system, made)
    system.drain()
    sweep(system, 2)
    assert [rung(system) for _ in range(3)] == [0, 0, 0]
