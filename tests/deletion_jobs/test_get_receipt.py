"""GET /api/v1/{project_key}/jobs/{deletion_job_id}/receipt: decision 25; whoever has it can check it, and it names nobody."""

from __future__ import annotations

import hashlib
import json

import pytest

from tapedeck.deletion_jobs import receipts
from tests.deletion_jobs.asking import ask, cancel, erase, erased, jobs_url, receipt
from tests.harness import System, agent
from tests.harness.sdk import record


def test_the_receipt_counts_what_has_gone_and_seals_it(system: System) -> None:
    web = system.acme.web
    for _ in range(2):
        record(system, web, segments=3, user={"id": "ann@example.com"})
    agent.put(system, system.acme, {**agent.record(), "user": "ann@example.com"}, {**agent.record(), "user": "bob"})
    keys = set(system.objects(prefix="rec/"))
    told = erased(system, "ann@example.com")
    assert told["counts"] == {
        "sessions": 2, "segments": 6, "recordings": 6, "pages": 0, "lines": 0, "uploads": 0, "events": 1, "chunks": 1, "collections": 1, "captures": 0, "answers": 0,
    }  # fmt: skip
    assert set(told["objects"]) == {hashlib.sha256(key.encode()).hexdigest() for key in keys}
    assert told["user_hash"] == hashlib.sha256(b"ann@example.com").hexdigest()
    assert (told["verified_absent"], told["project_id"]) == (True, web.project_id)
    assert "ann@example.com" not in json.dumps(told)
    rest = {name: value for name, value in told.items() if name != "sha256"}
    assert told["sha256"] == hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    [(key, body)] = system.objects(prefix=f"receipts/{system.acme.id}/").items()
    assert key.endswith(f"/{told['job_id']}/{told['sha256']}.json")
    assert json.loads(body) == told


def test_there_is_none_of_a_job_that_is_not_completed(system: System) -> None:
    made = erase(system, "ann", now=False)["jobId"]
    url = jobs_url(system.acme.web, made, "/receipt")
    assert (ask(system, "GET", url).status, ask(system, "GET", url).json()) == (404, {"errors": ["There is no receipt: the job is scheduled."]})
    cancel(system, made)
    assert ask(system, "GET", url).json() == {"errors": ["There is no receipt: the job is cancelled."]}
    assert ask(system, "GET", jobs_url(system.acme.web, 4711, "/receipt")).json() == {"errors": ["Job not found."]}


def test_of_nobody_there_is_a_receipt_of_nothing(system: System) -> None:
    told = erased(system, "nobody")
    assert set(told["counts"].values()) == {0}
    assert told["objects"] == []


def test_a_receipt_larger_than_an_answer_waits_in_the_bucket(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    record(system, system.acme.web, user={"id": "ann"})
    told = erased(system, "ann")
    monkeypatch.setattr(receipts, "_MOST_ANSWERED", 100)
    answer = ask(system, "GET", jobs_url(system.acme.web, told["job_id"], "/receipt"))
    assert answer.status == 302
    assert system.follow(answer).json() == told
    monkeypatch.undo()
    assert receipt(system, told["job_id"]) == told
