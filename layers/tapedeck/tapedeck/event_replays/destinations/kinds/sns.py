"""sns: messages, ten a call, as `sqs` sends them: the topic passes body and attributes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tapedeck.event_replays.destinations.kinds import resource, sqs
from tapedeck.event_replays.destinations.kinds.resource import Failure
from tapedeck.event_replays.destinations.model import Delivery


class Sender(resource.Sender):
    """Publishes to one topic."""

    service = "sns"
    actions = ("sns:Publish", "sns:GetTopicAttributes")
    most_bytes = 256 * 1024

    @property
    def arn(self) -> str:
        """The topic's."""
        return self.place.arn("sns")

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One PublishBatch."""
        entries = [
            {
                "Id": str(index),
                "Message": each.body.decode(),
                "MessageAttributes": sqs.attributes(each),
                **sqs.in_order(each, self.place.name, self.said),
            }
            for index, each in enumerate(deliveries)
        ]
        return sqs.failures(self.client.publish_batch(TopicArn=self.arn, PublishBatchRequestEntries=entries))

    def look(self) -> None:
        """Its attributes."""
        self.client.get_topic_attributes(TopicArn=self.arn)
