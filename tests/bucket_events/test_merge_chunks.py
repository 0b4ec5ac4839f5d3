"""The compactor: what is asked of a bucket is answered the same before, while and after its chunks are merged."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest

from tests.harness import KINDS, Killed, System
from tests.harness.agent import events, histogram, keys, noise, put, record
from tests.harness.cloud import Kind


def seen(system: System) -> Any:
    """Everything that readers are told."""
    return (
        [events(system, system.acme, name, limit=1000) for name in ("paid", "left")],
        [histogram(system, system.acme, name, interval="second").json() for name in ("paid", "left")],
        keys(system, system.acme),
    )


_numbers = itertools.count()


def fill(system: System, count: int) -> None:
    for n in itertools.islice(_numbers, count):
        put(system, system.acme, record("paid", n=n, at=system.now - n % 100), record("left", app="api", n=n))


def rows(system: System) -> list[dict[str, Any]]:
    return [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#")]


def test_small_chunks_become_few_and_nobody_notices(system: System) -> None:
    fill(system, 40)
    before = seen(system)
    assert len(rows(system)) == 40
    assert system.invoke("bucket_events/merge_chunks")["merged"] > 0
    assert len(rows(system)) <= 7 * 3
    assert seen(system) == before
    assert system.invoke("bucket_events/merge_chunks") == {"merged": 0}
    fill(system, 9)
    assert len(seen(system)[0][0]) == 49


def test_the_schedule_merges_what_came_in(system: System) -> None:
    fill(system, 10)
    system.advance(61)
    assert len(rows(system)) < 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_compactor_that_dies_anywhere_loses_nothing(system: System, kind: Kind) -> None:
    fill(system, 8)
    before = seen(system)
    k = 0
    while True:
        with system.cloud.fault(kind, k) as fault, suppress(Killed, Exception):
            system.invoke("bucket_events/merge_chunks")
        assert seen(system) == before, k
        if not fault.happened:
            break
        k += 1
        fill_to = 8 + k
        put(system, system.acme, record("paid", n=100 + fill_to))
        before = seen(system)
    system.advance(60 * 60)
    assert seen(system) == before
    referenced = {item["object_key"]["S"] for item in rows(system) if "object_key" in item}
    assert set(system.objects(prefix="ev/")) == referenced


def test_a_reader_that_is_overtaken_reads_again(system: System) -> None:
    """The compactor runs completely just before the k-th call of each reader, for every k."""
    for ask in (
        lambda: events(system, system.acme, "paid", limit=1000),
        lambda: histogram(system, system.acme, "paid", interval="second").json(),
        lambda: keys(system, system.acme),
    ):
        for k in range(0, 12, 2):
            for n in range(9):
                put(system, system.acme, record("paid", n=n, k=k, text=noise(n, 20_000)))
            before = ask()
            with system.cloud.between(k, lambda: system.invoke("bucket_events/merge_chunks") and None):
                assert ask() == before, k
            assert ask() == before


def test_ingest_during_a_merge_is_not_lost(system: System) -> None:
    """A request is taken completely just before the k-th call of the compactor, for every k."""
    for k in itertools.count():
        fill(system, 9)
        count = len(events(system, system.acme, "paid", limit=1000))
        came: list[str] = []
        with system.cloud.between(k, lambda k=k, came=came: came.extend(put(system, system.acme, record("paid", late=k)))):
            system.invoke("bucket_events/merge_chunks")
        assert len(events(system, system.acme, "paid", limit=1000)) == count + len(came), k
        if not came:
            break
        fill(system, 8)
        system.invoke("bucket_events/merge_chunks")
        assert len(rows(system)) < 30, "what came in meanwhile is merged with the next"
    assert k > 4
