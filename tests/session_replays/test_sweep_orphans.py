"""The janitor (architecture.md §4): recordings that no row knows are deleted once no ingest can still be at work on them."""

from __future__ import annotations

from contextlib import suppress

from tests.harness import Killed, System, envelopes
from tests.harness.sdk import record, send


def orphan(system: System) -> None:
    """A recording whose ingest died after its first call."""
    record(system, system.acme.web)
    with system.cloud.fault("killed-after", 0):
        send(system, system.acme.web, envelopes.segment(envelopes.new_id()))


def test_an_orphan_is_swept_by_the_schedule_and_what_has_a_row_stays(system: System) -> None:
    orphan(system)
    assert len(system.objects()) == 2
    system.advance(15 * 60)
    assert len(system.objects()) == 1
    system.advance(15 * 60)
    assert len(system.objects()) == 1


def test_a_young_orphan_is_left_alone(system: System) -> None:
    """Its ingest may still be at work: the function's timeout and five minutes."""
    orphan(system)
    system.skip(5 * 60)
    assert system.invoke("session_replays/sweep_orphans") == {"swept": 0}
    system.skip(60)
    assert system.invoke("session_replays/sweep_orphans") == {"swept": 1}


def test_a_sweep_that_dies_anywhere_is_finished_by_the_next_one(system: System) -> None:
    orphan(system)
    system.skip(20 * 60)
    with system.cloud.watch() as calls:
        system.invoke("session_replays/sweep_orphans")
    for k in range(len(calls)):
        orphan(system)
        kept = len(system.objects()) - 1
        system.skip(20 * 60)
        with system.cloud.fault("killed-after", k), suppress(Killed):
            system.invoke("session_replays/sweep_orphans")
        system.invoke("session_replays/sweep_orphans")
        assert len(system.objects()) == kept, (k, str(calls[k]))
