"""The shapes of the bucket answers and of the answers to a sender, told to OpenAPI and to the tests that hold the answers against them.

Nothing that serves a request imports this module: importing pydantic is a tenth of a second of every cold start.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$", description="An event's id: 24 hex digits.")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="ISO 8601, milliseconds, UTC.")]
Milliseconds = Annotated[int, Field(description="ms since the epoch")]


class Shape(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Process(Shape):
    """The process that emitted an event, as PM2's agent tells it."""

    name: str = Field(description="The application.")
    server: str
    pm_id: int | None
    rev: str | None = Field(description="The revision that it was running.")


class BucketEvent(Shape):
    """An event, as a bucket shows it."""

    id: EventId = Field(alias="_id")
    name: str
    event_name: str = Field(description="The same as `name`.")
    app_name: str
    server_name: str
    at: Moment = Field(description="When it happened: as the sender said, or when it was received.")
    timestamp: Milliseconds = Field(description="The same as `at`, in ms since the epoch.")
    data: Any = Field(description="As it was sent.")
    process: Process


class BucketEvents(RootModel[list[BucketEvent]]):
    """Events, newest first."""


class FollowedEvents(Shape):
    """Events as they came."""

    next: int = Field(description="The number from which to ask on.")
    events: list[BucketEvent]


Point = Annotated[tuple[Milliseconds, int], Field(description="[start of the bucket in ms since the epoch, number of events]")]


class Histogram(RootModel[list[Point]]):
    """Points in ascending order, with zeros between the first and the last bucket that has events."""

    model_config = ConfigDict(strict=False)


class EventDetails(Shape):
    """How often an event was seen in an application."""

    name: str
    count: int
    first: Moment
    last: Moment


class AppEvents(Shape):
    """What one application has emitted."""

    app_name: str
    events: list[str] = Field(description="The names, sorted.")
    details: list[EventDetails]


class KeysByApp(RootModel[list[AppEvents]]):
    """What each application has emitted, by name."""


class Ingested(Shape):
    """What was accepted from a bucket's sender."""

    accepted: int
    ids: list[EventId]


class Collected(Shape):
    """What was accepted from a collection's sender."""

    message: Literal["event has been successfully collected"]
    ids: list[EventId]


class Tokens(Shape):
    """What a refresh token is exchanged for."""

    access_token: str
    refresh_token: str
    expire_at: str = Field(description="ISO 8601.")
    token_type: Literal["bearer"]


class Endpoints(Shape):
    """Where a node answers."""

    web: str = Field(description="The base URL of this API, stage included.")


class Node(BaseModel):
    """The node that holds a bucket."""

    endpoints: Endpoints


class Bucket(BaseModel):
    """An environment as PM2's clients know it."""

    id: EventId = Field(alias="_id")
    name: str
    node: Node


class Buckets(RootModel[list[Bucket]]):
    """The buckets of the caller."""


class Collection(Shape):
    """A named source of events."""

    id: str
    name: str
    notes: str
    token: str | None = Field(description="The ingest token: in the answer that made it, and never again.")
    type: Literal["live", "capture"] = Field(description="A live one grows; a capture's is sealed.")
    environment: str | None
    team_id: str
    paused: bool
    archived: bool
    inserted_at: str
    updated_at: str


class Collections(RootModel[list[Collection]]):
    """The collections of the caller."""


class BatchInfo(Shape):
    """How an event came."""

    date_human: Moment = Field(description="When it was received.")
    date_string: str = Field(description="The same, in nanoseconds since the epoch.")
    request_id: EventId
    source: str = Field(description="The collection's name.")


class BatchTeam(Shape):
    """Whose it is."""

    id: str


class Batch(Shape):
    """What is known of an event."""

    info: BatchInfo
    team: BatchTeam


class Metadata(Shape):
    """What came with the data."""

    event_name: str
    app_name: str
    server_name: str
    pm_id: str = ""
    rev: str = ""
    user: str = Field(default="", description="Whose event it is: what a deletion job erases by.")


class Client(Shape):
    """What was sent."""

    metadata: Metadata
    payload: Any = Field(description="The data, as they were sent.")


class StoredEvent(Shape):
    """An event, as queries see it."""

    batch: Batch
    client: Client


class FoundEvents(Shape):
    """What a query finds."""

    total: int = Field(description="How many events it finds.")
    data: list[StoredEvent] = Field(description="A page of them, the newest first.")
    complete: bool = Field(default=True, description="`false`: the total is of the newest events, as many as could be looked at in time.")
