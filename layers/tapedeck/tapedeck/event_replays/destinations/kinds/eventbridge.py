"""eventbridge: entries, ten a call: the event's data are the detail, its name the detail type, its key a resource of the entry.

EventBridge takes objects only: an event whose data are anything else fails for good, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.kinds.resource import Failure
from tapedeck.event_replays.destinations.model import Delivery, Outcome, never

_NO_OBJECT = never("the data are no JSON object")
_MOST_NAME = 128  # characters of a detail type


class Sender(resource.Sender):
    """Puts entries on one event bus."""

    service = "events"
    actions = ("events:PutEvents", "events:DescribeEventBus")
    most_bytes = 256 * 1024

    @property
    def arn(self) -> str:
        """The event bus's."""
        return self.place.arn("events", "event-bus/")

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """Those that have an object to send."""
        sent = iter(super().send([each for each in deliveries if _is_object(each)]))
        return [next(sent) if _is_object(each) else _NO_OBJECT for each in deliveries]

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One PutEvents."""
        entries = [
            {
                "EventBusName": self.arn,
                "Source": self.said.get("source", "tapedeck"),
                "DetailType": each.event.name[:_MOST_NAME],
                "Detail": each.body.decode(),
                "Time": each.event.at / 1000,
                "Resources": [each.key],
            }
            for each in deliveries
        ]
        said = self.client.put_events(Entries=entries)["Entries"]
        return {index: (each["ErrorCode"], resource.passes(each["ErrorCode"])) for index, each in enumerate(said) if each.get("ErrorCode")}

    def look(self) -> None:
        """Its description."""
        self.client.describe_event_bus(Name=self.arn)


def _is_object(delivery: Delivery) -> bool:
    return delivery.body.lstrip()[:1] == b"{"
