"""GET …/replays/jobs/delete/{job_id}/: contract §1.12."""

from __future__ import annotations

import pytest

from tests.harness import System
from tests.session_replays.test_create_delete_job import JOBS, create, job


def test_a_job_tells_how_far_it_is(system: System) -> None:
    made = create(system).json()["data"]
    assert job(system, made["id"]) == made
    system.drain()
    assert job(system, made["id"])["status"] == "completed"


@pytest.mark.parametrize("job_id", ["4711", "x", "-1", "1.0", "99999999999", "%C2%B2"])
def test_a_job_that_there_is_not(system: System, job_id: str) -> None:
    answer = system.request("GET", f"{JOBS}{job_id}/", token=system.acme.token("admin"))
    assert (answer.status, answer.json()) == (404, {"detail": "The requested resource does not exist"})
