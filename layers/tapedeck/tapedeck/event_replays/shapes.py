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
