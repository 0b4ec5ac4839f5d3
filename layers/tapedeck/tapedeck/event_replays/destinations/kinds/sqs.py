"""sqs: messages, ten a call, their bodies the event's data as text; key and hops are attributes.

On a FIFO queue the key is the deduplication id, so that SQS itself drops what is repeated within five minutes, and the replay is the
message group unless another one is configured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.kinds.resource import HOPS, KEY, Failure
from tapedeck.event_replays.destinations.model import Delivery


class Sender(resource.Sender):
    """Sends to one queue."""

    service = "sqs"
    actions = ("sqs:SendMessage", "sqs:GetQueueAttributes")
    most_bytes = 1024 * 1024

    @property
    def arn(self) -> str:
        """The queue's."""
        return self.place.arn("sqs")

    @property
    def _url(self) -> str:
        return f"https://sqs.{self.place.region}.amazonaws.com/{self.place.account}/{self.place.name}"

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One SendMessageBatch."""
        entries = [
            {
                "Id": str(index),
                "MessageBody": each.body.decode(),
                "MessageAttributes": attributes(each),
                **in_order(each, self.place.name, self.said),
            }
            for index, each in enumerate(deliveries)
        ]
        return failures(self.client.send_message_batch(QueueUrl=self._url, Entries=entries))

    def look(self) -> None:
        """Its attributes."""
        self.client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])


def attributes(delivery: Delivery) -> dict[str, Any]:
    """What a message says besides its body."""
    return {
        KEY: {"DataType": "String", "StringValue": delivery.key},
        HOPS: {"DataType": "Number", "StringValue": str(delivery.hops)},
    }


def in_order(delivery: Delivery, name: str, said: Mapping[str, Any]) -> dict[str, str]:
    """What a FIFO resource wants to know."""
    if not name.endswith(".fifo"):
        return {}
    return {"MessageGroupId": said.get("group_id") or delivery.key.partition(":")[0], "MessageDeduplicationId": delivery.key}


def failures(answer: Mapping[str, Any]) -> dict[int, Failure]:
    """The entries that were refused: those that are not the sender's fault may pass."""
    return {int(each["Id"]): (each["Code"], not each["SenderFault"] or resource.passes(each["Code"])) for each in answer.get("Failed", ())}
