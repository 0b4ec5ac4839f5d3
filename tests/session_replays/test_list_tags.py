"""GET /api/0/organizations/{org}/tags/: contract §1.13; the path that today's clients ask."""

from __future__ import annotations

from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import record


def tags(system: System, *, by: str = "member", **query: object) -> Response:
    """GET acme's tag keys."""
    return system.request("GET", "/api/0/organizations/acme/tags/", query=query, token=system.acme.token(by))


def test_tags_of_all_projects_of_the_caller_or_of_those_asked_for(system: System) -> None:
    record(system, system.acme.web, tags={"plan": "free", "web": "1"})
    record(system, system.acme.shop, tags={"plan": "free"})
    record(system, system.globex.web, tags={"theirs": "1"})
    assert tags(system, dataset="replays").json() == [
        {"key": "plan", "name": "Plan", "totalValues": 2},
        {"key": "web", "name": "Web", "totalValues": 1},
    ]
    assert tags(system, project=system.acme.shop.project_id).json() == [{"key": "plan", "name": "Plan", "totalValues": 1}]
    assert tags(system, by="outsider").json() == []


def test_of_another_dataset_there_are_no_tags(system: System) -> None:
    record(system, system.acme.web, tags={"plan": "free"})
    assert tags(system, dataset="errors").json() == []
    assert len(tags(system).json()) == 1
