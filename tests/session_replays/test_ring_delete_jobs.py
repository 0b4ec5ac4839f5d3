"""The sweeper of bulk deletions: a bell for every job that nobody has moved, and for no other."""

from __future__ import annotations

from tapedeck.session_replays.delete_jobs import store
from tests.harness import System
from tests.session_replays.test_create_delete_job import create


def test_only_jobs_that_nobody_has_moved_are_rung_for(system: System) -> None:
    create(system)
    system.drain()
    create(system)
    system.skip(store.PATIENCE - 1)
    assert system.invoke("session_replays/ring_delete_jobs") == {"rung": 0}
    system.skip(1)
    assert system.invoke("session_replays/ring_delete_jobs") == {"rung": 1}, "the finished one is at rest"
    system.drain()
    system.skip(store.PATIENCE)
    assert system.invoke("session_replays/ring_delete_jobs") == {"rung": 0}
