"""lambda: one invocation an event, its payload the event's data byte for byte.

`event`: Lambda queues it, and retries by itself; `request`: its answer is waited for, and a function that fails is a failure that may
pass. The key is in the client context, which Lambda shows to functions whose answer is waited for.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import orjson

from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.kinds.resource import HOPS, KEY, Failure
from tapedeck.event_replays.destinations.model import Delivery


class Sender(resource.Sender):
    """Invokes one function."""

    service = "lambda"
    actions = ("lambda:InvokeFunction",)
    batch = 1
    most_bytes = 1024 * 1024

    @property
    def arn(self) -> str:
        """The function's."""
        return self.place.arn("lambda", "function:")

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One Invoke."""
        [each] = deliveries
        context = base64.b64encode(orjson.dumps({"custom": {KEY: each.key, HOPS: each.hops}})).decode()
        kind = "RequestResponse" if self.said.get("invocation") == "request" else "Event"
        said = self.client.invoke(FunctionName=self.arn, InvocationType=kind, ClientContext=context, Payload=each.body)
        return {0: (f"the function failed ({said['FunctionError']})", True)} if said.get("FunctionError") else {}

    def look(self) -> None:
        """Whether it could be invoked."""
        self.client.invoke(FunctionName=self.arn, InvocationType="DryRun")
