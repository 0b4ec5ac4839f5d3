"""DELETE /api/v1/{project_key}/users/{user_id}: decisions 16 to 18 and 21; whoever the id names, however it is spelt, is who is erased."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.deletion_jobs.asking import ask, erase, erased, job, jobs_url, user_url
from tests.harness import KINDS, System, agent
from tests.harness.cloud import Kind
from tests.harness.sdk import index, read, record

STRANGE = [
    "shekar@example.com", "a/b", "/", "50%", "100%25", "a%2Fb", "%2525", "a b", "a+b", "~", "ünï@köln.de", "用户-1", "🦆", "..", "a?b#c", "'; --", "x" * 256, "\u202e",
]  # fmt: skip


def test_the_job_is_as_the_description_shows_it(system: System) -> None:
    """Contract §3.3: scheduled for the next UTC midnight, `updatedAt` = `createdAt`, the user's id in `description` and `referenceId`."""
    made = erase(system, "shekar@example.com", now=False)
    now = int(system.now * 1000)
    midnight = int(datetime(2026, 3, 6, tzinfo=UTC).timestamp() * 1000)
    assert made == {
        "jobId": made["jobId"],
        "description": "Delete user sessions of userId = shekar@example.com",
        "status": "scheduled",
        "projectId": system.acme.web.project_id,
        "action": "delete_user_data",
        "referenceId": "shekar@example.com",
        "createdAt": now,
        "updatedAt": now,
        "startAt": midnight,
        "errors": None,
    }
    assert job(system, made["jobId"]) == made


@pytest.mark.parametrize("user_id", STRANGE)
def test_an_id_is_decoded_exactly_once(system: System, user_id: str) -> None:
    record(system, system.acme.web, user={"id": "somebody else"})
    assert erase(system, user_id)["referenceId"] == user_id


@pytest.mark.parametrize("user_id", ["a/b", "100%25", "ünï@köln.de", "x" * 256])
def test_who_is_spelt_so_is_who_goes(system: System, user_id: str) -> None:
    theirs = record(system, system.acme.web, user={"id": user_id})
    others = [record(system, system.acme.web, user={"id": each}) for each in ("a", "b", "100%", "%" + quote(user_id, safe=""))]
    agent.put(system, system.acme, {**agent.record(), "user": f" {user_id} "})
    counts = erased(system, f" {user_id}\n")["counts"]
    assert (counts["sessions"], counts["events"]) == (1, 1)
    assert read(system, system.acme, system.acme.web, theirs).status == 404
    assert {row["id"] for row in index(system, system.acme).json()["data"]} == set(others)


def test_both_forms_of_the_key_open_it_and_nothing_else(system: System) -> None:
    """Decision 18: raw or Bearer. Contract §3.2: `Invalid API Key`, `project not found.`"""
    url = user_url(system.acme.web, "ann")
    for header in (system.acme.org_key, f"Bearer {system.acme.org_key}", f"bearer {system.acme.org_key}"):
        assert system.request("GET", url, headers={"Authorization": header}).status == 200
    for headers in ({}, {"Authorization": "nonsense"}, {"Authorization": f"Basic {system.acme.org_key}"}):
        answer = system.request("DELETE", url, headers=headers)
        assert answer.status == 401, headers
        assert list(answer.json()) == ["errors"]
    assert system.request("DELETE", url).json() == {"errors": ["Invalid API Key"]}
    for key in (system.globex.web.project_key, "3sWXSsqHgSKnE87YkNJK", "*", "%00"):
        answer = system.request("DELETE", f"/api/v1/{key}/users/ann", headers={"Authorization": system.acme.org_key})
        assert (answer.status, answer.json()) == (404, {"errors": ["project not found."]}), key


def test_a_second_one_is_refused_while_one_is_under_way(system: System) -> None:
    """Decision 17. Another user, and another environment, are another job."""
    first = erase(system, "ann", now=False)
    again = ask(system, "DELETE", user_url(system.acme.web, "ann"))
    assert again.status == 409
    assert f"Job {first['jobId']}" in again.json()["errors"][0]
    erase(system, "Ann", now=False)
    erase(system, "ann", now=False, of=system.acme.shop)
    ask(system, "DELETE", jobs_url(system.acme.web, first["jobId"]))
    erase(system, "ann", now=True)
    system.drain()
    erase(system, "ann", now=True)


def test_an_id_that_nobody_can_have_is_refused(system: System) -> None:
    answer = ask(system, "DELETE", user_url(system.acme.web, "x" * 257))
    assert (answer.status, answer.json()) == (400, {"errors": ["A user id has 1 to 256 characters."]})
    assert ask(system, "DELETE", f"/api/v1/{system.acme.web.project_key}/users/").status == 404, "never everybody (T5)"
    assert ask(system, "GET", jobs_url(system.acme.web)).json() == {"data": []}


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_anywhere_leaves_one_job_or_none(system: System, kind: Kind) -> None:
    """F1: whatever is lost, the same request again finds the job (409 names it), and there is one that will run."""
    with system.cloud.watch() as calls:
        erase(system, "calm", now=False)
    for k in range(len(calls)):
        user_id = f"u{k}"
        with system.cloud.fault(kind, k) as fault:
            answer = ask(system, "DELETE", user_url(system.acme.web, user_id))
        assert fault.happened
        if answer.status != 200:
            assert answer.status in (502, 503), (k, str(calls[k]), answer)
            assert ask(system, "DELETE", user_url(system.acme.web, user_id)).status in (200, 409)
        listed = ask(system, "GET", jobs_url(system.acme.web)).json()["data"]
        assert len([each for each in listed if each["referenceId"] == user_id]) == 1
    system.skip(14 * 3600)
    system.invoke("deletion_jobs/sweep_erasures")
    system.drain()
    assert {each["status"] for each in ask(system, "GET", jobs_url(system.acme.web)).json()["data"]} == {"completed"}
