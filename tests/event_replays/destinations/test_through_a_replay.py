"""A replay to every kind of destination, all the way: what matches is there, once, and nothing else (trust.md §7, Delivery)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tapedeck.event_replays.destinations.kinds.invoked import Sender as Invoked
from tapedeck.event_replays.destinations.model import Delivery
from tests.deletion_jobs.asking import erased
from tests.event_replays.destinations.asking import make, opened
from tests.event_replays.destinations.kinds import test_collection, test_s3, test_sqs
from tests.event_replays.destinations.sink import Sink
from tests.event_replays.stage import ask, create, is_exact, kinds, one, pass_time, put
from tests.event_replays.test_create_collection import create as create_collection
from tests.harness import System, agent

OWN = "123456789012"
ALL = 45  # events; those with an `n` from 10 to 39 match
QUERY, MATCHING = "n:[10 TO 39]", list(range(10, 40))

Found = Callable[[], list[int]]


def _sqs(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    url = test_sqs.queue(system, "tapedeck-dest-orders.fifo", FifoQueue="true")
    made = make(system, type="sqs", metadata={"aws_account_id": OWN, "queue_name": "tapedeck-dest-orders.fifo"})
    return made, lambda: [json.loads(each["Body"])["n"] for each in test_sqs.received(system, url)]


def _sns(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    url = test_sqs.queue(system, "subscriber")
    topic = system.client("sns").create_topic(Name="tapedeck-dest-news")["TopicArn"]
    system.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{OWN}:subscriber")
    made = make(system, type="sns", metadata={"topic_arn": topic})
    return made, lambda: [json.loads(json.loads(each["Body"])["Message"])["n"] for each in test_sqs.received(system, url)]


def _eventbridge(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    system.client("events").create_event_bus(Name="tapedeck-dest-bus")
    made = make(system, type="eventbridge", metadata={"event_bus_arn": f"arn:aws:events:us-east-1:{OWN}:event-bus/tapedeck-dest-bus"})
    return made, lambda: [json.loads(entry["Detail"])["n"] for call in system.cloud.calls if call.operation == "PutEvents" for entry in call.params["Entries"]]


def _kinesis(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    kinesis = system.client("kinesis")
    kinesis.create_stream(StreamName="tapedeck-dest-stream", ShardCount=1)
    made = make(system, type="kinesis", metadata={"stream_arn": f"arn:aws:kinesis:us-east-1:{OWN}:stream/tapedeck-dest-stream"})

    def found() -> list[int]:
        shard = {"StreamName": "tapedeck-dest-stream", "ShardId": "shardId-000000000000", "ShardIteratorType": "TRIM_HORIZON"}
        return [json.loads(each["Data"])["n"] for each in kinesis.get_records(ShardIterator=kinesis.get_shard_iterator(**shard)["ShardIterator"])["Records"]]

    return made, found


def _s3(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    system.client("s3").create_bucket(Bucket="tapedeck-dest-archive")
    made = make(system, type="s3", metadata={"bucket": "tapedeck-dest-archive"})
    return made, lambda: [json.loads(line)["n"] for body in test_s3.objects(system).values() for line in body.splitlines()]


def _lambda(system: System, patch: pytest.MonkeyPatch) -> tuple[dict[str, Any], Found]:
    invoked: list[int] = []

    class Function:
        """moto does not run functions."""

        def invoke(self, **said: Any) -> dict[str, Any]:
            """What Lambda answers when it has queued an invocation."""
            invoked.append(json.loads(said["Payload"])["n"])
            return {"StatusCode": 202}

    patch.setattr(Invoked, "client", Function())
    return make(system, type="lambda", metadata={"function_arn": f"arn:aws:lambda:us-east-1:{OWN}:function:tapedeck-dest-sink"}), lambda: invoked


def _collection(system: System, _: Any) -> tuple[dict[str, Any], Found]:
    to = create_collection(system, name="copies").json()["id"]
    made = make(system, type="collection", metadata={"collection_id": to})
    return made, lambda: [json.loads(bytes(event.data))["n"] for event in test_collection.copies(system, to)]


@pytest.mark.parametrize("kind", [_sqs, _sns, _eventbridge, _kinesis, _s3, _lambda, _collection])
def test_what_matches_is_there_once(system: System, monkeypatch: pytest.MonkeyPatch, kind: Any) -> None:
    made, found = kind(system, monkeypatch)
    for first in range(0, ALL, 15):
        put(system, *range(first, first + 15))
    replay_id = create(system, made["id"], query=QUERY)
    pass_time(system, 120)
    assert sorted(found()) == MATCHING
    shown = one(system, replay_id)
    assert (shown["state"], shown["status"]) == ("completed", "ok")
    assert is_exact(shown, len(MATCHING))
    assert kinds(system, replay_id)[-1] == "completed"


def test_by_http_in_receive_order_byte_for_byte(local: System, sink: Sink) -> None:
    made = make(local, metadata={"url": sink.url, "headers": {"Authorization": "Bearer one-long-token"}}, max_per_second=1000)
    put(local, *range(ALL))
    replay_id = create(local, made["id"], query=QUERY)
    pass_time(local, 120)
    assert [json.loads(asked.body)["n"] for asked in sink.asked] == MATCHING
    assert {asked.headers["idempotency-key"].partition(":")[0] for asked in sink.asked} == {replay_id}
    assert len({asked.headers["idempotency-key"] for asked in sink.asked}) == len(MATCHING)
    assert {asked.headers["authorization"] for asked in sink.asked} == {"Bearer one-long-token"}
    assert is_exact(one(local, replay_id), len(MATCHING))
    said = ask(local, "GET", f"/v1/replay/{replay_id}").body + ask(local, "GET", "/v1/replay").body + ask(local, "GET", f"/v1/replayer/history/{replay_id}").body
    assert b"one-long-token" not in said, "trust.md T21: what a replay shows of its destination is masked"


def test_a_collection_that_is_replayed_into_itself_comes_to_an_end(system: System) -> None:
    """trust.md T22: three times round, and no further."""
    made = make(system, type="collection", metadata={"collection_id": system.acme.web.collection_id})
    put(system, 1, 2)
    replay_id = create(system, made["id"], type="continuous")
    pass_time(system, 600)
    found = test_collection.copies(system, system.acme.web.collection_id)
    assert sorted(event.hops for event in found) == [0, 0, 1, 1, 2, 2, 3, 3]
    shown = one(system, replay_id)
    assert (shown["progress"]["sent"], shown["progress"]["failed"]) == (6, 2)
    assert len({event.id for event in found}) == 8


def test_erasing_a_person_reaches_the_copies_and_none_comes_back(system: System) -> None:
    """product.md, what makes five documents one system: an event that was copied by a replay is erased with the one that it was made of."""
    to = create_collection(system, name="copies").json()["id"]
    made = make(system, type="collection", metadata={"collection_id": to})
    for n in range(4):
        agent.put(system, system.acme, {**agent.record("paid", n=n), "user": "ann"}, {**agent.record("paid", n=n), "user": "bob"})
    under_way = [Delivery(f"late:{event.id}", event, n) for n, event in enumerate(test_collection.copies(system, system.acme.web.collection_id))]
    create(system, made["id"])
    pass_time(system, 120)
    assert [event.user for event in test_collection.copies(system, to)] == ["ann", "bob"] * 4
    system.skip(60)
    assert erased(system, "ann")["counts"]["events"] == 8
    assert [event.user for event in test_collection.copies(system, to)] == ["bob"] * 4
    with opened(system, made) as sender:  # a worker that had read them before
        assert all(outcome.ok for outcome in sender.send(under_way))
    redone = one(system, create(system, made["id"]), "PUT", "/redo")
    pass_time(system, 120)
    assert redone["redo_of"]
    for collection in (system.acme.web.collection_id, to):
        assert {event.user for event in test_collection.copies(system, collection)} == {"bob"}
