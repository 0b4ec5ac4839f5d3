"""The sweeper of events: old generations, and bodies that no chunk knows."""

from __future__ import annotations

from contextlib import suppress

import pytest

from tests.harness import KINDS, Killed, System
from tests.harness.agent import bucket_url, events, noise, put, record
from tests.harness.cloud import Kind


def large(system: System) -> None:
    put(system, system.acme, *(record(text=noise(int(system.now) + m)) for m in range(50)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_sweep_that_dies_anywhere_is_finished_by_the_next_one(system: System, kind: Kind) -> None:
    url, token = bucket_url(system.acme.web, "/data/events/delete_all"), system.acme.token("owner")
    k = 0
    while True:
        large(system)
        system.request("DELETE", url, token=token)
        system.skip(1)
        large(system)
        kept = len(events(system, system.acme, "paid", limit=1000))
        system.skip(20 * 60)
        with system.cloud.fault(kind, k) as fault, suppress(Killed, Exception):
            system.invoke("bucket_events/sweep_events")
        system.invoke("bucket_events/sweep_events")
        assert len(events(system, system.acme, "paid", limit=1000)) == kept
        rows = [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#")]
        assert set(system.objects(prefix="ev/")) == {row["object_key"]["S"] for row in rows}, k
        assert len({row["sk"]["S"].split("#")[1] for row in rows}) == 1, "one generation is left"
        if not fault.happened:
            break
        k += 1
    assert k > 3


def test_a_young_body_is_left_alone(system: System) -> None:
    with system.cloud.fault("killed-before", 4), suppress(Exception):
        large(system)
    orphans = set(system.objects(prefix="ev/"))
    system.invoke("bucket_events/sweep_events")
    assert set(system.objects(prefix="ev/")) == orphans
