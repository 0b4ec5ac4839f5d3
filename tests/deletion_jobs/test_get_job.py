"""GET /api/v1/{project_key}/jobs/{deletion_job_id}: one job; another project's answers like an unknown one."""

from __future__ import annotations

import pytest

from tests.deletion_jobs.asking import ask, erase, job, jobs_url
from tests.harness import System


def test_a_job_is_told_as_it_is_now(system: System) -> None:
    made = erase(system, "ann")
    assert job(system, made["jobId"]) == made
    system.now += 5
    system.drain()
    assert job(system, made["jobId"]) == {**made, "status": "completed", "updatedAt": made["updatedAt"] + 5000}


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_unknown_foreign_and_nonsense_are_one_answer(system: System, method: str) -> None:
    """Contract §3.4: 404 `Job not found.` for GET and DELETE; a path takes digits only."""
    made = erase(system, "ann", now=False)["jobId"]
    theirs = system.request("DELETE", f"/api/v1/{system.globex.web.project_key}/users/ann", token=system.globex.org_key).json()["data"]["jobId"]
    siblings = erase(system, "ann", now=False, of=system.acme.shop)["jobId"]
    assert len({made, theirs, siblings}) == 3, "numbers are given out once, to whomever"
    for name in (theirs, siblings, 4711, "0", "x", "-1", "1.0", "9" * 30, "%C2%B2"):
        answer = ask(system, method, jobs_url(system.acme.web, name))
        assert (answer.status, answer.json()) == (404, {"errors": ["Job not found."]}), name
    assert job(system, made)["status"] == "scheduled"
