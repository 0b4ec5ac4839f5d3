"""sqs destinations, on moto's queues."""

from __future__ import annotations

from typing import Any

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.harness import System

OWN = "123456789012"


def queue(system: System, name: str, **attributes: str) -> str:
    """A queue in our account: its URL."""
    url: str = system.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url


def received(system: System, url: str) -> list[dict[str, Any]]:
    """All of its messages; each is taken out, for of a FIFO group nothing more is given before."""
    sqs, found = system.client("sqs"), []
    while got := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]).get("Messages"):
        found += got
        for each in got:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
    return found


def test_messages_have_the_data_as_their_body_and_the_key_as_an_attribute(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders")
    made = make(system, type="sqs", metadata={"aws_account_id": OWN, "queue_name": "tapedeck-dest-orders"})
    data = [b'{ "n": 12.50, "e": "\xc3\xa9" }', *({"n": n} for n in range(24))]
    with opened(system, made) as sender:
        outcomes = [outcome for first in range(0, 25, sender.batch) for outcome in sender.send(deliveries(*data)[first : first + sender.batch])]
    assert len(outcomes) == 25
    assert all(outcome.ok for outcome in outcomes)
    messages = received(system, url)
    assert len(messages) == 25
    assert '{ "n": 12.50, "e": "é" }' in {each["Body"] for each in messages}
    first = next(each for each in messages if each["Body"] == '{"n":0}')
    assert {name: each["StringValue"] for name, each in first["MessageAttributes"].items()} == {
        "Idempotency-Key": f"{REPLAY}:69a95ce00000000000000001", "X-Replay-Hops": "1",
    }  # fmt: skip


def test_a_fifo_queue_keeps_the_order_and_drops_what_is_repeated(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders.fifo", FifoQueue="true")
    made = make(system, type="sqs", metadata={"queue_url": f"https://sqs.us-east-1.amazonaws.com/{OWN}/tapedeck-dest-orders.fifo"})
    with opened(system, made) as sender:
        for _ in range(2):
            assert all(outcome.ok for outcome in sender.send(deliveries(*range(10))))
    messages = received(system, url)
    assert [each["Body"] for each in messages] == [str(n) for n in range(10)]
    assert {each["Attributes"]["MessageGroupId"] for each in messages} == {REPLAY}


def test_the_group_may_be_configured(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders.fifo", FifoQueue="true")
    made = make(system, type="sqs", metadata={"aws_account_id": OWN, "queue_name": "tapedeck-dest-orders.fifo", "group_id": "all"})
    with opened(system, made) as sender:
        sender.send(deliveries(1))
    assert received(system, url)[0]["Attributes"]["MessageGroupId"] == "all"


def test_large_messages_go_in_calls_of_a_mebibyte(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders")
    made = make(system, type="sqs", metadata={"aws_account_id": OWN, "queue_name": "tapedeck-dest-orders"})
    with system.cloud.watch() as calls, opened(system, made) as sender:
        outcomes = sender.send(deliveries(*("x" * 400_000 for _ in range(5)), "x" * 1_048_576, "small"))
    assert [outcome.ok for outcome in outcomes] == [True] * 5 + [False, True]
    assert outcomes[5].message == "larger than 1048576 bytes"
    assert sum(call.operation == "SendMessageBatch" for call in calls) == 4
    assert len(received(system, url)) == 6


def test_a_queue_that_is_gone_is_a_failure_for_good(system: System) -> None:
    made = make(system, type="sqs", metadata={"aws_account_id": OWN, "queue_name": "tapedeck-dest-gone"})
    with opened(system, made) as sender:
        assert {(outcome.ok, outcome.retry) for outcome in sender.send(deliveries(1, 2))} == {(False, False)}
        assert not sender.check().ok
    queue(system, "tapedeck-dest-gone")
    with opened(system, made) as sender:
        assert sender.check().ok
