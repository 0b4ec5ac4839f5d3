"""kinesis: records, up to 500 a call, each the event's data byte for byte; the partition key is the event's key, so a repetition shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.kinds.resource import Failure
from tapedeck.event_replays.destinations.model import Delivery


class Sender(resource.Sender):
    """Puts records into one stream."""

    service = "kinesis"
    actions = ("kinesis:PutRecords", "kinesis:DescribeStreamSummary")
    batch = 500
    most_bytes = 5 * 1024 * 1024

    @property
    def arn(self) -> str:
        """The stream's."""
        return self.place.arn("kinesis", "stream/")

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One PutRecords."""
        records = [{"Data": each.body, "PartitionKey": each.key} for each in deliveries]
        said = self.client.put_records(StreamARN=self.arn, Records=records)["Records"]
        return {index: (each["ErrorCode"], resource.passes(each["ErrorCode"])) for index, each in enumerate(said) if each.get("ErrorCode")}

    def look(self) -> None:
        """Its summary."""
        self.client.describe_stream_summary(StreamARN=self.arn)
