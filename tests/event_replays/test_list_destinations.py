"""GET /v1/destination: an array (contract §1.3), one's own organization's."""

from __future__ import annotations

from tapedeck.event_replays.shapes import Destinations
from tests.event_replays.destinations.asking import ask, make
from tests.harness import System


def test_the_oldest_first_and_archived_ones_when_asked_for(system: System) -> None:
    assert ask(system, "GET").json() == []
    made = []
    for name in ("b", "a", "c"):
        made.append(make(system, name=name))
        system.skip(1)
    ask(system, "DELETE", f"/{made[1]['id']}")
    assert [each["name"] for each in ask(system, "GET").json()] == ["b", "c"]
    everything = ask(system, "GET", query={"archived": "true"}).json()
    assert [(each["name"], each["archived"]) for each in everything] == [("b", False), ("a", True), ("c", False)]
    assert ask(system, "GET").json()[0] == made[0]
    Destinations.model_validate(everything)


def test_another_organization_has_its_own(system: System) -> None:
    make(system)
    assert system.request("GET", "/v1/destination", token=system.globex.token("owner")).json() == []


def test_an_organizations_key_makes_them_without_an_author(system: System) -> None:
    body = {"name": "ci", "type": "listen", "metadata": {}}
    assert system.request("POST", "/v1/destination", json=body, token=system.acme.org_key).json()["author"] is None
    assert [each["author"] for each in ask(system, "GET").json()] == [None]
