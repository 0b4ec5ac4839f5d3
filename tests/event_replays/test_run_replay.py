"""The worker of event replays: architecture.md §5, trust.md F5 and F7 to F11, product.md decision 29."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest

from tapedeck.event_replays import model, ringing, running
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Delivery, Outcome
from tests.event_replays.stage import (
    DOWN,
    GONE,
    OK,
    Sink,
    ask,
    create,
    destination,
    history,
    is_exact,
    kinds,
    number_of,
    one,
    pass_time,
    put,
    row,
    sink,
    toggle,
)
from tests.harness import KINDS, System, agent
from tests.harness.cloud import Kind

__all__ = ["sink"]
REALLY_OPEN = running.sending.open

# ------------------------------------------------------------------------------------------------------------ what is sent


def test_what_matches_is_sent_in_receive_order_and_nothing_else(system: System, sink: Sink) -> None:
    put(system, 1, 2, 3)
    put(system, 4, name="lost")
    put(system, 5, 6)
    replay_id = create(system, destination(system), query="client.metadata.event_name:paid")
    put(system, 7)  # after its creation: `onetime` stops at the head the collection had then
    assert one(system, replay_id)["state"] == "pending"
    system.drain()
    assert sink.numbers == [1, 2, 3, 5, 6]
    shown = one(system, replay_id)
    assert (shown["state"], shown["status"], shown["latency_ms"]) == ("completed", "ok", 7)
    assert is_exact(shown, 5)
    assert shown["progress"]["looked_at"] == shown["progress"]["until"] == shown["progress"]["position"] == 6
    assert kinds(system, replay_id) == ["created", "started", "completed"]
    assert [each.number for each in sink.took] == [0, 1, 2, 4, 5]
    assert sink.keys == [f"{replay_id}:{each.event.id}" for each in sink.took]


def test_a_replay_of_nothing_is_completed(system: System, sink: Sink) -> None:
    replay_id = create(system, destination(system))
    system.drain()
    assert one(system, replay_id)["state"] == "completed"
    assert (sink.took, is_exact(one(system, replay_id), 0)) == ([], True)


def test_merged_chunks_are_the_same_events(system: System, sink: Sink) -> None:
    for n in range(20):
        put(system, n)
    replay_id = create(system, destination(system))
    merge_at = [5]

    def merge(number: int) -> None:
        if number in merge_at:
            system.invoke("bucket_events/merge_chunks")

    sink.during = merge
    system.drain()
    assert sink.numbers == list(range(20))
    assert is_exact(one(system, replay_id), 20)


def test_what_was_deleted_meanwhile_is_jumped_over(system: System, sink: Sink) -> None:
    put(system, 1, 2, 3)
    replay_id = create(system, destination(system))
    continuous = create(system, destination(system), type="continuous")
    assert system.request("DELETE", agent.bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token("owner")).status == 200
    system.drain()
    assert (one(system, replay_id)["state"], is_exact(one(system, replay_id), 0)) == ("completed", True)
    system.skip(ringing.REMEMBERED)
    put(system, 4)
    system.drain()
    assert sink.numbers == [4]
    assert one(system, continuous)["progress"]["position"] == 4


def test_a_batch_is_one_send(system: System, sink: Sink) -> None:
    sink.batch = 10
    put(system, *range(25))
    replay_id = create(system, destination(system))
    system.drain()
    assert (sink.sends, sink.numbers) == (3, list(range(25)))
    assert is_exact(one(system, replay_id), 25)


def test_no_more_than_asked_for_are_sent_in_a_second(system: System, sink: Sink) -> None:
    seconds: list[int] = []
    sink.during = lambda _: seconds.append(int(system.now))
    put(system, *range(10))
    create(system, destination(system, max_per_second=3))
    system.drain()
    assert sink.numbers == list(range(10))
    assert max(Counter(seconds).values()) == 3


# ------------------------------------------------------------------------------------------------------------ what fails


def test_what_is_refused_for_good_is_listed_with_its_reason_and_the_replay_goes_on(system: System, sink: Sink) -> None:
    """trust.md F9: each event is delivered, or in the failed list with its reason."""
    ids = put(system, 1, 2, 3)
    sink.says = lambda each: GONE if number_of(each) == 2 else OK
    replay_id = create(system, destination(system))
    system.drain()
    shown = one(system, replay_id)
    assert (shown["state"], sink.numbers, len(sink.tried)) == ("completed", [1, 3], 3)
    assert is_exact(shown, 3)
    [line] = [line for line in history(system, replay_id) if line["type"] == "delivery_error"]
    assert (line["event_id"], line["message"], line["status"], line["latency_ms"]) == (ids[1], "received non-2xx response (404)", "error", 5)


def test_more_failures_than_a_transaction_holds_are_all_listed(system: System, sink: Sink) -> None:
    sink.batch, sink.says = 250, lambda _: GONE
    ids = put(system, *range(250))
    replay_id = create(system, destination(system))
    system.drain()
    assert is_exact(one(system, replay_id), 250)
    assert [line["event_id"] for line in history(system, replay_id) if line["type"] == "delivery_error"] == ids


def test_a_failing_event_is_tried_for_about_a_minute_and_then_listed(system: System, sink: Sink) -> None:
    """Decision 29: 1, 2, 4, 8, 16, 30 s."""
    tries: list[float] = []

    def says(each: Delivery) -> Outcome:
        if number_of(each) == 2:
            tries.append(system.now)
            return DOWN
        return OK

    sink.says = says
    put(system, 1, 2, 3)
    began = system.now
    replay_id = create(system, destination(system))
    carry_on(system, replay_id)
    assert [at - began for at in tries] == [0, 1, 3, 7, 15, 31, 61]
    assert (one(system, replay_id)["state"], sink.numbers) == ("completed", [1, 3])
    assert is_exact(one(system, replay_id), 3)


def carry_on(system: System, replay_id: str) -> None:
    """Let the clock go to whatever the replay waits for, until it is over: as bells with a delay do."""
    for _ in range(100):
        system.drain()
        kept = row(system, replay_id)
        if kept.is_over:
            return
        system.skip(max(0.0, kept.progress.resumes_at - system.now))
        running.run(system.acme.id, replay_id, seconds_left=lambda: 100)
    raise AssertionError("it never ends")


def test_a_destination_that_fails_everything_ends_the_replay(system: System, sink: Sink) -> None:
    """Decision 29: when it has failed everything for about a minute, the replay ends `failed`."""
    sink.says, sink.checked = lambda _: DOWN, DOWN
    put(system, *range(9))
    replay_id = create(system, destination(system))
    pass_time(system, 900)
    shown = one(system, replay_id)
    assert (shown["state"], shown["status"], shown["message"]) == ("failed", "error", "Failed to connect")
    assert kinds(system, replay_id)[-1] == "failed"
    assert "about a minute: Failed to connect" in history(system, replay_id)[-1]["message"]
    assert is_exact(shown, 1), "the others were never tried: they are not among those that were looked at"


def test_a_destination_that_comes_back_gets_everything_in_order(system: System, sink: Sink) -> None:
    down_until = system.now + 20
    sink.says = lambda _: DOWN if system.now < down_until else OK
    put(system, *range(5))
    replay_id = create(system, destination(system))
    carry_on(system, replay_id)
    assert sink.numbers == list(range(5))
    assert is_exact(one(system, replay_id), 5)


def test_retry_after_is_honoured(system: System, sink: Sink) -> None:
    tries: list[float] = []

    def says(_: Delivery) -> Outcome:
        tries.append(system.now)
        return Outcome(False, True, 40.0, 429, "received non-2xx response (429)") if len(tries) == 1 else OK

    sink.says = says
    put(system, 1, 2)
    began = system.now
    replay_id = create(system, destination(system))
    system.drain()
    assert one(system, replay_id)["progress"]["retry_at"] is not None
    carry_on(system, replay_id)
    assert [at - began for at in tries] == [0, 40, 40]


def test_a_destination_that_is_gone_aborts_and_says_so(system: System, sink: Sink) -> None:
    put(system, 1)
    to = destination(system)
    replay_id = create(system, to)
    destinations.save(replace(destinations.read(system.acme.id, to), archived=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running.sending, "open", REALLY_OPEN)
        system.drain()
    assert (one(system, replay_id)["state"], kinds(system, replay_id)) == ("aborted", ["created", "started", "aborted"])
    assert "archived" in history(system, replay_id)[-1]["message"]


# ------------------------------------------------------------------------------------------------------------ crashes


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_dies_at_any_call_is_succeeded_and_nothing_is_lost(
    system: System, sink: Sink, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """trust.md F7, F10: delivered = matched; repeated under equal keys, and no more than were sent since the last checkpoint."""
    monkeypatch.setattr(running, "MOST_SENDS", 2)
    sink.says = lambda each: GONE if number_of(each) == 3 else OK
    to = destination(system)
    put(system, *range(6))
    created = create(system, to)
    with system.cloud.watch() as calls:
        system.drain()
    own = [k for k, call in enumerate(calls) if call.function == "RunReplay"]
    assert len(own) > 8
    assert is_exact(one(system, created), 6)
    for k in range(len(own)):
        sink.took.clear()
        sink.tried.clear()
        replay_id = create(system, to)
        with system.cloud.fault(kind, k):
            system.drain()
        pass_time(system)
        shown = one(system, replay_id)
        where = (k, str(calls[own[k]]))
        assert (shown["state"], is_exact(shown, 6)) == ("completed", True), where
        assert list(dict.fromkeys(sink.numbers)) == [0, 1, 2, 4, 5], where
        assert len(sink.tried) <= 6 + 2, where
        assert set(sink.keys) == {f"{replay_id}:{each.event.id}" for each in sink.took}, where
        told = [kind for kind in kinds(system, replay_id) if kind != "progress"]
        assert told == ["created", "started", "delivery_error", "completed"], where


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("slow", [0.0, 0.5])
def test_a_worker_that_dies_at_any_send_repeats_what_it_had_not_told(system: System, sink: Sink, moment: str, slow: float) -> None:
    """trust.md F10: a checkpoint every MOST_SENDS sends or BETWEEN seconds; a slow destination's every send is told before the next."""
    to = destination(system)
    put(system, *range(8))
    sink.takes = slow
    for k in range(8):
        sink.took.clear()
        sink.dies_at, sink.sends = (moment, k), 0
        replay_id = create(system, to)
        system.drain()
        sink.dies_at = None
        pass_time(system)
        repeated = Counter(sink.numbers)
        assert set(repeated) == set(range(8))
        assert max(repeated.values()) <= 2
        assert sum(repeated.values()) - 8 <= (1 if slow else k + 1)
        assert is_exact(one(system, replay_id), 8)


