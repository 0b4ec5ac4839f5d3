"""What the AWS kinds have in common: whose client, which failures may pass, and batches of which every event has its own outcome.

Another account's resource is reached through its role: assumed with the external id of the organization, for a quarter of an hour, and
under a policy of the session that leaves of the role what one destination needs (trust.md T19).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import aws
from tapedeck.event_replays.destinations import metadata, surroundings
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome, later, never
from tapedeck.event_replays.destinations.packing import packed

FAILED = "Failed to connect"
KEY, HOPS = "Idempotency-Key", "X-Replay-Hops"  # attributes of a message
_LASTS = 900  # seconds of a role's session: longer than a worker lives
_MAY_PASS = (
    "Throttl",
    "TooManyRequests",
    "LimitExceeded",
    "ProvisionedThroughput",
    "SlowDown",
    "ServiceUnavailable",
    "Internal",
    "Unavailable",
)
# Refusals of a whole batch that one event in it may have earned.
_OF_ONE = (
    "BatchRequestTooLong",
    "InvalidMessageContents",
    "InvalidParameter",
    "InvalidArgument",
    "Validation",
    "RequestEntityTooLarge",
    "TooLarge",
)

Failure = tuple[str, bool]  # AWS's code, and whether it may pass


class Sender(ABC):
    """Sends batches to one resource. May be used by several threads."""

    service: ClassVar[str]
    actions: ClassVar[Sequence[str]]  # what a role is asked for
    batch = 10
    most_bytes: ClassVar[int]  # of one call

    def __init__(self, destination: Destination, said: Mapping[str, Any]) -> None:
        self.said = said
        self.place = metadata.place(destination.type, said, surroundings.here())
        self._external_id = destination.external_id

    @abstractmethod
    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """Send some in one call, and answer which of them failed, by index."""

    @abstractmethod
    def look(self) -> None:
        """Look at the resource, which changes nothing in it."""

    @property
    def resources(self) -> Sequence[str]:
        """The ARNs that are needed of a role."""
        return [self.arn]

    @property
    @abstractmethod
    def arn(self) -> str:
        """The resource's ARN."""

    @cached_property
    def client(self) -> Any:
        """The client that reaches the resource."""
        if self.place.role_arn is None:
            return aws.client_elsewhere(self.service, self.place.region)
        allowed = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        session = aws.client("sts").assume_role(
            RoleArn=self.place.role_arn,
            RoleSessionName="tapedeck",
            ExternalId=self._external_id,
            DurationSeconds=_LASTS,
            Policy=orjson.dumps({"Version": "2012-10-17", "Statement": [allowed]}).decode(),
        )["Credentials"]
        credentials = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
        return aws.client_elsewhere(self.service, self.place.region, credentials)

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """What became of each of them, in their order."""
        outcomes: dict[int, Outcome] = {}
        for part in packed([self.size(each) for each in deliveries], self.batch, self.most_bytes):
            outcomes |= self._sent(deliveries, part)
        return [outcomes[index] for index in range(len(deliveries))]

    def check(self) -> Outcome:
        """Whether the resource is there and ours to reach."""
        return _tried(self.look)[1] or Outcome(True)

    def close(self) -> None:
        """Nothing is to be let go: clients are the process's."""
        return

    def size(self, delivery: Delivery) -> int:
        """How many bytes of a call an event takes, at most."""
        return len(delivery.body) + 512  # what stands around it

    def _sent(self, deliveries: Sequence[Delivery], part: Sequence[int]) -> dict[int, Outcome]:
        if len(part) == 1 and self.size(deliveries[part[0]]) > self.most_bytes:
            return {part[0]: never(f"larger than {self.most_bytes} bytes")}
        started = time.perf_counter()
        failures, refused = _tried(lambda: self.call([deliveries[index] for index in part]))
        took = round((time.perf_counter() - started) * 1000)
        if refused is not None and not refused.retry and len(part) > 1 and refused.message.startswith(_OF_ONE):
            return {index: outcome for each in part for index, outcome in self._sent(deliveries, [each]).items()}
        if refused is not None:
            return dict.fromkeys(part, refused._replace(latency_ms=took))
        return {index: _outcome(failures.get(at), took) for at, index in enumerate(part)}


def passes(code: str) -> bool:
    """Whether what AWS calls so may be over in a moment."""
    return any(word in code for word in _MAY_PASS)


def _outcome(failure: Failure | None, latency_ms: int) -> Outcome:
    if failure is None:
        return Outcome(True, latency_ms=latency_ms)
    code, may_pass = failure
    return (later if may_pass else never)(code, latency_ms=latency_ms)


def _tried(call: Callable[[], Any]) -> tuple[Any, Outcome | None]:
    """(what a call answers, None), or (None, what its failure means): AWS's code for it and not a word of its text."""
    try:
        return call(), None
    except ClientError as error:
        code, status = str(error.response["Error"]["Code"]), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return None, (later if status >= 500 or status == 429 or passes(code) else never)(code.rpartition(".")[2], status=status)
    except BotoCoreError:
        return None, later(FAILED)
