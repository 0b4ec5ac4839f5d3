"""GET /v1/collection/{id}."""

from __future__ import annotations

from tests.event_replays.test_create_collection import create
from tests.harness import System


def test_one_collection_of_either_kind(system: System) -> None:
    token = system.acme.token("member")
    made = create(system, name="orders", notes="what the shop sells").json()
    assert system.request("GET", f"/v1/collection/{made['id']}", token=token).json() == {**made, "token": None}
    default = system.request("GET", f"/v1/collection/{system.acme.web.collection_id}", token=token).json()
    assert (default["name"], default["environment"]) == ("web", "web")


def test_others_collections_are_unknown_ones(system: System) -> None:
    made = create(system, name="orders").json()
    asked = [
        system.request("GET", f"/v1/collection/{name}", token=token)
        for name, token in (
            (made["id"], system.globex.token("owner")),
            (made["id"], system.acme.token("outsider")),
            (system.globex.web.collection_id, system.acme.token("owner")),
            ("nonsense", system.acme.token("owner")),
        )
    ]
    assert {(answer.status, answer.body) for answer in asked} == {(404, asked[0].body)}
    assert asked[0].json()["errors"][0]["code"] == 404
