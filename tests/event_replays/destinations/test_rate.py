"""The rate of a destination: exact, whoever asks, and however they are interleaved."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tapedeck.event_replays.destinations import rate, store
from tapedeck.event_replays.destinations.model import Destination
from tests.event_replays.destinations.asking import make
from tests.harness import KINDS, System
from tests.harness.cloud import Killed, Kind


def limited(system: System, limit: int | None) -> Destination:
    """A destination that takes so many a second."""
    return store.read(system.acme.id, make(system, max_per_second=limit)["id"])


def test_without_a_limit_nothing_is_asked(system: System) -> None:
    to = limited(system, None)
    with system.cloud.invoking(system.template.function_at("event_replays/run_replay")), system.cloud.watch() as calls:
        assert rate.take(to, 5000) == 5000
    assert calls == []


def test_a_second_has_so_many_and_the_next_as_many_again(system: System) -> None:
    to = limited(system, 10)
    assert [rate.take(to, wanted) for wanted in (4, 4, 4, 4, 0, -1)] == [4, 4, 2, 0, 0, 0]
    system.skip(1)
    assert [rate.take(to, 64), rate.take(to, 1)] == [10, 0]
    other = limited(system, 10)
    assert rate.take(other, 10) == 10, "each has its own"


def test_what_was_granted_is_forgotten_after_a_minute(system: System) -> None:
    rate.take(limited(system, 10), 1)
    [item] = [item for item in system.items("ControlTable") if item["pk"]["S"].startswith("RATE#")]
    assert int(item["ttl"]["N"]) == int(system.now) + 60
    assert item["pk"]["S"].split("#")[1] == str(system.acme.id)


def test_a_worker_in_between_takes_from_the_same_second(system: System) -> None:
    to = limited(system, 10)
    with system.cloud.invoking(system.template.function_at("event_replays/run_replay")):
        for at in range(2):
            granted: list[int] = []
            with system.cloud.between(at, lambda granted=granted: granted.append(rate.take(to, 7))):  # type: ignore[misc]
                granted.append(rate.take(to, 6))
            assert sum(granted) <= 10
            system.now += 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_never_grants_more(system: System, kind: Kind) -> None:
    to, granted = limited(system, 10), 0
    with system.cloud.invoking(system.template.function_at("event_replays/run_replay")):
        with suppress(Killed, Exception), system.cloud.fault(kind, 0):  # whatever it was, nothing was granted to anybody
            granted += rate.take(to, 6)
        while more := rate.take(to, 3):
            granted += more
    assert granted <= 10


def test_a_lowered_limit_holds_at_once(system: System) -> None:
    to = limited(system, 10)
    assert rate.take(to, 8) == 8
    assert rate.take(replace(to, max_per_second=5), 1) == 0
