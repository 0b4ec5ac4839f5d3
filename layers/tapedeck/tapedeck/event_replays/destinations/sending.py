"""Opening a destination: its secrets are unsealed, its connections made, and events can be sent to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from tapedeck import errors
from tapedeck.event_replays.destinations import sealing
from tapedeck.event_replays.destinations.kinds import collection, eventbridge, http, invoked, kinesis, s3, sns, sqs
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome


class Sender(Protocol):
    """An open destination. `batch` is the most that one call of `send` may be given; it may be called by several threads at once."""

    batch: int

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """What became of each, in their order. Never raises for what the destination does: a failure is an outcome."""
        ...

    def check(self) -> Outcome:
        """Whether the destination is there, found out without changing anything in it."""
        ...

    def close(self) -> None:
        """Let go of its connections."""
        ...


_SENDERS: Mapping[str, Callable[[Destination, Mapping[str, Any]], Sender]] = {
    "http": lambda _, metadata: http.Sender(metadata),
    "sqs": sqs.Sender,
    "sns": sns.Sender,
    "eventbridge": eventbridge.Sender,
    "kinesis": kinesis.Sender,
    "s3": s3.Sender,
    "lambda": invoked.Sender,
    "collection": collection.Sender,
}


@contextmanager
def open(destination: Destination) -> Iterator[Sender]:  # noqa: A001 - that is what is done to it
    """The sender of a destination, until the block ends. Conflict for one that is archived, or that is listened to instead."""
    if destination.archived:
        raise errors.Conflict("The destination is archived.")
    if destination.type not in _SENDERS:
        raise errors.Conflict("Nothing is sent to a destination of this type: its events are fetched.")
    sender = _SENDERS[destination.type](destination, sealing.revealed(destination))
    try:
        yield sender
    finally:
        sender.close()
