"""GET /api/0/organizations/{org}/replay-selectors/: contract §1.11, case 59."""

from __future__ import annotations

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record


def selectors(system: System, *, by: str = "member", **query: object) -> Response:
    """GET acme's clicked elements."""
    return system.request("GET", "/api/0/organizations/acme/replay-selectors/", query=query, token=system.acme.token(by))


def test_case_59_clicks_on_the_same_element_are_one_row(system: System) -> None:
    at = system.now - 10
    look = {
        "id": "id",
        "role": "button",
        "alt": "alt",
        "testId": "t",
        "aria-label": "label",
        "title": "title",
        "data-sentry-component": "Pay",
    }
    record(system, system.acme.web, events=[envelopes.slow_click(1, at=at, clicks=1, **look, **{"class": "a b"})])
    record(system, system.acme.web, events=[envelopes.slow_click(7, at=at, clicks=5, **look, **{"class": "a  b "})])
    assert selectors(system).json() == {
        "data": [
            {
                "count_dead_clicks": 2,
                "count_rage_clicks": 1,
                "dom_element": 'button#id.a.b[role="button"][alt="alt"][testid="t"][aria="label"][title="title"][component_name="Pay"]',
                "element": {
                    "alt": "alt",
                    "aria_label": "label",
                    "class": ["a", "b"],
                    "component_name": "Pay",
                    "id": "id",
                    "project_id": system.acme.web.project_id,
                    "role": "button",
                    "tag": "button",
                    "testid": "t",
                    "title": "title",
                },
                "project_id": system.acme.web.project_id,
            }
        ]
    }
    assert selectors(system, query="count_dead_clicks:1").json() == {"data": []}
    assert len(selectors(system, query="count_dead_clicks:>1").json()["data"]) == 1


def test_all_clicks_are_in_and_the_most_often_dead_come_first(system: System) -> None:
    at = system.now - 10
    record(
        system,
        system.acme.web,
        events=[
            envelopes.click(1, at=at, tag="span"),
            envelopes.slow_click(2, at=at, clicks=1, id="dead"),
            envelopes.slow_click(3, at=at, clicks=1, id="dead"),
            envelopes.slow_click(4, at=at, clicks=5, id="rage"),
        ],
    )
    assert [row["dom_element"] for row in selectors(system).json()["data"]] == ["button#dead", "button#rage", "span"]
    assert selectors(system, sort="-count_rage_clicks").json()["data"][0]["dom_element"] == "button#rage"
    assert selectors(system, sort="count_dead_clicks").json()["data"][0]["dom_element"] == "span"


@pytest.mark.parametrize("query", [{"sort": "tag"}, {"query": "click.tag:div"}, {"query": "count_dead_clicks:x"}, {"per_page": "0"}])
def test_other_fields_and_sorts_are_a_400(system: System, query: dict[str, str]) -> None:
    answer = selectors(system, **query)
    assert answer.status == 400
    assert answer.json()["detail"]


def test_environments_and_projects_choose_the_replays(system: System) -> None:
    at = system.now - 10
    for project, environment in ((system.acme.web, "production"), (system.acme.web, "staging"), (system.acme.shop, "production")):
        record(system, project, environment=environment, events=[envelopes.slow_click(1, at=at, clicks=1)])
    [web, shop] = sorted(selectors(system).json()["data"], key=lambda row: row["project_id"])
    assert (web["count_dead_clicks"], shop["count_dead_clicks"]) == (2, 1)
    assert [row["count_dead_clicks"] for row in selectors(system, environment="staging").json()["data"]] == [1]
    assert [row["count_dead_clicks"] for row in selectors(system, project=system.acme.shop.project_id).json()["data"]] == [1]
    assert selectors(system, environment="nowhere").status == 404
    assert selectors(system, by="outsider").json() == {"data": []}


def test_a_page_holds_ten_unless_asked_otherwise(system: System) -> None:
    at = system.now - 10
    record(system, system.acme.web, events=[envelopes.click(n, at=at, id=f"b{n}") for n in range(12)])
    first = selectors(system)
    assert len(first.json()["data"]) == 10
    assert first.links["next"]["results"] == "true"
    assert len(selectors(system, cursor=first.links["next"]["cursor"]).json()["data"]) == 2
