"""The worker of bulk deletions: contract §1.12, case 60; a death anywhere neither forgets a replay nor counts one twice."""

from __future__ import annotations

import pytest

from tapedeck import clock
from tapedeck.session_replays.delete_jobs import running, store
from tests.harness import KINDS, System
from tests.harness.cloud import Kind
from tests.harness.sdk import index, record
from tests.session_replays.test_create_delete_job import create, job, live


def test_case_60_what_matches_query_environment_and_range_is_deleted_and_nothing_else(system: System) -> None:
    web, now = system.acme.web, system.now
    wanted = {record(system, web, environment="staging", user={"id": "7"}, at=now - back) for back in (5, 500)}
    spared = {
        record(system, web, environment="staging", user={"id": "8"}),
        record(system, web, environment="production", user={"id": "7"}),
        record(system, web, environment="staging", user={"id": "7"}, at=now - 10 * 86400),
        record(system, system.acme.shop, environment="staging", user={"id": "7"}),
    }
    made = create(system, query="user.id:7", environments=["staging"]).json()["data"]["id"]
    assert live(system) == wanted | spared - live_before(system, spared)
    system.drain()
    assert job(system, made) | {"dateUpdated": None} == {
        "id": made,
        "dateCreated": clock.iso(now),
        "dateUpdated": None,
        "rangeStart": clock.iso(now - 7 * 86400),
        "rangeEnd": clock.iso(now + 60),
        "environments": ["staging"],
        "status": "completed",
        "query": "user.id:7",
        "countDeleted": 2,
    }
    seen = {row["id"]: row["is_archived"] for row in index(system, system.acme, statsPeriod="30d", per_page=100).json()["data"]}
    assert seen == {**dict.fromkeys(wanted, True), **dict.fromkeys(spared, False)}
    assert len(system.objects(prefix="rec/")) == len(spared)


def live_before(system: System, ids: set[str]) -> set[str]:
    """Those that the week's list does not show."""
    return ids - {row["id"] for row in index(system, system.acme, per_page=100).json()["data"]}


def test_a_bad_query_turns_the_job_to_failed(system: System) -> None:
    replay_id = record(system, system.acme.web)
    made = create(system, query="count_errors:abc").json()["data"]["id"]
    system.drain()
    assert (job(system, made)["status"], job(system, made)["countDeleted"]) == ("failed", 0)
    assert live(system) == {replay_id}


def test_more_than_a_batch_and_more_than_one_invocation(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    for back in range(7):
        record(system, system.acme.web, at=system.now - 5 - back)
    made = create(system).json()["data"]["id"]
    monkeypatch.setattr(running, "RESERVE", 1e9)  # no time at all: the worker can only ring for the next
    with pytest.raises(AssertionError, match="not empty"):
        system.drain(rounds=3)
    assert job(system, made)["status"] == "pending"
    monkeypatch.setattr(running, "RESERVE", 0)
    system.drain()
    assert (job(system, made)["status"], job(system, made)["countDeleted"]) == ("completed", 7)
    assert live(system) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_dies_anywhere_is_succeeded_and_the_count_is_exact(
    system: System, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 1)
    system.cloud.backwards = False

    def prepared() -> int:
        for back in range(2):
            record(system, system.acme.web, at=system.now - 5 - back)
        made: int = create(system).json()["data"]["id"]
        return made

    prepared()
    with system.cloud.watch() as calls:
        system.drain()
    own = [k for k, call in enumerate(calls) if call.function == "RunDeleteJob"]
    assert len(own) > 10
    for k in range(len(own)):
        made = prepared()
        with system.cloud.fault(kind, k):
            system.drain()
        system.drain()
        system.skip(store.PATIENCE)
        system.invoke("session_replays/ring_delete_jobs")
        system.drain()
        assert (job(system, made)["status"], job(system, made)["countDeleted"]) == ("completed", 2), (k, str(calls[own[k]]))
        assert live(system) == set()
        assert system.objects(prefix="rec/") == {}


def test_two_workers_at_once_do_one_work(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second worker runs completely just before the k-th call of the first, for every k."""
    monkeypatch.setattr(running, "BATCH", 1)
    acme = system.acme
    k = 0
    while True:
        for back in range(2):
            record(system, acme.web, at=system.now - 5 - back)
        made = create(system).json()["data"]["id"]
        ran: list[int] = []

        def other(made: int = made, ran: list[int] = ran) -> None:
            ran.append(running.run(acme.id, acme.web.project_id, made, seconds_left=lambda: 100))

        with system.cloud.between(k, other):
            system.drain()
        assert (job(system, made)["status"], job(system, made)["countDeleted"]) == ("completed", 2), k
        assert live(system) == set()
        if not ran:
            break
        k += 1
    assert k > 10
