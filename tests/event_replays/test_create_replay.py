"""POST /v1/replay: product.md decisions 1, 3, 28 and 30; the description's members."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.event_replays import planning, store
from tests.event_replays.stage import Sink, ask, create, destination, kinds, one, pass_time, put, row, sink, wish
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]
FOUR = {"latency_ms", "status", "message", "last_checked_at"}


def test_the_answer_is_an_object_keyed_by_id_with_the_four_members_and_the_whole_replay(system: System) -> None:
    """Decision 1."""
    acme, to = system.acme, destination(system)
    put(system, 1, 2)
    answer = ask(system, "POST", "/v1/replay", json=wish(system, to, notes="twice", team_id=acme.team_id))
    assert answer.status == 200
    [(replay_id, shown)] = answer.json().items()
    assert set(shown) >= FOUR
    assert {name: shown[name] for name in FOUR} == {"latency_ms": 0, "status": "pending", "message": "", "last_checked_at": 0}
    said = {"id": replay_id, "name": "again", "notes": "twice", "type": "single", "query": "*", "state": "pending"}
    assert {name: shown[name] for name in said} == said
    assert (shown["paused"], shown["archived"], shown["team_id"], shown["redo_of"]) == (False, False, acme.team_id, None)
    assert shown["collection"]["id"] == acme.web.collection_id
    assert shown["collection"]["token"] is None
    assert (shown["destination"]["id"], shown["destination"]["type"]) == (to, "http")
    assert shown["author"]["email"] == "owner@acme.example"
    assert shown["progress"]["until"] == 2
    assert shown["inserted_at"].endswith("Z")
    assert kinds(system, replay_id) == ["created"]


@pytest.mark.parametrize(
    ("said", "told"), [("single", "single"), ("onetime", "single"), ("0", "single"), (0, "single"), ("continuous", "continuous"), ("1", "continuous"), (1, "continuous")]
)
def test_case_3_types(system: System, said: Any, told: str) -> None:
    """Decision 3: accept `single`, `onetime`, `0` and `continuous`, `1`; answer `single` or `continuous`."""
    assert one(system, create(system, destination(system), type=said))["type"] == told


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", 7),
        ("name", "x" * 257),
        ("notes", 7),
        ("type", None),
        ("type", "often"),
        ("type", True),
        ("type", 2),
        ("query", None),
        ("query", ""),
        ("query", "/regex/"),
        ("query", "fuzzy~"),
        ("query", "("),
        ("query", "x" * 5000),
        ("query", "(" * 50 + "a" + ")" * 50),
        ("collection_id", None),
        ("collection_id", "*"),
        ("collection_id", "x" * 3000),
        ("collection_id", "00000000-0000-4000-8000-000000000000"),
        ("destination_id", None),
        ("destination_id", 7),
        ("destination_id", "00000000-0000-4000-8000-000000000000"),
        ("team_id", "00000000-0000-4000-8000-000000000000"),
        ("concurrency", 0),
        ("concurrency", 65),
        ("concurrency", "many"),
        ("concurrency", True),
    ],
)
def test_what_cannot_be_is_a_422_on_its_field(system: System, field: str, value: Any) -> None:
    """Decision 28 for queries: a refusal, never a silent mismatch; unknown ids are refused on their field."""
    answer = ask(system, "POST", "/v1/replay", json={**wish(system, destination(system)), field: value})
    assert answer.status == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert store.all_of(system.acme.id) == []


def test_others_things_answer_like_unknown_ones(system: System) -> None:
    """trust.md T26: another organization's collection and destination, and a colleague's without a role in its environment."""
    unknown = "00000000-0000-4000-8000-000000000000"
    to = destination(system)

    def refused(by: str = "owner", **fields: Any) -> bytes:
        answer = ask(system, "POST", "/v1/replay", by=by, json=wish(system, to, **fields))
        assert answer.status == 422
        return answer.body

    assert refused(collection_id=system.globex.web.collection_id) == refused(collection_id=unknown)
    assert refused(by="outsider") == refused(collection_id=unknown)
    theirs = system.request("POST", "/v1/destination", json={"type": "http", "name": "x", "metadata": {"url": "https://example.com/"}}, token=system.globex.token("owner"))
    if theirs.status == 200:
        assert refused(destination_id=theirs.json()["id"]) == refused(destination_id=unknown)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"[" * 3000])
def test_what_is_no_object_is_a_422(system: System, body: bytes) -> None:
    assert ask(system, "POST", "/v1/replay", body=body).status == 422


def test_an_idempotency_key_makes_one_replay(system: System) -> None:
    """trust.md F1, and §0.11: the key is the caller's own."""
    body = wish(system, destination(system))
    first, second = (ask(system, "POST", "/v1/replay", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert (first.status, list(first.json())) == (second.status, list(second.json()))
    other = ask(system, "POST", "/v1/replay", by="member", json=body, headers={"Idempotency-Key": "k1"})
    assert list(other.json()) != list(first.json())
    assert ask(system, "POST", "/v1/replay", json={**body, "type": "continuous"}, headers={"Idempotency-Key": "k1"}).status == 409
    assert len(store.all_of(system.acme.id)) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_creation_that_dies_anywhere_leaves_a_whole_replay_or_none(system: System, sink: Sink, kind: Kind) -> None:
    put(system, 1, 2)
    body = wish(system, destination(system))
    with system.cloud.watch() as calls:
        ask(system, "POST", "/v1/replay", json=body)
    for k in range(len(calls)):
        system.cold()
        before = {each.id for each in store.all_of(system.acme.id)}
        with system.cloud.fault(kind, k):
            answer = ask(system, "POST", "/v1/replay", json=body)
        made = {each.id for each in store.all_of(system.acme.id)} - before
        assert len(made) <= 1
        assert made or answer.status != 200
        pass_time(system)
        assert all(one(system, each)["state"] == "completed" for each in made), (k, str(calls[k]))


def test_a_dry_run_tells_and_makes_nothing(system: System, sink: Sink) -> None:
    """Decision 30."""
    put(system, *range(9))
    answer = ask(system, "POST", "/v1/replay", query={"dry_run": "true"}, json=wish(system, destination(system), query="n:>=2"))
    assert answer.status == 200
    assert set(answer.json()) == {"matched", "sample", "estimate"}
    assert answer.json()["matched"] == 7
    assert [each["client"]["payload"]["n"] for each in answer.json()["sample"]] == [2, 3, 4, 5, 6]
    assert answer.json()["estimate"] == {"matched": 7, "events": 9, "looked_at": 9, "complete": True, "seconds": 0.3}
    system.drain()
    assert (store.all_of(system.acme.id), sink.took) == ([], [])


def test_a_dry_run_of_more_than_can_be_looked_at_says_so(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    put(system, *range(4))
    put(system, *range(6))
    monkeypatch.setattr(planning, "LOOKING", -1.0)
    said = ask(system, "POST", "/v1/replay", query={"dry_run": "true"}, json=wish(system, destination(system))).json()
    assert said["matched"] == 1
    assert said["estimate"] == {"matched": 10, "events": 10, "looked_at": 1, "complete": False, "seconds": 0.5}


@pytest.mark.parametrize("field", ["query", "collection_id", "name"])
def test_a_dry_run_is_refused_as_the_replay_would_be(system: System, field: str) -> None:
    answer = ask(system, "POST", "/v1/replay", query={"dry_run": "true"}, json={**wish(system, destination(system)), field: "("} | ({"name": ""} if field == "name" else {}))
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, field)


def test_a_replay_that_is_pulled_has_no_worker(system: System, sink: Sink) -> None:
    put(system, 1)
    replay_id = create(system, destination(system, kind="listen"))
    pass_time(system, 120)
    assert (row(system, replay_id).state, sink.took) == ("pending", [])
