"""PUT /v1/replay/{event_replay_id}/toggle-pause: product.md decision 4, trust.md F11."""

from __future__ import annotations

import pytest

from tapedeck.event_replays import model, running, steering, store
from tests.event_replays.stage import Sink, ask, create, destination, is_exact, kinds, one, pass_time, put, row, sink, toggle
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]


def following(system: System) -> str:
    """A continuous replay that is running."""
    replay_id = create(system, destination(system), type="continuous")
    system.drain()
    assert one(system, replay_id)["state"] == "running"
    return replay_id


def test_it_flips_and_the_answer_carries_the_state(system: System, sink: Sink) -> None:
    replay_id = following(system)
    for state in ("paused", "running", "paused"):
        shown = toggle(system, replay_id)
        assert (shown["state"], shown["paused"]) == (state, state == "paused")
    assert kinds(system, replay_id) == ["created", "started", "paused", "resumed", "paused"]


def test_in_any_other_state_it_is_a_409_and_nothing_changes(system: System, sink: Sink) -> None:
    """Decision 4."""
    to = destination(system)
    pending, done = create(system, to, type="continuous"), create(system, to)
    archived = create(system, to)
    one(system, archived, "DELETE")
    running.run(system.acme.id, done, seconds_left=lambda: 100)
    for replay_id, state in ((pending, "pending"), (done, "completed"), (archived, "aborted")):
        before = row(system, replay_id)
        assert before.state == state
        answer = ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause")
        assert (answer.status, answer.json()["errors"][0]["code"]) == (409, 409)
        assert row(system, replay_id) == before


def test_what_comes_while_it_is_paused_is_sent_when_it_goes_on(system: System, sink: Sink) -> None:
    replay_id = following(system)
    put(system, 1)
    pass_time(system, 60)
    toggle(system, replay_id)
    put(system, 2, 3)
    pass_time(system)
    assert sink.numbers == [1]
    toggle(system, replay_id)
    system.drain()
    assert sink.numbers == [1, 2, 3]


@pytest.mark.parametrize("kind", KINDS)
def test_a_repetition_under_the_same_key_toggles_once_wherever_the_first_died(system: System, sink: Sink, kind: Kind) -> None:
    replay_id = following(system)
    with system.cloud.watch() as calls:
        toggle(system, replay_id)
    own = sum(call.function == "ToggleEventReplay" for call in calls)
    before = one(system, replay_id)["state"]
    for k in range(own + 1):
        system.cold()
        headers = {"Idempotency-Key": f"{kind}-{k}"}
        with system.cloud.fault(kind, k):
            ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause", headers=headers)
        after = toggle(system, replay_id, headers=headers)["state"]
        assert {before, after} == {"paused", "running"}, k
        before = after
    told = [each for each in kinds(system, replay_id) if each in ("paused", "resumed")]
    assert told == [("paused", "resumed")[n % 2] for n in range(len(told))], "each once, in turn"


def test_a_pause_between_any_two_calls_of_the_worker_stops_it_there(system: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """F11: for every call of the worker, a pause just before it; then a resume. Nothing leaves in between, nothing is repeated."""
    monkeypatch.setattr(running, "MOST_SENDS", 1)  # a checkpoint before every send
    to = destination(system)
    put(system, *range(4))
    k = 0
    while True:
        sink.took.clear()
        replay_id = create(system, to)
        answered: list[tuple[int, int]] = []

        def pause(replay_id: str = replay_id, answered: list[tuple[int, int]] = answered) -> None:
            answered.append((ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause").status, len(sink.took)))

        with system.cloud.between(k, pause):
            system.drain()
        if not answered:
            break
        [(status, sent)] = answered
        if status == 200 and row(system, replay_id).state == "paused":
            assert len(sink.took) <= sent + 1, "what was on its way arrives, and no more"
            toggle(system, replay_id)
            system.drain()
        assert sink.numbers == list(range(4)), k
        assert is_exact(one(system, replay_id), 4)
        k += 1
    assert k > 8


def test_a_pause_waits_for_the_worker_but_not_for_ever(system: System, sink: Sink) -> None:
    """A worker that died holding the replay: the answer comes after PATIENCE, and what it had not told is repeated, under equal keys."""
    put(system, *range(5))
    replay_id = create(system, destination(system))
    sink.dies_at = ("after", 2)
    system.drain()
    sink.dies_at = None
    before = system.now
    assert toggle(system, replay_id)["state"] == "paused"
    assert steering.PATIENCE <= system.now - before < steering.PATIENCE + 1
    pass_time(system)
    assert len(sink.took) == 3
    toggle(system, replay_id)
    system.drain()
    assert sorted(set(sink.numbers)) == list(range(5))
    assert len(sink.took) == 8
    assert len(set(sink.keys)) == 5
    assert is_exact(one(system, replay_id), 5)


def test_resumed_before_the_dead_workers_lease_has_ended_it_goes_on_after_that(system: System, sink: Sink) -> None:
    put(system, *range(3))
    replay_id = create(system, destination(system))
    sink.dies_at = ("before", 1)
    system.drain()
    sink.dies_at = None
    toggle(system, replay_id)
    toggle(system, replay_id)
    system.drain()
    assert one(system, replay_id)["state"] == "running"
    pass_time(system, model.LEASE + 75)
    assert one(system, replay_id)["state"] == "completed"
    assert is_exact(one(system, replay_id), 3)


def test_several_at_a_time_a_pause_waits_for_those_on_their_way_and_repeats_none(system: System, sink: Sink) -> None:
    put(system, *range(60))
    replay_id = create(system, destination(system), concurrency=8)

    def pause(number: int) -> None:
        if number == 20:
            store.change(row(system, replay_id), lambda it: model.toggled(it, "pause", system.now))
            system.now += 1  # the worker's next look is due

    sink.during = pause
    system.drain()
    assert row(system, replay_id).state == "paused"
    sent = len(sink.took)
    assert 20 < sent < 60
    sink.during = lambda _: None
    toggle(system, replay_id)
    system.drain()
    assert sorted(sink.numbers) == list(range(60))
    assert is_exact(one(system, replay_id), 60)


