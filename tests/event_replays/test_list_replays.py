"""GET /v1/replay: product.md decisions 1 and 5."""

from __future__ import annotations

from tests.event_replays.stage import ask, create, destination, wish
from tests.harness import System


def test_it_has_a_member_for_each_that_is_not_archived_the_newest_first(system: System) -> None:
    """GET /v1/replay of the description: "all (non-archived) replays"."""
    assert ask(system, "GET", "/v1/replay").json() == {}
    to = destination(system)
    made = []
    for _ in range(3):
        made.append(create(system, to))
        system.skip(1)
    assert ask(system, "DELETE", f"/v1/replay/{made[1]}").status == 200
    answer = ask(system, "GET", "/v1/replay")
    assert list(answer.json()) == [made[2], made[0]]
    assert all({"latency_ms", "status", "message", "last_checked_at", "state", "progress"} <= set(shown) for shown in answer.json().values())
    assert list(ask(system, "GET", "/v1/replay", query={"archived": "true"}).json()) == [made[1]]


def test_a_page_leads_to_the_next(system: System) -> None:
    to = destination(system)
    made = []
    for _ in range(3):
        made.append(create(system, to))
        system.skip(1)
    first = ask(system, "GET", "/v1/replay", query={"limit": "2"})
    assert list(first.json()) == [made[2], made[1]]
    assert first.links["next"]["results"] == "true"
    assert list(ask(system, "GET", first.links["next"]["url"]).json()) == [made[0]]


def test_it_shows_replays_of_environments_in_which_the_caller_has_a_role(system: System) -> None:
    create(system, destination(system))
    assert len(ask(system, "GET", "/v1/replay", by="member").json()) == 1
    assert ask(system, "GET", "/v1/replay", by="outsider").json() == {}
    assert system.request("GET", "/v1/replay", token=system.globex.token("owner")).json() == {}
    assert len(system.request("GET", "/v1/replay", token=system.acme.org_key).json()) == 1


def test_members_may_create(system: System) -> None:
    """trust.md §8.2: event:write."""
    assert ask(system, "POST", "/v1/replay", by="member", json=wish(system, destination(system))).status == 200
