"""GET /api/bucket/{id}/data/events/tail: a bucket followed by long poll."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import System
from tests.harness.agent import bucket_url, put, record
from tests.harness.gateway import Response


def tail(system: System, *, by: str = "member", **query: Any) -> Response:
    """GET what came."""
    return system.request("GET", bucket_url(system.acme.web, "/data/events/tail"), query=query, token=system.acme.token(by))


def test_following_tells_every_event_once_and_in_order(system: System) -> None:
    put(system, system.acme, record(n=0))
    start = tail(system).json()
    assert start == {"next": 1, "events": []}
    put(system, system.acme, record(n=1), record("left"), record(n=2))
    put(system, system.acme, record(n=3))
    first = tail(system, after=start["next"], limit=2, event_name="paid").json()
    assert [event["data"]["n"] for event in first["events"]] == [1, 2]
    second = tail(system, after=first["next"], event_name="paid").json()
    assert [event["data"]["n"] for event in second["events"]] == [3]
    assert tail(system, after=second["next"]).json() == {"next": 5, "events": []}


def test_it_waits_for_the_first_event_and_no_longer_than_asked(system: System) -> None:
    before = system.now
    assert tail(system, after=0, wait=20).json() == {"next": 0, "events": []}
    assert 20 <= system.now - before < 21
    before = system.now
    with system.cloud.between(8, lambda: put(system, system.acme, record(n=1)) and None):
        answer = tail(system, after=0, wait=20).json()
    assert [event["data"]["n"] for event in answer["events"]] == [1]
    assert system.now - before < 20


def test_a_bucket_that_was_emptied_is_followed_on(system: System) -> None:
    put(system, system.acme, record(n=1))
    at = tail(system).json()["next"]
    system.request("DELETE", bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token("owner"))
    assert tail(system, after=at).json() == {"next": at, "events": []}
    put(system, system.acme, record(n=2))
    assert [event["data"]["n"] for event in tail(system, after=at).json()["events"]] == [2]


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": -1}, {"wait": 21}, {"wait": "x"}, {"limit": 0}, {"limit": 1001}])
def test_invalid_parameters_are_a_400_with_a_msg(system: System, query: dict[str, Any]) -> None:
    answer = tail(system, **query)
    assert (answer.status, list(answer.json())) == (400, ["msg"])


def test_an_outsider_may_not_follow(system: System) -> None:
    assert tail(system, by="outsider").status == 403
