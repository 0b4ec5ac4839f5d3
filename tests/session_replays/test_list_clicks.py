"""GET …/clicks/: the description's "Replay Click", contract §5, cases 48–54."""

from __future__ import annotations

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url


def clicked(system: System) -> str:
    """A replay with three clicks: two divs, the second of them dead, and a button between them."""
    at = system.now - 10
    return record(
        system,
        system.acme.web,
        events=[
            envelopes.click(3, at=at + 4, tag="div", id="late", **{"class": "x"}),
            envelopes.click(2, at=at + 2, tag="button", id="buy", role="button"),
            envelopes.click(1, at=at, tag="div", id="early", **{"class": "x y"}),
        ],
    )


def clicks(system: System, replay_id: str, **query: object) -> Response:
    """GET the clicks of a replay of acme/web."""
    url = replay_url(system.acme, system.acme.web, replay_id, "clicks/")
    return system.request("GET", url, query=query, token=system.acme.token("member"))


def nodes(system: System, replay_id: str, query: str) -> list[int]:
    """The nodes that a query finds."""
    answer = clicks(system, replay_id, query=query)
    assert answer.status == 200, answer
    return [click["node_id"] for click in answer.json()["data"]]


def test_clicks_are_listed_earliest_first_with_unix_seconds(system: System) -> None:
    """Decision 33."""
    at = int(system.now - 10)
    assert clicks(system, clicked(system)).json() == {
        "data": [{"node_id": 1, "timestamp": at}, {"node_id": 2, "timestamp": at + 2}, {"node_id": 3, "timestamp": at + 4}]
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("click.tag:div", [1, 3]),
        ("click.tag:div click.tag:button", [1, 2, 3]),
        ("click.tag:div AND click.tag:button", [1, 2, 3]),
        ("(click.tag:div click.tag:button)", [1, 2, 3]),
        ("click.selector:div#early", [1]),
        ("!click.selector:div#early", [2, 3]),
        ('click.selector:"[role=button]"', [2]),
        ("click.class:y", [1]),
        ("click.id:b*", [2]),
        ("dead.selector:div", []),
    ],
)
def test_case_54_a_query_asks_each_click_and_every_and_is_an_or(system: System, query: str, expected: list[int]) -> None:
    assert nodes(system, clicked(system), query) == expected


def test_dead_and_rage_selectors(system: System) -> None:
    at = system.now - 10
    replay_id = record(
        system, system.acme.web, events=[envelopes.slow_click(1, at=at, clicks=5, id="a"), envelopes.slow_click(2, at=at, clicks=1, id="b")]
    )
    assert nodes(system, replay_id, "dead.selector:button") == [1, 2]
    assert nodes(system, replay_id, "rage.selector:button") == [1]


@pytest.mark.parametrize("query", ["abc:123", "user.id:1", "hello", "click.selector:div::before"])
def test_what_clicks_do_not_have_is_a_400(system: System, query: str) -> None:
    answer = clicks(system, clicked(system), query=query)
    assert answer.status == 400
    assert answer.json()["detail"]


def test_pages_by_cursor_and_by_limit_and_offset(system: System) -> None:
    replay_id = clicked(system)
    first = clicks(system, replay_id, per_page=2)
    assert first.links["next"]["results"] == "true"
    assert [click["node_id"] for click in clicks(system, replay_id, cursor=first.links["next"]["cursor"]).json()["data"]] == [3]
    assert [click["node_id"] for click in clicks(system, replay_id, limit=1, offset=1).json()["data"]] == [2]


def test_an_unknown_replay_has_no_clicks_and_a_bad_id_is_not_found(system: System) -> None:
    assert (clicks(system, "0" * 32).status, clicks(system, "0" * 32).json()) == (200, {"data": []})
    assert (clicks(system, "nonsense").status, clicks(system, "nonsense").body) == (404, b"")


def test_a_deleted_replay_has_no_clicks(system: System) -> None:
    replay_id = clicked(system)
    system.request("DELETE", replay_url(system.acme, system.acme.web, replay_id), token=system.acme.token("owner"))
    assert clicks(system, replay_id).json() == {"data": []}
