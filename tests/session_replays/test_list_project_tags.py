"""GET …/replays/tags/: the description's "Replay Tag Keys", contract §5."""

from __future__ import annotations

import pytest

from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url


def tags(system: System, *, by: str = "member", **query: object) -> Response:
    """GET the tag keys of acme/web."""
    return system.request("GET", "/api/0/projects/acme/web/replays/tags/", query=query, token=system.acme.token(by))


def test_no_replay_no_tag(system: System) -> None:
    assert (tags(system).status, tags(system).json()) == (200, [])


def test_keys_are_counted_once_a_value_of_a_replay_and_labelled(system: System) -> None:
    web = system.acme.web
    record(system, web, segments=3, tags={"plan.total_members": "3", "url": "x", "transaction": "/home"})
    record(system, web, tags={"plan.total_members": "4"})
    record(system, system.acme.shop, tags={"elsewhere": "1"})
    assert tags(system).json() == [
        {"key": "plan.total_members", "name": "Plan.Total Members", "totalValues": 2},
        {"key": "url", "name": "URL", "totalValues": 1},
    ]


def test_a_value_of_two_segments_is_one_and_two_values_are_two(system: System) -> None:
    replay_id = record(system, system.acme.web, tags={"a": "m"})
    record(system, system.acme.web, segments=2, replay_id=replay_id, tags={"a": "n"})
    assert [tag["totalValues"] for tag in tags(system).json()] == [2]


def test_period_and_environment_choose_the_replays(system: System) -> None:
    web = system.acme.web
    record(system, web, tags={"new": "1"}, environment="production")
    record(system, web, tags={"old": "1"}, environment="staging", at=system.now - 86400)
    assert {tag["key"] for tag in tags(system).json()} == {"new", "old"}
    assert {tag["key"] for tag in tags(system, statsPeriod="1h").json()} == {"new"}
    assert {tag["key"] for tag in tags(system, environment="staging").json()} == {"old"}
    assert tags(system, environment="nowhere").status == 404


@pytest.mark.parametrize("query", [{"statsPeriod": "xx"}, {"start": "2026-01-01T00:00:00"}])
def test_a_bad_range_is_a_400(system: System, query: dict[str, str]) -> None:
    answer = tags(system, **query)
    assert answer.status == 400
    assert "Invalid date range" in answer.json()["detail"]


def test_a_deleted_replay_takes_its_tags_along(system: System) -> None:
    """Computed, not counted."""
    replay_id = record(system, system.acme.web, tags={"gone": "1"})
    assert len(tags(system).json()) == 1
    system.request("DELETE", replay_url(system.acme, system.acme.web, replay_id), token=system.acme.token("owner"))
    assert tags(system).json() == []
