"""GET …/replays/jobs/delete/: contract §1.12."""

from __future__ import annotations

from tests.harness import System
from tests.session_replays.test_create_delete_job import JOBS, create


def test_jobs_are_listed_newest_first_a_page_at_a_time(system: System) -> None:
    token = system.acme.token("admin")
    assert system.request("GET", JOBS, token=token).json() == {"data": []}
    made = [create(system).json()["data"] for _ in range(3)]
    assert system.request("GET", JOBS, token=token).json() == {"data": made[::-1]}
    first = system.request("GET", JOBS, query={"per_page": 2}, token=token)
    assert first.links["next"]["results"] == "true"
    rest = system.request("GET", JOBS, query={"per_page": 2, "cursor": first.links["next"]["cursor"]}, token=token)
    assert rest.json() == {"data": made[:1]}


def test_another_projects_jobs_are_not_in_it_and_members_may_not_look(system: System) -> None:
    create(system)
    token = system.acme.token("admin")
    assert system.request("GET", JOBS.replace("web", "shop"), token=token).json() == {"data": []}
    assert system.request("GET", JOBS, token=system.acme.token("member")).status == 403
