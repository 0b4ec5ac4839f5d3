"""sns destinations, on moto's topics."""

from __future__ import annotations

import json

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.event_replays.destinations.kinds.test_sqs import queue, received
from tests.harness import System

OWN = "123456789012"


def test_messages_are_published_with_key_and_hops(system: System) -> None:
    url = queue(system, "subscriber")
    topic = system.client("sns").create_topic(Name="tapedeck-dest-news")["TopicArn"]
    system.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{OWN}:subscriber")
    made = make(system, type="sns", metadata={"topic_arn": topic})
    with opened(system, made) as sender:
        assert all(outcome.ok for outcome in sender.send(deliveries(b'{ "n": 12.50 }', {"n": 2}, hops=1)))
        assert sender.check().ok
    notes = [json.loads(each["Body"]) for each in received(system, url)]
    assert sorted(each["Message"] for each in notes) == ['{ "n": 12.50 }', '{"n":2}']
    assert {each["MessageAttributes"]["X-Replay-Hops"]["Value"] for each in notes} == {"2"}
    assert all(each["MessageAttributes"]["Idempotency-Key"]["Value"].startswith(REPLAY) for each in notes)


def test_a_fifo_topic_knows_the_key(system: System) -> None:
    topic = system.client("sns").create_topic(Name="tapedeck-dest-news.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    made = make(system, type="sns", metadata={"topic_arn": topic})
    with system.cloud.watch() as calls, opened(system, made) as sender:
        assert sender.send(deliveries(1))[0].ok
    [entry] = next(call.params["PublishBatchRequestEntries"] for call in calls if call.operation == "PublishBatch")
    assert (entry["MessageGroupId"], entry["MessageDeduplicationId"]) == (REPLAY, f"{REPLAY}:69a95ce00000000000000000")


def test_a_topic_that_is_gone_is_a_failure_for_good(system: System) -> None:
    made = make(system, type="sns", metadata={"topic_arn": f"arn:aws:sns:us-east-1:{OWN}:tapedeck-dest-gone"})
    with opened(system, made) as sender:
        assert [(outcome.ok, outcome.retry) for outcome in sender.send(deliveries(1))] == [(False, False)]
        assert not sender.check().ok
