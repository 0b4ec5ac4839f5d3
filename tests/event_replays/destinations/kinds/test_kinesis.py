"""kinesis destinations, on moto's streams."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.harness import System

STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/tapedeck-dest-stream"


def test_records_are_the_data_to_the_byte(system: System) -> None:
    kinesis = system.client("kinesis")
    kinesis.create_stream(StreamName="tapedeck-dest-stream", ShardCount=1)
    made = make(system, type="kinesis", metadata={"stream_arn": STREAM})
    data = [b'{ "n": 12.50,\n "e": "\xc3\xa9" }', *range(600)]
    with system.cloud.watch() as calls, opened(system, made) as sender:
        assert sender.batch == 500
        assert all(outcome.ok for outcome in sender.send(deliveries(*data)))
        assert sender.check().ok
    assert sum(call.operation == "PutRecords" for call in calls) == 2
    iterator = kinesis.get_shard_iterator(StreamName="tapedeck-dest-stream", ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    records = kinesis.get_records(ShardIterator=iterator)["Records"]
    assert len(records) == 601
    assert (records[0]["Data"], records[0]["PartitionKey"]) == (data[0], f"{REPLAY}:69a95ce00000000000000000")


def test_records_that_fail_are_those_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(system, type="kinesis", metadata={"stream_arn": STREAM})
    with opened(system, made) as sender:
        client: Any = sender.client  # type: ignore[attr-defined]
        said = {"Records": [{"SequenceNumber": "1"}, {"ErrorCode": "ProvisionedThroughputExceededException"}, {"ErrorCode": "InternalFailure"}]}
        monkeypatch.setattr(client, "put_records", lambda **_: said)
        outcomes = sender.send(deliveries(1, 2, 3))
    assert [(outcome.ok, outcome.retry) for outcome in outcomes] == [(True, False), (False, True), (False, True)]


def test_a_stream_that_is_gone_is_a_failure_for_good(system: System) -> None:
    with opened(system, make(system, type="kinesis", metadata={"stream_arn": STREAM})) as sender:
        assert [(outcome.ok, outcome.retry) for outcome in sender.send(deliveries(1))] == [(False, False)]
        assert not sender.check().ok
