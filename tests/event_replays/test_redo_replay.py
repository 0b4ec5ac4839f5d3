"""PUT /v1/replay/{event_replay_id}/redo: product.md decision 7, trust.md F12."""

from __future__ import annotations

import pytest

from tapedeck.event_replays import store
from tests.event_replays.stage import Sink, ask, create, destination, history, is_exact, one, pass_time, put, row, sink
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]


def redo(system: System, replay_id: str, **options: object) -> str:
    """The new replay's id."""
    return str(one(system, replay_id, "PUT", "/redo", **options)["id"])


@pytest.mark.parametrize("state", ["pending", "running", "paused", "completed", "archived"])
def test_it_is_allowed_in_any_state_and_leaves_the_old_one_as_it_is(system: System, sink: Sink, state: str) -> None:
    put(system, 1, 2, 3)
    replay_id = create(system, destination(system), query="n:>1", type="single" if state in ("pending", "completed", "archived") else "continuous")
    if state != "pending":
        system.drain()
    if state == "paused":
        ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause")
    if state == "archived":
        one(system, replay_id, "DELETE")
    old = row(system, replay_id), history(system, replay_id)
    made = one(system, replay_id, "PUT", "/redo")
    assert (row(system, replay_id), history(system, replay_id)) == old
    assert (made["redo_of"], made["query"], made["name"], made["archived"], made["state"]) == (replay_id, "n:>1", "again", False, "pending")


def test_the_query_is_evaluated_now(system: System, sink: Sink) -> None:
    put(system, 1)
    replay_id = create(system, destination(system))
    system.drain()
    put(system, 2)
    again = redo(system, replay_id, json={"name": "once more"})
    system.drain()
    assert (sink.numbers, one(system, again)["name"]) == ([1, 1, 2], "once more")
    assert len(set(sink.keys)) == 3, "an event of another replay is another delivery"
    assert is_exact(one(system, again), 2)


def test_what_it_needs_may_be_gone(system: System) -> None:
    from dataclasses import replace

    from tapedeck.event_replays.destinations import store as destinations

    to = destination(system)
    replay_id = create(system, to)
    destinations.save(replace(destinations.read(system.acme.id, to), archived=True))
    answer = ask(system, "PUT", f"/v1/replay/{replay_id}/redo")
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, "destination_id")


@pytest.mark.parametrize("kind", KINDS)
def test_killed_anywhere_a_repetition_under_the_same_key_makes_one(system: System, sink: Sink, kind: Kind) -> None:
    put(system, 1, 2)
    old = create(system, destination(system))
    system.drain()
    with system.cloud.watch() as calls:
        redo(system, old)
    for k in range(sum(call.function == "RedoEventReplay" for call in calls)):
        system.cold()
        before = {each.id for each in store.all_of(system.acme.id)}
        headers = {"Idempotency-Key": f"{kind}-{k}"}
        with system.cloud.fault(kind, k):
            ask(system, "PUT", f"/v1/replay/{old}/redo", headers=headers)
        made = redo(system, old, headers=headers)
        assert {each.id for each in store.all_of(system.acme.id)} - before == {made}
        pass_time(system, 120)
        assert is_exact(one(system, made), 2)
