"""The shapes of the answers about destinations and event replays, told to OpenAPI and to the tests that hold the answers against them.

Nothing that serves a request imports this module: importing pydantic is a tenth of a second of every cold start.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from tapedeck.events.shapes import Shape

Uuid = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Instant = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", description="RFC 3339, microseconds, UTC.")]


class Author(Shape):
    """Who made it."""

    id: int
    name: str
    email: str


# ------------------------------------------------------------------------------------------------------------ destinations


class Block(Shape):
    """The outcome of the latest delivery or check."""

    latency_ms: int
    status: Literal["ok", "error", "pending"]
    message: str = Field(description="What went wrong: `Failed to connect`, `received non-2xx response (404)`.")
    last_checked_at: int = Field(description="Unix seconds; 0 until there was one.")


class DestinationsHealth(RootModel[dict[Uuid, Block]]):
    """How destinations fare, by id."""


class Destination(Shape):
    """Where events are sent."""

    id: Uuid
    name: str
    notes: str
    type: Literal["http", "sqs", "sns", "eventbridge", "kinesis", "s3", "lambda", "collection", "listen"]
    team_id: Uuid
    archived: bool
    metadata: dict[str, Any] = Field(description="As its type has them (docs/destinations.md). Secrets are masked: `****` and the last 4.")
    max_per_second: int | None = Field(description="The most that all its replays together send in a second; null is no limit.")
    notifications: list[Literal["replay.completed", "replay.failed", "replay.aborted"]] = Field(
        description="What an http destination is told of any replay of the organization, as Standard Webhooks."
    )
    external_id: str | None = Field(description="What the trust policy of a `role_arn` has to ask for.")
    author: Author | None = Field(description="Null when an organization's key made it.")
    inserted_at: Instant
    updated_at: Instant


class Destinations(RootModel[list[Destination]]):
    """Destinations, the oldest first."""


# ------------------------------------------------------------------------------------------------------------ replays


class ReplayProgress(Shape):
    """How far a replay is. When it is over, matched = sent + failed."""

    position: int = Field(description="The number of the next event to look at.")
    until: int | None = Field(description="The number at which it ends; null for one that goes on.")
    looked_at: int
    matched: int = Field(description="Of those that were looked at.")
    sent: int
    failed: int = Field(description="Given up: each is a line of the history.")
    waiting: int = Field(description="To be tried again.")
    retry_at: Instant | None
    rate: float | None = Field(description="Events a second of work.")
    eta: float | None = Field(description="Seconds of work that are left.")


class Team(Shape):
    """The organization, as Batch called it."""

    id: Uuid
    name: str


class EventReplay(Block):
    """A replay, with the outcome of the latest delivery or check of its destination."""

    id: Uuid
    name: str
    notes: str
    type: Literal["single", "continuous"]
    query: str
    state: Literal["pending", "running", "paused", "completed", "failed", "aborted"]
    paused: bool
    archived: bool
    concurrency: int = Field(description="How many sends are on their way at once.")
    ordered: bool = Field(description="Whether events arrive in receive order: one at a time.")
    collection: dict[str, Any]
    destination: dict[str, Any]
    team: Team
    team_id: Uuid
    author: Author | None
    progress: ReplayProgress
    redo_of: Uuid | None
    inserted_at: Instant
    updated_at: Instant


class EventReplays(RootModel[dict[Uuid, EventReplay]]):
    """Replays by id."""


class HistoryEntry(Block):
    """What happened, and how far the replay was."""

    type: Literal["created", "started", "progress", "paused", "resumed", "delivery_error", "completed", "failed", "aborted", "archived"]
    sent: int
    failed: int
    matched: int
    at: Instant
    event_id: str = Field("", description="Of a `delivery_error`: the event that was given up.")


class ReplayHistory(RootModel[dict[Uuid, HistoryEntry]]):
    """What a replay has done, by the id of the entry, the oldest first."""


class LentEvent(Shape):
    """An event in the hands of a listener."""

    key: str = Field(description="The same whenever it is handed out.")
    number: int
    event_name: str
    at: str = Field(description="When it was received.")
    payload: str = Field(description="As it was sent, to the byte.")
    headers: dict[str, str]


class Lease(Shape):
    """What a listener is handed; `lease` is null when there is nothing."""

    lease: str | None
    replay_id: Uuid | None
    events: list[LentEvent]


class Settled(Shape):
    """How many events an acknowledgement settled."""

    settled: int
