"""What a destination is, what is sent to it, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from tapedeck.events.model import Event

KINDS = ("http", "sqs", "sns", "eventbridge", "kinesis", "s3", "lambda", "collection", "listen")
NOTICES = ("replay.completed", "replay.failed", "replay.aborted")
MOST_WAIT = 3600.0  # seconds that a destination may ask us to wait (trust.md T23)


class Health(NamedTuple):
    """The outcome of the latest delivery or check: the four members that the description shows."""

    latency_ms: int = 0
    status: Literal["ok", "error", "pending"] = "pending"
    message: str = ""
    checked_at: int = 0  # seconds since the epoch; 0 until it has been checked


NEVER_CHECKED = Health()


@dataclass(frozen=True, slots=True)
class Destination:
    """Where events are sent. In `metadata` secrets are masked; `secrets` has them sealed, by their path in it: `headers.Authorization`."""

    organization_id: int
    id: str
    type: str
    name: str
    notes: str
    metadata: Mapping[str, Any]
    created_at: float
    updated_at: float
    author_id: int | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    external_id: str = ""  # by which a role in another account knows whose destination it serves (trust.md T19)
    max_per_second: int | None = None
    notifications: Sequence[str] = ()
    archived: bool = False
    version: int = 0
    health: Health = NEVER_CHECKED


class Delivery(NamedTuple):
    """An event on its way. `key` is the same at every attempt: `{replay}:{event id}`; `number` is the event's in what is replayed."""

    key: str
    event: Event
    number: int

    @property
    def hops(self) -> int:
        """How many replays the event will have come through when it arrives."""
        return self.event.hops + 1

    @property
    def body(self) -> bytes:
        """What is sent: the event's data, byte for byte."""
        return bytes(self.event.data)


class Outcome(NamedTuple):
    """What became of a delivery or a check. `retry`: it may succeed later, at the earliest after `retry_after` seconds."""

    ok: bool
    retry: bool = False
    retry_after: float | None = None
    status: int | None = None
    message: str = ""
    latency_ms: int = 0


def later(message: str, *, latency_ms: int = 0, retry_after: float | None = None, status: int | None = None) -> Outcome:
    """A failure that may pass."""
    return Outcome(False, True, retry_after, status, message, latency_ms)


def never(message: str, *, latency_ms: int = 0, status: int | None = None) -> Outcome:
    """A failure that a repetition would only repeat."""
    return Outcome(False, False, None, status, message, latency_ms)
