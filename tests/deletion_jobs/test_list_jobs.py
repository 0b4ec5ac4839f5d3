"""GET /api/v1/{project_key}/jobs, and the description's curl lines as they stand (decision 26)."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.deletion_jobs.asking import ask, cancel, erase, jobs_url
from tests.harness import System

SEED = """
curl -X GET \\
https://openreplay.example.com/api/v1/3sWXSsqHgSKnE87YkNJK/jobs \\
-H 'content-type: application/json' \\
-H 'Authorization: {YOUR_ORGANIZATION_API_KEY}'

curl -X GET \\
https://openreplay.example.com/api/v1/3sWXSsqHgSKnE87YkNJK/jobs/3451\\
-H 'content-type: application/json' \\
-H 'Authorization: {YOUR_ORGANIZATION_API_KEY}'

curl -X DELETE \\
https://openreplay.example.com/api/v1/3sWXSsqHgSKnE87YkNJK/jobs/3452 \\
-H 'content-type: application/json' \\
-H 'Authorization: {YOUR_ORGANIZATION_API_KEY}'
"""
MEMBERS = ["jobId", "description", "status", "projectId", "action", "referenceId", "createdAt", "updatedAt", "startAt", "errors"]


def listed(system: System, **query: object) -> list[int]:
    """The numbers of a list's jobs."""
    answer = ask(system, "GET", jobs_url(system.acme.web), query=query, by="member")
    assert answer.status == 200, answer
    return [each["jobId"] for each in answer.json()["data"]]


def test_all_jobs_are_listed_newest_first_whatever_became_of_them(system: System) -> None:
    done = erase(system, "a")["jobId"]
    system.drain()
    off = erase(system, "b", now=False)["jobId"]
    cancel(system, off)
    waiting = erase(system, "c", now=False)["jobId"]
    erase(system, "c", now=False, of=system.acme.shop)
    answer = ask(system, "GET", jobs_url(system.acme.web)).json()["data"]
    assert [(each["jobId"], each["status"]) for each in answer] == [(waiting, "scheduled"), (off, "cancelled"), (done, "completed")]
    assert [list(each) for each in answer] == [MEMBERS] * 3


def test_limit_and_page_choose_and_what_is_out_of_range_falls_back(system: System) -> None:
    ids = [erase(system, f"u{n}", now=False)["jobId"] for n in range(5)][::-1]
    assert listed(system, limit=2) == ids[:2]
    assert listed(system, limit=2, page=2) == ids[2:4]
    assert listed(system, limit=2, page=9) == []
    for query in ({"limit": 0}, {"limit": 201}, {"limit": -1}, {"limit": "x"}, {"page": 0}, {"page": "x"}, {"limit": "²"}, {}):
        assert listed(system, **query) == ids, query


@pytest.mark.parametrize("key", ["own", "foreign"])
def test_the_curl_lines_of_the_description_run_as_they_stand(system: System, key: str) -> None:
    """Method, URL, headers from the text itself; the sample's names are put in the place of ours."""
    first, second = erase(system, "shekar@example.com", now=False)["jobId"], erase(system, "mehdi@openreplay.com", now=False)["jobId"]
    world = system.acme if key == "own" else system.globex
    ours = {"3sWXSsqHgSKnE87YkNJK": system.acme.web.project_key, "{YOUR_ORGANIZATION_API_KEY}": world.org_key}
    text = SEED
    for theirs, mine in ours.items():
        text = text.replace(theirs, mine)
    text = re.sub(r"jobs/3451\b", f"jobs/{first}", re.sub(r"jobs/3452\b", f"jobs/{second}", text))
    answers = []
    for command in text.strip().split("\n\n"):
        words = shlex.split(command.replace("\\\n", " "))
        headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
        path = words[3].removeprefix("https://openreplay.example.com")
        answers.append(system.request(words[2], path, headers=headers))
    if key == "foreign":
        assert [(answer.status, answer.json()) for answer in answers] == [(404, {"errors": ["project not found."]})] * 3
        return
    assert [answer.status for answer in answers] == [200] * 3
    everything, one, cancelled = (answer.json()["data"] for answer in answers)
    assert [each["jobId"] for each in everything] == [second, first]
    assert one == everything[1]
    assert cancelled == {**everything[0], "status": "cancelled", "updatedAt": cancelled["updatedAt"]}


def test_the_seed_is_the_one_that_is_kept_here() -> None:
    """The lines above are the description's, to the byte, where its text is at hand."""
    seed = Path("/work/shared/contracts/deletion-jobs.seed.txt")
    if not seed.exists():
        pytest.skip("the descriptions are not here")
    commands = [block.strip() for block in re.findall(r"curl -X (?:.+\n)+?-H 'Auth.+", seed.read_text())]
    assert commands == [block.strip() for block in SEED.strip().split("\n\n")]
    assert json.loads(seed.read_text().split("Example Response")[1].split("Get job details")[0])["data"][0].keys() == set(MEMBERS)
