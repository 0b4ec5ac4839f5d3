"""GET /api/0/organizations/{org}/projects/: what Sentry's CLI and MCP server ask to find projects."""

from __future__ import annotations

from tests.harness import System
from tests.harness.gateway import Response

URL = "/api/0/organizations/acme/projects/"


def projects(system: System, by: str = "member", **query: object) -> Response:
    """GET acme's projects."""
    return system.request("GET", URL, query=query, token=system.acme.token(by))


def test_the_callers_projects_are_listed_as_each_shows_itself(system: System) -> None:
    listed = projects(system).json()
    assert [each["slug"] for each in listed] == ["web", "shop"]
    one = system.request("GET", "/api/0/projects/acme/web/", token=system.acme.token("member")).json()
    assert listed[0] == {name: value for name, value in one.items() if name != "organization"}
    assert projects(system, by="outsider").json() == []


def test_a_page_at_a_time(system: System) -> None:
    first = projects(system, per_page=1)
    assert [each["slug"] for each in first.json()] == ["web"]
    assert [each["slug"] for each in projects(system, per_page=1, cursor=first.links["next"]["cursor"]).json()] == ["shop"]
