"""POST /v1/collect: decision 22; what is collected is seen in the bucket and the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.events import chunks, store
from tapedeck.events.model import Event
from tapedeck.events.store import CollectionId
from tests.harness import System
from tests.harness.agent import collect, events, ingest, keys, put, record


def token(system: System) -> str:
    """The ingest token of acme/web's default collection."""
    from tapedeck.environments import store

    return store.issue_collection_token(system.acme.id, system.acme.web)


def test_a_payload_is_collected_and_seen_in_the_bucket(system: System) -> None:
    answer = collect(system, token(system), {"type": "paid", "amount": 42, "app": "shop"})
    assert answer.status == 200
    assert answer.json()["message"] == "event has been successfully collected"
    [event] = events(system, system.acme, "paid")
    assert ([event["_id"]], event["data"]) == (answer.json()["ids"], {"type": "paid", "amount": 42, "app": "shop"})
    put(system, system.acme, record("ingested"))
    assert {name for app in keys(system, system.acme) for name in app["events"]} == {"paid", "ingested"}


def test_an_array_is_several_and_the_same_request_again_none(system: System) -> None:
    secret, body = token(system), [{"type": "paid", "n": n} for n in range(3)]
    first = collect(system, secret, body)
    assert len(first.json()["ids"]) == 3
    assert collect(system, secret, body).json() == first.json()
    assert [event["data"]["n"] for event in events(system, system.acme, "paid")] == [2, 1, 0]


def test_the_same_bytes_at_the_buckets_door_are_another_request(system: System) -> None:
    body = b'{"name":"paid","data":{"n":1}}'
    assert collect(system, token(system), body).status == ingest(system, system.acme, body).status == 200
    assert len(events(system, system.acme, "paid")) == 2


@pytest.mark.parametrize("secret", [None, "", "nonsense", "9d1f4f2e-5a7b-4c3d-8e6f-0a1b2c3d4e5f"])
def test_a_bad_token_is_a_401_in_batchs_dialect(system: System, secret: str | None) -> None:
    answer = collect(system, secret, {"type": "paid"})
    assert answer.status == 401
    assert set(answer.json()["errors"][0]) >= {"code", "field", "message", "status"}


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":NaN}', b"[" * 300])
def test_what_is_no_payload_is_a_422(system: System, body: Any) -> None:
    answer = collect(system, token(system), body)
    assert answer.status == 422
    assert answer.json()["errors"][0]["code"] == 422


def test_what_goes_in_a_circle_is_stopped(system: System) -> None:
    """trust.md T22: each replay counts a hop; who sends on an event that has come through three of them is refused."""
    secret = token(system)
    for hops in ("0", "1", "3"):
        assert collect(system, secret, {"hops": hops}, headers={"X-Replay-Hops": hops}).status == 200
    for hops in ("4", "99", "-1", "x", "1.5", "²"):
        answer = collect(system, secret, {"hops": hops}, headers={"X-Replay-Hops": hops})
        assert (answer.status, answer.json()["errors"][0]["field"]) == (422, "X-Replay-Hops")
    assert sorted(event.hops for event in stored(system)) == [0, 1, 3], "and the number is kept"


def stored(system: System) -> list[Event]:
    """The events of acme/web's default collection."""
    collection = CollectionId(system.acme.id, system.acme.web.collection_id)
    return [event for chunk in store.newest_first(collection) for event in chunks.decode(store.body(chunk))]
