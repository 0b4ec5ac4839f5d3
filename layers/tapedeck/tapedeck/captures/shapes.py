"""The shapes of captures, told to OpenAPI and to the tests that hold the answers against them; never imported by a function."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, RootModel

from tapedeck.events.shapes import Moment, Shape


class Capture(Shape):
    """A window over the events of an environment."""

    id: int
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9 :_-]{4,25}$", description="Unique in its environment.")]
    type: Literal["CAPTURE"]
    status: Literal["SCHEDULED", "STARTED", "STARTING", "RUNNING", "STOPPING", "DONE", "FAILED"]
    envId: int  # noqa: N815 - the contract's names
    ownerId: int | None = Field(description="Who made it; null for an organization's key.")  # noqa: N815
    username: str | None = Field(description="The e-mail address of who made it.")
    isMimic: Literal[False]  # noqa: N815
    start: Moment | None = Field(description="When its window begins: from RUNNING on.")
    end: Moment | None = Field(description="When its window ended: from STOPPING on.")
    scheduledStart: Moment | None  # noqa: N815
    scheduledEnd: Moment | None = Field(description="When it stops by itself; null: when it is stopped.")  # noqa: N815
    duration: int | None = Field(description="Seconds.")
    reason: Annotated[str, Field(max_length=100)] | None = Field(description="Why it has failed.")
    collectionId: str | None = Field(description="The sealed collection that it has become: from DONE on.")  # noqa: N815


class Captures(RootModel[list[Capture]]):
    """Captures, the oldest first."""


class DataPoint(Shape):
    """A metric in one period."""

    Timestamp: Moment
    Maximum: float = Field(description="The maximum in the period; of counts and bytes, their sum.")
    Unit: str


class Metric(Shape):
    """One metric during a capture."""

    label: str = Field(description="CloudWatch's name.")
    type: str = Field(description="What `?type=` takes, in any case.")
    displayName: str  # noqa: N815
    complete: bool = Field(description="Whether CloudWatch knew all of it: not while the capture runs, nor in the three minutes after.")
    dataPoints: list[DataPoint]  # noqa: N815


class Metrics(RootModel[list[Metric] | Metric]):
    """Every metric of a capture, or the one that was asked for."""
