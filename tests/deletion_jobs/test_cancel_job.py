"""DELETE /api/v1/{project_key}/jobs/{deletion_job_id}: decision 16; one write decides between a cancel and what it races with (F17)."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from tapedeck import tombstones
from tapedeck.deletion_jobs import running
from tapedeck.session_replays import erasing
from tests.deletion_jobs.asking import ask, cancel, erase, job, jobs_url, look_after, user_url, work
from tests.harness import System, agent
from tests.harness.cloud import Kind
from tests.harness.sdk import record, replay_url, shown


def there(system: System, ids: list[str]) -> list[str]:
    """Those of these replays that are whole: shown, and every segment with its recording."""
    whole = []
    for replay_id in ids:
        url = replay_url(system.acme, system.acme.web, replay_id)
        if system.request("GET", url, token=system.acme.token("member")).status == 200:
            played = system.request("GET", url + "recording-segments/", query={"download": ""}, token=system.acme.token("member")).json()
            assert len(played) == shown(system, system.acme, system.acme.web, replay_id)["count_segments"]
            assert all(played), "half erased"
            whole.append(replay_id)
    return whole


def test_what_has_not_begun_never_begins(system: System) -> None:
    replay_id = record(system, system.acme.web, user={"id": "ann"})
    made = erase(system, "ann", now=False)
    system.now += 10
    answer = cancel(system, made["jobId"])
    assert (answer.status, answer.json()["data"]) == (200, {**made, "status": "cancelled", "updatedAt": made["updatedAt"] + 10_000})
    system.skip(2 * 86400)
    system.invoke("deletion_jobs/sweep_erasures")
    system.drain()
    assert there(system, [replay_id]) == [replay_id]
    assert record(system, system.acme.web, user={"id": "ann"}, at=system.now - 3 * 86400)
    assert system.client("scheduler").list_schedules()["Schedules"] == []


@pytest.mark.parametrize("state", ["completed", "cancelled", "failed"])
def test_what_is_over_cannot_be_cancelled(system: System, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = erase(system, "ann", now=state != "cancelled")["jobId"]
    if state == "cancelled":
        cancel(system, made)
    if state == "failed":
        monkeypatch.setattr(running.model, "MOST_ATTEMPTS", 0)
        with system.cloud.fault("killed-before", 8):
            system.drain()
    system.drain()
    assert job(system, made)["status"] == state
    answer = cancel(system, made)
    assert (answer.status, answer.json()) == (501, {"errors": [f"The job is {state}: it cannot be cancelled."]})
    assert job(system, made)["status"] == state


def test_a_running_one_stops_at_the_next_page_and_says_how_far_it_came(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "BATCH", 2)
    ids = [record(system, system.acme.web, segments=2, user={"id": "ann"}) for _ in range(5)]
    made = erase(system, "ann")["jobId"]
    said: list[dict[str, Any]] = []
    pages, seal = iter(range(9)), running.store.seal

    def cancelled_before_the_third(*asked: Any) -> Any:
        if next(pages) == 2:
            said.append(cancel(system, made).json()["data"])
        return seal(*asked)

    monkeypatch.setattr(running.store, "seal", cancelled_before_the_third)
    system.drain()
    assert said[0]["status"] == "cancelled"
    assert said[0]["errors"] == "Cancelled while it was running: 4 sessions are erased, and stay so."
    assert len(there(system, ids)) == 1
    assert job(system, made) == {**said[0], "updatedAt": job(system, made)["updatedAt"]}
    assert record(system, system.acme.web, user={"id": "ann"}) in there(system, [*ids, *_listed(system)]), "the tombstone is lifted"
    erase(system, "ann")
    system.drain()
    assert there(system, ids) == []


def test_a_cancelled_ones_tombstone_is_lifted_for_events_and_an_earlier_one_stays(system: System) -> None:
    """What a container remembers of tombstones is told as well; what an earlier job refused stays refused."""
    acme = system.acme
    agent.put(system, acme, {**agent.record(n=0), "user": "ann"})
    erase(system, "ann")
    system.drain()
    first = system.now
    system.now += 100
    later = erase(system, "ann")["jobId"]

    def refused_then_cancelled() -> None:
        agent.ingest(system, acme, {**agent.record(n=1, at=system.now - 10), "user": "ann"})
        assert cancel(system, later).status == 200
        agent.ingest(system, acme, {**agent.record(n=2, at=system.now - 10), "user": "ann"})
        agent.ingest(system, acme, {**agent.record(n=3, at=first), "user": "ann"})

    with system.cloud.between(8, refused_then_cancelled):
        system.drain()
    assert job(system, later)["status"] == "cancelled"
    assert [each["data"]["n"] for each in agent.events(system, acme, "paid")] == [2]


@pytest.mark.parametrize("fault", [None, "killed-after", "answers-lost"])
def test_a_cancel_at_any_call_of_the_worker_is_one_thing_or_the_other(system: System, fault: Kind | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """F17: 200 and nothing begins to be erased after it; whatever happens to the cancel, its repetition tells."""
    monkeypatch.setattr(erasing, "BATCH", 1)
    seen = set()
    k = 0
    while True:
        user = f"u{k}"
        ids = [record(system, system.acme.web, user={"id": user}) for _ in range(2)]
        made = erase(system, user)["jobId"]
        said: list[Any] = []
        left: list[list[str]] = []

        def stop(made: int = made, said: list[Any] = said, left: list[list[str]] = left, ids: list[str] = ids) -> None:
            answer = cancel(system, made)
            if answer.status not in (200, 501):
                again = cancel(system, made)
                answer = again if job(system, made)["status"] != "cancelled" or again.status == 200 else answer
            said.append(200 if job(system, made)["status"] == "cancelled" else answer.status)
            left.append(ids)

        if fault is None:
            with system.cloud.between(k, stop):
                system.drain()
        else:
            with system.cloud.between(k, lambda stop=stop: _with_fault(system, fault, stop)):  # type: ignore[misc]
                system.drain()
        if not said:
            break
        look_after(system)
        assert said[0] == 200
        _is_what_was_said(system, said[0], made, ids)
        seen.add(len(there(system, ids)))
        k += 7 if fault else 2
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("fault", [None, "killed-after"])
def test_a_worker_that_comes_in_between_at_any_call_of_a_cancel(system: System, fault: Kind | None) -> None:
    """The other way round: the job begins and ends, or begins and dies, while the cancel looks at it."""
    record(system, system.acme.web)
    seen = set()
    k = 0
    while True:
        user = f"u{k}"
        ids = [record(system, system.acme.web, user={"id": user}) for _ in range(2)]
        made = erase(system, user)["jobId"]
        ran: list[int] = []

        def run(made: int = made, ran: list[int] = ran) -> None:
            ran.append(1)
            with system.cloud.fault(fault, 15) if fault else nullcontext():
                work(system, made)

        with system.cloud.between(k, run):
            answer = cancel(system, made)
        if not ran:
            break
        if answer.status not in (200, 501):
            answer = cancel(system, made)
        look_after(system)
        _is_what_was_said(system, answer.status, made, ids)
        seen.add(answer.status)
        k += 1
    assert 200 in seen
    assert fault or seen == {200, 501}


def _is_what_was_said(system: System, status: int, made: int, ids: list[str]) -> None:
    """200: what is gone had gone by then, or was going; what is left stays, and more is taken. 501: all of it is gone."""
    told, whole = job(system, made), there(system, ids)
    if status == 501:
        assert (told["status"], whole) == ("completed", [])
        return
    assert told["status"] == "cancelled"
    gone = len(ids) - len(whole)
    assert gone == 0 or told["errors"].startswith(f"Cancelled while it was running: {gone} session"), (told["errors"], gone)
    assert record(system, system.acme.web, user={"id": told["referenceId"]}), "taken again"
    grave = [item for item in system.items("ControlTable") if item["sk"]["S"] == tombstones.of_user(told["referenceId"])]
    assert grave == []


def _with_fault(system: System, kind: Kind, stop: Any) -> None:
    with system.cloud.fault(kind, 4):
        stop()


def _listed(system: System) -> list[str]:
    rows = system.request("GET", "/api/0/organizations/acme/replays/", token=system.acme.token("member")).json()["data"]
    return [row["id"] for row in rows]


def test_cancel_needs_the_right_to_erase(system: System) -> None:
    made = erase(system, "ann", now=False)["jobId"]
    for by in ("member", "admin", "outsider"):
        assert ask(system, "DELETE", jobs_url(system.acme.web, made), by=by).status == 404
        assert ask(system, "DELETE", user_url(system.acme.web, "bob"), by=by).status == 404
    assert job(system, made)["status"] == "scheduled"
