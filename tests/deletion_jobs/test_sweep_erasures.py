"""The sweeper of erasures, the schedules that ring, and a bell that is rung 0, 1, 2, 3 times, late or early (F13, F14)."""

from __future__ import annotations

import pytest

from tapedeck.deletion_jobs import store
from tests.deletion_jobs.asking import cancel, erase, job, work
from tests.harness import System
from tests.harness.sdk import read, record

DAY = 86400


def test_a_scheduled_one_begins_at_midnight_by_itself(system: System) -> None:
    replay_id = record(system, system.acme.web, user={"id": "ann"})
    made = erase(system, "ann", now=False)
    [schedule] = system.client("scheduler").list_schedules()["Schedules"]
    assert schedule["Name"] == f"erase-{made['jobId']}"
    due = system._one_time_schedules()
    assert [each.at for each in due] == [made["startAt"] / 1000]
    system.skip(made["startAt"] / 1000 - system.now - 1)
    due[0].run(system)
    assert job(system, made["jobId"])["status"] == "scheduled", "a bell that is early"
    system.skip(1)
    due[0].run(system)
    assert job(system, made["jobId"])["status"] == "completed"
    assert read(system, system.acme, system.acme.web, replay_id).status == 404
    for _ in range(3):
        due[0].run(system)
    assert job(system, made["jobId"])["status"] == "completed"


def test_a_lost_bell_is_rung_for_and_nothing_else_is(system: System) -> None:
    waiting, off = erase(system, "ann", now=False), erase(system, "bob", now=False)
    cancel(system, off["jobId"])
    assert system.invoke("deletion_jobs/sweep_erasures") == {"rung": 0}
    system.skip(14 * 3600 + 300)
    assert system.invoke("deletion_jobs/sweep_erasures") == {"rung": 1}
    system.drain()
    assert job(system, waiting["jobId"])["status"] == "completed"
    assert system.invoke("deletion_jobs/sweep_erasures") == {"rung": 0}


def test_a_worker_that_was_lost_is_rung_for_when_nobody_can_be_at_it_any_more(system: System) -> None:
    record(system, system.acme.web, user={"id": "ann"})
    made = erase(system, "ann")["jobId"]
    with system.cloud.fault("killed-after", 12):
        work(system, made)
    assert job(system, made)["status"] == "running"
    system.client("sqs").purge_queue(QueueUrl=system.template.physical_id("ErasureBells"))
    system.skip(store.PATIENCE - 1)
    assert system.invoke("deletion_jobs/sweep_erasures") == {"rung": 0}
    system.skip(1)
    assert system.invoke("deletion_jobs/sweep_erasures") == {"rung": 1}
    system.drain()
    assert job(system, made)["status"] == "completed"


@pytest.mark.parametrize("delay", ["0", "90"])
def test_the_stack_may_have_another_delay(delay: str) -> None:
    """Decision 17: the `DeletionDelay` parameter."""
    with System(Stage="staging", DeletionDelay=delay) as system:
        made = erase(system, "ann", now=False)
        assert made["startAt"] == (system.now + int(delay)) * 1000
        system.drain()
        assert job(system, made["jobId"])["status"] == ("completed" if delay == "0" else "scheduled")
        system.skip(90)
        system.invoke("deletion_jobs/sweep_erasures")
        system.drain()
        assert job(system, made["jobId"])["status"] == "completed"


def test_what_cannot_be_scheduled_is_asked_for_all_the_same(system: System) -> None:
    """F14: create_schedule fails after the row was written."""
    with system.cloud.watch() as calls:
        erase(system, "calm", now=False)
    k = [str(call) for call in calls].index("scheduler:CreateSchedule")
    with system.cloud.fault("refused", k):
        made = erase(system, "ann", now=False)
    assert len(system.client("scheduler").list_schedules()["Schedules"]) == 1
    system.skip(DAY)
    system.invoke("deletion_jobs/sweep_erasures")
    system.drain()
    assert job(system, made["jobId"])["status"] == "completed"