def test_two_workers_at_once_do_one_work(system: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """trust.md F8: the second worker runs completely just before the k-th call of the first, for every k."""
    monkeypatch.setattr(running, "MOST_SENDS", 2)
    to = destination(system)
    put(system, *range(5))
    k = 0
    while True:
        sink.took.clear()
        replay_id = create(system, to)
        ran: list[int] = []

        def other(replay_id: str = replay_id, ran: list[int] = ran) -> None:
            ran.append(running.run(system.acme.id, replay_id, seconds_left=lambda: 100))

        with system.cloud.between(k, other):
            system.drain()
        assert sink.numbers == list(range(5)), k
        assert is_exact(one(system, replay_id), 5), k
        if not ran:
            break
        k += 1
    assert k > 8


def test_a_worker_that_wakes_after_its_lease_has_ended_sends_nothing_more(system: System, sink: Sink) -> None:
    """trust.md F8: fencing. What it had on its way when it fell asleep may arrive twice."""
    put(system, *range(6))
    replay_id = create(system, destination(system))

    def sleep(number: int) -> None:
        if number == 2:
            system.skip(model.LEASE + 1)
            running.run(system.acme.id, replay_id, seconds_left=lambda: 100)

    sink.during = sleep
    system.drain()
    assert is_exact(one(system, replay_id), 6)
    repeated = [n for n, times in Counter(sink.numbers).items() if times > 1]
    assert set(sink.numbers) == set(range(6))
    assert max(repeated) <= 2, "nothing but what had been sent since its last checkpoint, and the one on its way"
    assert one(system, replay_id)["state"] == "completed"


def test_near_the_end_of_its_time_a_worker_rings_for_the_next(system: System, sink: Sink) -> None:
    """trust.md F7: the deadline is seen; nothing is repeated, nothing skipped."""
    put(system, *range(12))
    sink.takes = 15.0  # of the function's 120 seconds, 20 of which are kept
    replay_id = create(system, destination(system))
    system.drain()
    assert sink.numbers == list(range(12))
    assert is_exact(one(system, replay_id), 12)
    assert kinds(system, replay_id).count("started") == 1
    assert "progress" in kinds(system, replay_id)


def test_a_bell_that_nobody_understands_goes_to_the_dead_letters(system: System) -> None:
    """trust.md F5."""
    queue = system.template.physical_id("ReplayBells")
    system.client("sqs").send_message(QueueUrl=queue, MessageBody='{"who":"knows"}')
    system.drain()
    dead = system.client("sqs").receive_message(QueueUrl=system.template.physical_id("DeadLetters"))["Messages"]
    assert [message["Body"] for message in dead] == ['{"who":"knows"}']


def test_a_bell_for_what_is_gone_or_over_is_nothing(system: System, sink: Sink) -> None:
    put(system, 1)
    replay_id = create(system, destination(system))
    system.drain()
    assert running.run(system.acme.id, replay_id, seconds_left=lambda: 100) == 0
    assert running.run(system.acme.id, "nowhere", seconds_left=lambda: 100) == 0
    assert sink.numbers == [1]


# ------------------------------------------------------------------------------------------------------------ several at a time


def test_several_at_a_time_are_each_sent_once(system: System, sink: Sink) -> None:
    gate = threading.Barrier(4, timeout=5)
    sink.during = lambda number: gate.wait() and None if number < 4 else None  # four are on their way at once, or this breaks
    put(system, *range(100))
    replay_id = create(system, destination(system), concurrency=4)
    system.drain()
    assert sorted(sink.numbers) == list(range(100))
    assert is_exact(one(system, replay_id), 100)


def test_several_at_a_time_pass_by_one_that_waits_and_none_is_sent_twice(system: System, sink: Sink) -> None:
    sink.says = lambda each: DOWN if number_of(each) == 3 and len(sink.tried) < 150 and system.now < began + 10 else OK
    began = system.now
    put(system, *range(100))
    replay_id = create(system, destination(system), concurrency=8)
    carry_on(system, replay_id)
    assert sorted(sink.numbers) == list(range(100))
    assert is_exact(one(system, replay_id), 100)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_several_at_a_time_a_crash_repeats_no_more_than_was_not_told(system: System, sink: Sink, moment: str) -> None:
    to = destination(system)
    put(system, *range(30))
    for k in range(0, 30, 3):
        sink.took.clear()
        sink.dies_at, sink.sends = (moment, k), 0
        replay_id = create(system, to, concurrency=4)
        system.drain()
        sink.dies_at = None
        pass_time(system)
        assert set(sink.numbers) == set(range(30))
        assert max(Counter(sink.numbers).values()) <= 2
        assert is_exact(one(system, replay_id), 30)


# ------------------------------------------------------------------------------------------------------------ paused, archived, edited


def test_a_pause_between_any_two_sends_stops_there_and_a_resume_repeats_nothing(system: System, sink: Sink) -> None:
    """trust.md F11: after the answer nothing leaves but what is on its way; an orderly pause repeats 0."""
    to = destination(system)
    put(system, *range(5))
    sink.takes = 0.2
    for k in range(5):
        sink.took.clear()
        sink.sends = 0
        replay_id = create(system, to)
        said: list[str] = []

        def pause(number: int, replay_id: str = replay_id, said: list[str] = said, k: int = k) -> None:
            if number == k and not said:
                said.append(toggle(system, replay_id)["state"])

        sink.during = pause
        system.drain()
        sink.during = lambda _: None
        assert said == ["paused"]
        assert sink.numbers == list(range(k + 1)), "the one on its way arrives, and no other"
        assert one(system, replay_id)["state"] == "paused"
        pass_time(system, 120)
        assert sink.numbers == list(range(k + 1))
        assert toggle(system, replay_id)["state"] == "running"
        system.drain()
        assert sink.numbers == list(range(5))
        assert is_exact(one(system, replay_id), 5)
        assert kinds(system, replay_id) == ["created", "started", "paused", "resumed", "completed"]


def test_an_archived_replay_stops_and_counts_what_it_sent(system: System, sink: Sink) -> None:
    put(system, *range(5))
    sink.takes = 0.2
    replay_id = create(system, destination(system))
    sink.during = lambda number: ask(system, "DELETE", f"/v1/replay/{replay_id}") and None if number == 2 else None
    system.drain()
    shown = one(system, replay_id)
    assert (shown["state"], shown["archived"], sink.numbers) == ("aborted", True, [0, 1, 2])
    assert is_exact(shown, 3)
    assert kinds(system, replay_id) == ["created", "started", "aborted", "archived"]


def test_a_deleted_replay_is_not_brought_back_by_its_worker(system: System, sink: Sink) -> None:
    put(system, *range(5))
    sink.takes = 0.2
    replay_id = create(system, destination(system))
    sink.during = lambda number: ask(system, "DELETE", "/v1/replay", json={"replay_id": replay_id}) and None if number == 2 else None
    system.drain()
    pass_time(system, 120)
    assert sink.numbers == [0, 1, 2]
    assert ask(system, "GET", f"/v1/replay/{replay_id}").status == 404
    assert not [item for item in system.items("ControlTable") if replay_id in item["pk"]["S"] + item["sk"]["S"]]


def test_a_query_changed_while_paused_is_for_events_not_yet_looked_at(system: System, sink: Sink) -> None:
    """Decision 29, last sentence."""
    put(system, *range(6))
    sink.takes = 0.2
    replay_id = create(system, destination(system), query="n:[0 TO 100]")
    sink.during = lambda number: toggle(system, replay_id) and None if number == 1 else None
    system.drain()
    sink.during = lambda _: None
    answer = ask(system, "PUT", "/v1/replay", json={"replay_id": replay_id, "query": "n:>=4"})
    assert (answer.status, answer.json()[replay_id]["query"]) == (200, "n:>=4")
    toggle(system, replay_id)
    system.drain()
    assert sink.numbers == [0, 1, 4, 5]
    assert is_exact(one(system, replay_id), 4)


def test_redo_is_another_replay_and_the_old_one_is_not_touched(system: System, sink: Sink) -> None:
    """Decision 7, trust.md F12."""
    put(system, 1, 2)
    old = create(system, destination(system))
    system.drain()
    before, lines = one(system, old), history(system, old)
    put(system, 3)
    made = one(system, old, "PUT", "/redo", json={})
    assert (made["redo_of"], made["id"] != old, made["state"]) == (old, True, "pending")
    system.drain()
    assert sink.numbers == [1, 2, 1, 2, 3], "the query is evaluated now"
    assert (one(system, old), history(system, old)) == (before, lines)
