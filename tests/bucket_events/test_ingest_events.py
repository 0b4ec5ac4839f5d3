"""POST /api/bucket/{id}/data/events/ingest: decision 22; taken once, whatever happens to the request."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tapedeck.events import store
from tests.harness import KINDS, System
from tests.harness.agent import events, histogram, ingest, keys, noise, put, record
from tests.harness.cloud import Kind


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (record("paid", amount=42), {"event_name": "paid", "app_name": "shop", "server_name": "web-1", "data": {"amount": 42}}),
        ([record("paid", amount=42)], {"event_name": "paid", "app_name": "shop", "server_name": "web-1", "data": {"amount": 42}}),
        (
            {"event_name": "paid", "app_name": "shop", "server_name": "web-1", "data": {"amount": 42}},
            {"event_name": "paid", "app_name": "shop", "server_name": "web-1", "data": {"amount": 42}},
        ),
    ],
    ids=["agent packet", "array", "flat"],
)
def test_a_record_an_array_and_a_packet_are_taken(system: System, body: Any, expected: dict[str, Any]) -> None:
    answer = ingest(system, system.acme, body)
    assert answer.status == 200
    assert answer.json()["accepted"] == 1
    [event] = events(system, system.acme, "paid")
    assert {name: event[name] for name in expected} == expected
    assert [event["_id"]] == answer.json()["ids"]


def test_ids_are_in_the_order_of_the_request_and_a_page_is_the_other_way_round(system: System) -> None:
    ids = put(system, system.acme, *(record(n=n) for n in range(5)))
    assert len(set(ids)) == 5
    assert [event["_id"] for event in events(system, system.acme, "paid")] == ids[::-1]


def test_the_same_request_again_adds_nothing(system: System) -> None:
    body = [record(n=1), record(n=1)]
    first, second = ingest(system, system.acme, body), ingest(system, system.acme, body)
    assert first.json() == second.json()
    assert len(events(system, system.acme, "paid")) == 2, "two equal events of one request are two"
    system.skip(301)
    assert ingest(system, system.acme, body).json() != first.json(), "said again later it is another event"
    assert len(events(system, system.acme, "paid")) == 4


def test_an_idempotency_key_names_a_request_for_a_day(system: System) -> None:
    body, key = record(n=1), {"Idempotency-Key": "abc"}
    first = ingest(system, system.acme, body, headers=key)
    system.skip(86_000)
    assert ingest(system, system.acme, body, headers=key).json() == first.json()
    assert ingest(system, system.acme, body, headers={"Idempotency-Key": "abd"}).json() != first.json()
    assert len(events(system, system.acme, "paid")) == 2
    assert ingest(system, system.acme, body, headers={"Idempotency-Key": "x" * 257}).status == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b"5", b'"x"', b'{"data":{}}', b'{"name":5,"data":{}}', b'{"name":"a","data":NaN}', b"[" * 300 + b"]" * 300, b"\xff"],
)
def test_what_is_no_event_is_a_400_with_a_msg(system: System, body: bytes) -> None:
    answer = ingest(system, system.acme, body)
    assert (answer.status, list(answer.json())) == (400, ["msg"])
    assert keys(system, system.acme) == []


def test_one_bad_record_refuses_the_request_and_names_itself(system: System) -> None:
    answer = ingest(system, system.acme, [record(), {"data": {}}])
    assert answer.status == 400
    assert "[1]" in answer.json()["msg"]
    assert keys(system, system.acme) == []


def test_too_much_is_a_413_with_the_number(system: System) -> None:
    many = ingest(system, system.acme, b"[" + b",".join([b'{"name":"a","data":{}}'] * 10_001) + b"]")
    assert (many.status, "10,000" in many.json()["msg"] or "10000" in many.json()["msg"]) == (413, True)
    large = ingest(system, system.acme, b'{"name":"a","data":{"x":"' + b"y" * 1_048_577 + b'"}}')
    assert large.status == 413
    names = ingest(system, system.acme, [record(f"{n:05d}" + format(n * 7919 % 10_007, "0200b")) for n in range(9_000)])
    assert names.status in (200, 413)


def test_a_large_body_goes_to_the_bucket_and_a_small_one_into_the_row(system: System) -> None:
    put(system, system.acme, record(n=1))
    assert system.objects(prefix="ev/") == {}
    put(system, system.acme, *(record(text=noise(n)) for n in range(200)))
    assert len(system.objects(prefix="ev/")) == 1
    assert len(events(system, system.acme, "paid", limit=1000)) == 201


def test_other_organizations_buckets_are_unknown_and_colleagues_without_the_environment_forbidden(system: System) -> None:
    foreign = ingest(system, system.acme, record(), to=system.globex.web)
    unknown = system.request("POST", f"/api/bucket/{'0' * 24}/data/events/ingest", json=record(), token=system.acme.token("owner"))
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert (foreign.status, list(foreign.json())) == (404, ["msg"])
    assert ingest(system, system.acme, record(), by="outsider").status == 403


# --- Nothing lost, nothing twice ------------------------------------------------------------------------------------------------------------

SMALL = [record("paid", n=1), record("left", n=2)]
LARGE = [record("paid", text=noise(n)) for n in range(100)]


def whole(system: System) -> Any:
    """What a reader sees of the bucket, without ids and times."""
    seen = [(event["event_name"], event["data"]) for name in ("paid", "left") for event in events(system, system.acme, name, limit=1000)]
    sums = [sum(count for _, count in histogram(system, system.acme, name).json()) for name in ("paid", "left")]
    counts = [(app["app_name"], [(each["name"], each["count"]) for each in app["details"]]) for app in keys(system, system.acme)]
    return sorted(map(repr, seen)), sums, counts


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("body", [SMALL, LARGE], ids=["small", "large"])
def test_a_fault_at_any_call_and_the_clients_retry_give_the_same_bucket(system: System, body: Any, kind: Kind, backwards: bool) -> None:
    system.cloud.backwards = backwards
    with system.cloud.watch() as calls:
        assert ingest(system, system.acme, body).status == 200
    expected = whole(system)
    token = system.acme.token("owner")
    for k in range(len(calls) + 2):  # a cold container reads two things more
        system.request("DELETE", f"/api/bucket/{system.acme.web.bucket_id}/data/events/delete_all", token=token)
        system.skip(301)
        system.cold()
        with system.cloud.fault(kind, k):
            answer = ingest(system, system.acme, body)
        for _ in range(3):
            if answer.status == 200:
                break
            assert answer.status in (502, 503), answer
            answer = ingest(system, system.acme, body)
        assert answer.status == 200, (k, answer)
        assert whole(system) == expected, k
    system.advance(60 * 60)
    referenced = {item["object_key"]["S"] for item in system.items("EventsTable") if "object_key" in item}
    assert set(system.objects(prefix="ev/")) == referenced, "no body is left that no chunk knows"
    assert whole(system) == expected


@pytest.mark.parametrize("same", [True, False], ids=["the same request", "another request"])
def test_two_at_once_wherever_they_cross(system: System, same: bool) -> None:
    """The second request runs completely just before the k-th call of the first, for every k."""
    for k in itertools.count():
        name = f"e{k}"
        first, second = [record(name, n=1)], [record(name, n=1 if same else 2)]
        answers = []
        system.cold()
        with system.cloud.between(k, lambda second=second, answers=answers: answers.append(ingest(system, system.acme, second))):
            answers.append(ingest(system, system.acme, first))
        assert all(answer.status == 200 for answer in answers)
        if len(answers) == 1:
            break
        assert len(events(system, system.acme, name)) == (1 if same else 2), k
    assert k >= 2


def test_receive_time_never_runs_backwards(system: System) -> None:
    """A clock that jumps back does not reorder what was received."""
    collection = store.CollectionId(system.acme.id, system.acme.web.collection_id)
    put(system, system.acme, record(n=1))
    before = store.head_of(collection).received
    system.now -= 100
    put(system, system.acme, record(n=2))
    assert store.head_of(collection).received == before
    assert [event["data"]["n"] for event in events(system, system.acme, "paid", start=0)] == [2, 1]


def test_what_goes_in_a_circle_is_stopped(system: System) -> None:
    """trust.md T22."""
    assert ingest(system, system.acme, record("paid"), headers={"X-Replay-Hops": "3"}).status == 200
    assert ingest(system, system.acme, record("paid"), headers={"X-Replay-Hops": "4"}).status == 400
