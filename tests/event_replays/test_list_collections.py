"""GET /v1/collection: an array, the oldest first."""

from __future__ import annotations

from tests.event_replays.test_create_collection import create
from tests.harness import System


def test_default_collections_and_those_made_by_hand(system: System) -> None:
    token = system.acme.token("member")
    system.skip(1)
    made = create(system, name="orders").json()
    listed = system.request("GET", "/v1/collection", token=token).json()
    assert [each["id"] for each in listed] == [*sorted(each.collection_id for each in system.acme.environments), made["id"]]
    assert {each["token"] for each in listed} == {None}, "tokens are shown once"
    assert system.request("GET", "/v1/collection", token=system.acme.token("outsider")).json() == []
    assert made["id"] not in {each["id"] for each in system.request("GET", "/v1/collection", token=system.globex.token("owner")).json()}
