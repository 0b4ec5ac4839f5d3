"""GET /api/0/organizations/{org}/tags/{key}/values/: contract §1.13; the path that today's clients ask."""

from __future__ import annotations

from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import record


def values(system: System, key: str, *, by: str = "member", **query: object) -> Response:
    """GET the values of one of acme's tags."""
    return system.request("GET", f"/api/0/organizations/acme/tags/{key}/values/", query=query, token=system.acme.token(by))


def test_values_of_all_projects_are_counted_together(system: System) -> None:
    record(system, system.acme.web, tags={"plan": "free"})
    record(system, system.acme.shop, tags={"plan": "free"})
    record(system, system.globex.web, tags={"plan": "free"})
    assert [(row["value"], row["count"]) for row in values(system, "plan", includeReplays="1").json()] == [("free", 2)]
    assert [row["count"] for row in values(system, "plan", projectSlug="web").json()] == [1]
    assert values(system, "plan", by="outsider").json() == []


def test_a_sort_that_there_is_not_is_a_400(system: System) -> None:
    assert values(system, "plan", sort="value").status == 400
