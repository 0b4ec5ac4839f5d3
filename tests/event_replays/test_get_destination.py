"""GET /v1/destination/{id}."""

from __future__ import annotations

from tests.event_replays.destinations.asking import ask, make
from tests.harness import System


def test_one_destination_archived_or_not(system: System) -> None:
    made = make(system)
    assert ask(system, "GET", f"/{made['id']}").json() == made
    system.skip(5)
    ask(system, "DELETE", f"/{made['id']}")
    shown = ask(system, "GET", f"/{made['id']}").json()
    assert shown == {**made, "archived": True, "updated_at": "2026-03-05T10:00:05.000000Z"}


def test_others_destinations_are_unknown_ones(system: System) -> None:
    made = make(system)
    theirs = system.globex.token("owner")
    asked = [system.request("GET", f"/v1/destination/{made['id']}", token=theirs)]
    asked += [ask(system, "GET", f"/{name}") for name in ("00000000-0000-4000-8000-000000000000", "nonsense", "%2a")]
    for method, rest in (("PUT", ""), ("DELETE", ""), ("POST", "/test")):
        asked.append(system.request(method, f"/v1/destination/{made['id']}{rest}", json={"name": "mine"}, token=theirs))
    asked.append(system.request("GET", f"/v1/health/destination/{made['id']}", token=theirs))
    assert {(answer.status, answer.body) for answer in asked} == {(404, asked[0].body)}
    assert ask(system, "GET", f"/{made['id']}").json() == made, "and nothing happened to it"
