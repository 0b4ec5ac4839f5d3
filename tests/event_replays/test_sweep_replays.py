"""The sweeper of event replays, and continuous replays with whatever becomes of their bells (architecture.md §5, performance.md §3.3)."""

from __future__ import annotations

import pytest

from tapedeck.event_replays import ringing
from tests.event_replays.stage import DOWN, OK, Sink, create, destination, is_exact, number_of, one, pass_time, put, row, sink
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]


def bells(system: System) -> int:
    """How many bells there are to be heard now."""
    url = system.template.physical_id("ReplayBells")
    return int(system.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"])


def lose(system: System) -> None:
    """Every bell that was rung is lost."""
    url = system.template.physical_id("ReplayBells")
    while heard := system.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for bell in heard:
            system.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=bell["ReceiptHandle"])


def test_whoever_commits_rings_for_those_who_follow(system: System, sink: Sink) -> None:
    put(system, 1)
    replay_id = create(system, destination(system), type="continuous", query="n:*")
    system.drain()
    assert sink.numbers == [1], "what is there comes first"
    system.skip(ringing.REMEMBERED)
    for n in range(2, 6):
        put(system, n)
        system.drain()
    assert sink.numbers == [1, 2, 3, 4, 5]
    shown = one(system, replay_id)
    assert (shown["state"], shown["progress"]["until"]) == ("running", None)
    assert is_exact(shown, 5)


def test_without_followers_there_is_no_bell_and_one_lookup(system: System) -> None:
    system.cold()
    put(system, 1)
    with system.cloud.watch() as calls:
        put(system, 2)
        put(system, 3)
    assert not [call for call in calls if call.service == "sqs"]
    assert not [call for call in calls if "REPLAY#" in repr(call.params)], "remembered for ten seconds"
    assert bells(system) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_bell_that_cannot_be_rung_fails_no_ingest_and_the_sweeper_rings(system: System, sink: Sink, kind: Kind) -> None:
    replay_id = create(system, destination(system), type="continuous")
    system.drain()
    system.cold()
    with system.cloud.watch() as calls:
        put(system, 0)
    system.drain()
    doorbell = [k for k, call in enumerate(calls) if "REPLAY#" in repr(call.params) or call.service == "sqs"]
    assert len(doorbell) == 2
    for n, k in enumerate(doorbell, 1):
        system.cold()
        with system.cloud.fault(kind, k):
            if kind.startswith("killed"):
                with pytest.raises(AssertionError):
                    put(system, n)
            else:
                put(system, n)
        lose(system)
        pass_time(system, 120)
        assert sink.numbers == list(range(n + 1)), (k, kind)
    assert is_exact(one(system, replay_id), 3)


def test_every_bell_lost_all_events_come_by_the_sweeper(system: System, sink: Sink) -> None:
    replay_id = create(system, destination(system), type="continuous")
    for n in range(5):
        put(system, n)
        lose(system)
        system.advance(61)
        system.drain()
        assert sink.numbers == list(range(n + 1))
    assert is_exact(one(system, replay_id), 5)


def test_events_that_come_while_a_worker_lets_go_are_not_forgotten(system: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event is committed just before any call of the worker; its own bell, which would find the replay held, is not even rung."""
    replay_id = create(system, destination(system), type="continuous")
    system.drain()
    monkeypatch.setattr(ringing, "events_came", lambda _: None)
    total = k = 0
    while True:
        came: list[int] = []

        def come(came: list[int] = came, n: int = total + 1) -> None:
            came.append(n)
            put(system, n)

        put(system, total)
        ringing.ring(system.acme.id, replay_id)
        with system.cloud.between(k, come):
            system.drain()
        total += 1 + len(came)
        assert len(sink.took) == total, f"call {k}: without waiting for the sweeper"
        if not came:
            break
        k += 1
    assert k > 4
    assert is_exact(one(system, replay_id), total)


def test_a_continuous_replay_waits_long_for_better_days_and_loses_nothing(system: System, sink: Sink) -> None:
    """Decision 29: 5 s, 5 m, 30 m, 2 h, …; it never ends by itself."""
    began = system.now
    tries: list[float] = []

    def says(each: object) -> object:
        tries.append(system.now - began)
        return DOWN if system.now < began + 9000 else OK

    sink.says = says  # type: ignore[assignment]
    put(system, 1, 2)
    replay_id = create(system, destination(system), type="continuous")
    for _ in range(6 * 60):
        system.skip(30)
        system.invoke("event_replays/sweep_replays")
        system.drain()
    assert one(system, replay_id)["state"] == "running"
    assert sink.numbers == [1, 2]
    assert is_exact(one(system, replay_id), 2)
    expected = [0, 5, 305, 2105, 9305]
    assert all(want <= got <= want + 200 for want, got in zip(expected, tries, strict=False)), tries


def test_a_retry_whose_bell_was_lost_is_rung_for(system: System, sink: Sink) -> None:
    down = system.now + 10
    sink.says = lambda _: DOWN if system.now < down else OK
    put(system, 1)
    replay_id = create(system, destination(system))
    system.drain()
    lose(system)
    pass_time(system, 180)
    assert (sink.numbers, one(system, replay_id)["state"]) == ([1], "completed")


def test_an_idle_one_is_not_rung_for(system: System, sink: Sink) -> None:
    replay_id = create(system, destination(system), type="continuous")
    system.drain()
    assert row(system, replay_id).idle
    system.skip(120)
    assert system.invoke("event_replays/sweep_replays") == {"rung": 0}


def test_two_of_one_collection_are_both_rung_for(system: System, sink: Sink) -> None:
    first, second = (create(system, destination(system), type="continuous", query=query) for query in ("n:1", "n:2"))
    system.drain()
    system.skip(ringing.REMEMBERED)
    put(system, 1, 2)
    system.drain()
    assert sorted(sink.numbers) == [1, 2]
    assert is_exact(one(system, first), 1)
    assert is_exact(one(system, second), 1)
    assert number_of(sink.took[0]) in (1, 2)
