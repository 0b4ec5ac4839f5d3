"""GET …/replays/tags/{key}/values/: the description's "Replay Tag Values", contract §5."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck import clock
from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url


def values(system: System, key: str, **query: object) -> Response:
    """GET the values of a tag of acme/web."""
    return system.request("GET", f"/api/0/projects/acme/web/replays/tags/{key}/values/", query=query, token=system.acme.token("member"))


def test_values_count_replays_and_know_when_they_were_seen(system: System) -> None:
    """§5: count = distinct replays; firstSeen and lastSeen = the earliest and latest segment of them."""
    web, now = system.acme.web, system.now
    record(system, web, segments=3, tags={"plan": "am1_team"}, at=now - 100)
    record(system, web, tags={"plan": "am1_team"}, at=now - 5)
    record(system, web, tags={"plan": "am2"}, at=now - 50)
    assert values(system, "plan").json() == [
        {
            "key": "plan",
            "name": "am1_team",
            "value": "am1_team",
            "count": 2,
            "lastSeen": clock.iso(now - 5),
            "firstSeen": clock.iso(now - 110),
        },
        {"key": "plan", "name": "am2", "value": "am2", "count": 1, "lastSeen": clock.iso(now - 50), "firstSeen": clock.iso(now - 50)},
    ]


def test_sorted_by_last_seen_or_by_count(system: System) -> None:
    web = system.acme.web
    for value, back in (("often", 50), ("often", 60), ("late", 5)):
        record(system, web, tags={"t": value}, at=system.now - back)
    assert [row["value"] for row in values(system, "t").json()] == ["late", "often"]
    assert [row["value"] for row in values(system, "t", sort="-last_seen").json()] == ["late", "often"]
    assert [row["value"] for row in values(system, "t", sort="-count").json()] == ["often", "late"]
    answer = values(system, "t", sort="count")
    assert answer.status == 400
    assert answer.json() == {"detail": "Invalid sort parameter. Please use one of: -last_seen or -count"}


def test_a_part_of_the_value_finds_it_in_any_case(system: System) -> None:
    for value in ("Chrome", "chromium", "Firefox"):
        record(system, system.acme.web, tags={"t": value})
    assert {row["value"] for row in values(system, "t", query="CHROM").json()} == {"Chrome", "chromium"}


@pytest.mark.parametrize(
    ("key", "fields", "expected"),
    [
        ("user.email", {"user": {"email": "ann@example.com"}}, "ann@example.com"),
        ("release", {"release": "shop@1.4"}, "shop@1.4"),
        ("url", {"urls": ["/checkout", "/checkout"]}, "/checkout"),
        ("environment", {"environment": "production"}, "production"),
        ("sdk.name", {}, "sentry.javascript.browser"),
        ("replay_type", {}, "session"),
    ],
)
def test_some_keys_are_fields_of_the_replay(system: System, key: str, fields: dict[str, Any], expected: str) -> None:
    record(system, system.acme.web, segments=2, **fields)
    [row] = values(system, key).json()
    assert (row["key"], row["value"], row["count"]) == (key, expected, 1)


def test_an_unknown_key_has_no_values_and_a_bad_one_is_a_400(system: System) -> None:
    record(system, system.acme.web)
    assert values(system, "nobody").json() == []
    assert values(system, "transaction").json() == []
    answer = values(system, "a%20b")
    assert answer.status == 400
    assert "Invalid tag key format" in answer.json()["detail"]


def test_pages_by_cursor(system: System) -> None:
    for value in "abc":
        record(system, system.acme.web, tags={"t": value})
    first = values(system, "t", per_page=2)
    assert len(first.json()) == 2
    assert first.links["next"]["results"] == "true"
    assert len(values(system, "t", per_page=2, cursor=first.links["next"]["cursor"]).json()) == 1


def test_a_deleted_replay_takes_its_values_along(system: System) -> None:
    replay_id = record(system, system.acme.web, tags={"t": "gone"})
    system.request("DELETE", replay_url(system.acme, system.acme.web, replay_id), token=system.acme.token("owner"))
    assert values(system, "t").json() == []
