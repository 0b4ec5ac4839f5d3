"""POST …/replays/jobs/delete/: contract §1.12, case 60."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck import clock
from tapedeck.session_replays.delete_jobs import store
from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import index, record

JOBS = "/api/0/projects/acme/web/replays/jobs/delete/"


def order(system: System, **changes: Any) -> dict[str, Any]:
    """The body of a job for everything of the last week, with some members changed; None leaves one out."""
    data = {
        "rangeStart": clock.iso(system.now - 7 * 86400),
        "rangeEnd": clock.iso(system.now + 60),
        "environments": [],
        "query": "",
        **changes,
    }
    return {"data": {name: value for name, value in data.items() if value is not ...}}


def create(system: System, *, by: str = "admin", **changes: Any) -> Response:
    """POST a job."""
    return system.request("POST", JOBS, json=order(system, **changes), token=system.acme.token(by))


def job(system: System, job_id: int) -> dict[str, Any]:
    """GET a job, which must be there."""
    answer = system.request("GET", f"{JOBS}{job_id}/", token=system.acme.token("admin"))
    assert answer.status == 200, answer
    data: dict[str, Any] = answer.json()["data"]
    return data


def live(system: System) -> set[str]:
    """The ids of acme's replays that are not deleted."""
    return {row["id"] for row in index(system, system.acme, per_page=100).json()["data"] if not row["is_archived"]}


def test_case_60_a_job_is_pending_and_a_null_query_is_an_empty_one(system: System) -> None:
    answer = create(system, query=None, environments=["prod"])
    assert answer.status == 201
    data = answer.json()["data"]
    assert data == {
        "id": 1,
        "dateCreated": clock.iso(system.now),
        "dateUpdated": clock.iso(system.now),
        "rangeStart": clock.iso(system.now - 7 * 86400),
        "rangeEnd": clock.iso(system.now + 60),
        "environments": ["prod"],
        "status": "pending",
        "query": "",
        "countDeleted": 0,
    }
    assert create(system).json()["data"]["id"] == 2


@pytest.mark.parametrize("missing", ["rangeStart", "rangeEnd", "environments", "query"])
def test_case_60_all_four_keys_are_required(system: System, missing: str) -> None:
    answer = create(system, **{missing: ...})
    assert (answer.status, answer.json()) == (400, {"data": {missing: ["This field is required."]}})


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": []}])
def test_a_body_without_data_is_a_400(system: System, body: dict[str, Any]) -> None:
    answer = system.request("POST", JOBS, json=body, token=system.acme.token("admin"))
    assert (answer.status, answer.json()) == (400, {"data": {"data": ["This field is required."]}})


@pytest.mark.parametrize("end", [0, -1])
def test_case_60_the_range_must_not_be_empty(system: System, end: int) -> None:
    answer = create(system, rangeStart=clock.iso(system.now), rangeEnd=clock.iso(system.now + end))
    assert (answer.status, answer.json()) == (400, {"data": {"non_field_errors": ["rangeStart must be before rangeEnd"]}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"rangeStart": "yesterday"},
        {"rangeEnd": 5},
        {"environments": "prod"},
        {"environments": [""]},
        {"environments": [None]},
        {"query": 5},
        {"query": "x" * 4097},
    ],
)
def test_what_is_no_range_environment_or_query_is_a_400_that_names_it(system: System, wrong: dict[str, Any]) -> None:
    answer = create(system, **wrong)
    assert answer.status == 400
    assert list(answer.json()["data"]) == list(wrong)


def test_case_60_members_may_not(system: System) -> None:
    assert create(system, by="member").status == 403


def test_a_bell_that_was_lost_is_rung_again(system: System) -> None:
    """The job is there, and its message is not."""
    replay_id = record(system, system.acme.web)
    with system.cloud.watch() as calls:
        create(system)
    [bell] = [k for k, call in enumerate(calls) if call.service == "sqs"]
    system.drain()
    assert replay_id not in live(system)
    again = record(system, system.acme.web)
    with system.cloud.fault("killed-before", bell):
        create(system)
    assert system.drain() == 0
    system.skip(store.PATIENCE)
    system.invoke("session_replays/ring_delete_jobs")
    system.drain()
    assert again not in live(system)
    assert job(system, 2)["status"] == "completed"
