"""The shapes of the session-replay answers, told to OpenAPI and to the tests that hold the answers against them.

Nothing that serves a request imports this module: it would cost a tenth of a second of every cold start, to say what `presenting` does.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

ReplayId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="A replay's id: 32 hex digits, without dashes.")]
EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$", description="An event's or a trace's id: 32 hex digits, without dashes.")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$", description="ISO 8601, whole seconds, UTC.")]
Text = str | None


class Shape(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Named(Shape):
    """Something with a name and a version."""

    name: Text
    version: Text


class Device(Shape):
    """The device on which the session was recorded."""

    name: Text
    brand: Text
    model: Text
    model_id: Text = Field(description="The same as `model`, by its older name.")
    family: Text


class Geo(Shape):
    """Where the user was, as the SDK said."""

    city: Text
    country_code: Text
    region: Text
    subdivision: Text


class User(Shape):
    """Whose session it is."""

    id: Text = Field(description="The user's own id: a text, even when the SDK sent a number.")
    username: Text
    email: Text
    ip: Text = Field(description="An IPv4 address.")
    ip_address: Text = Field(description="The same as `ip`.")
    geo: Geo
    display_name: Text = Field(description="The first known of: username, email, id, ip.")


class OtaUpdates(Shape):
    """The over-the-air update that a mobile app was running."""

    channel: Text
    runtime_version: Text
    update_id: Text


class Click(Shape):
    """The element of one click; null is what it did not have."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_by_name=True)

    alt: Text = Field(alias="click.alt")
    classes: list[str] | None = Field(alias="click.classes")
    component_name: Text = Field(alias="click.component_name")
    id: Text = Field(alias="click.id")
    label: Text = Field(alias="click.label", description="Its aria-label.")
    role: Text = Field(alias="click.role")
    tag: Text = Field(alias="click.tag")
    testid: Text = Field(alias="click.testid", description="Its data-testid.")
    text: Text = Field(alias="click.text")
    title: Text = Field(alias="click.title")


class ErrorEvent(Shape):
    """An event that happened during the replay, with its place on the timeline."""

    id: EventId
    level: Literal["error", "warning", "info"]
    timestamp: float = Field(description="Seconds since the epoch.")
    title: Text


class Replay(Shape):
    """A session replay. A deleted one keeps its id and its project: its lists are empty and everything else is null."""

    id: ReplayId
    project_id: str
    environment: Text
    platform: Text
    dist: Text
    releases: list[str]
    replay_type: Literal["session", "buffer", "error"] | None = Field(None, description="Absent of a deleted replay.")
    started_at: Moment | None = Field(description="The earliest start that a segment told.")
    finished_at: Moment | None = Field(description="The latest moment of a segment, a click or a linked event.")
    duration: int | None = Field(description="Whole seconds from start to finish.")
    activity: int | None = Field(ge=1, le=10, description="How much happened, from 1 to 10.")
    urls: list[str] | None = Field(description="The urls in the order of the visit; a url visited twice is there twice.")
    count_urls: int | None
    count_segments: int | None
    count_errors: int | None
    count_warnings: int | None
    count_infos: int | None
    count_dead_clicks: int | None = Field(description="Clicks after which nothing happened for seven seconds.")
    count_rage_clicks: int | None = Field(description="Dead clicks that were repeated five times or more.")
    error_ids: list[EventId]
    warning_ids: list[EventId]
    info_ids: list[EventId]
    trace_ids: list[EventId]
    clicks: list[Click]
    tags: dict[str, list[str]] | list[str] = Field(description="The values of each tag; of a deleted replay an empty list.")
    user: User
    sdk: Named
    os: Named
    browser: Named
    device: Device
    ota_updates: OtaUpdates
    is_archived: bool = Field(description="Whether the replay was deleted.")
    has_viewed: bool = Field(description="Whether the caller has watched it.")
    error_events: list[ErrorEvent] | None = Field(None, description="Where a single replay is answered: its linked events in time.")


class ReplayAnswer(Shape):
    """One replay."""

    data: Replay


class ReplaysAnswer(Shape):
    """A page of replays: with `field`, each has only the fields asked for."""

    data: list[Replay]


class RecordingSegment(Shape):
    """One segment of a recording."""

    replayId: str = Field(description="The replay's id, as the request spelled it.")  # noqa: N815 - the contract's spelling
    segmentId: int  # noqa: N815
    projectId: str  # noqa: N815
    dateAdded: Moment  # noqa: N815


class RecordingSegmentAnswer(Shape):
    """One segment."""

    data: RecordingSegment


class RecordingSegmentsAnswer(Shape):
    """A page of segments."""

    data: list[RecordingSegment]


class Viewer(BaseModel):
    """Somebody who watched the replay. Sentry's user object has more members; these are the ones that clients read."""

    model_config = ConfigDict(extra="allow", strict=True)

    id: str
    name: str
    username: str
    email: str
    type: Literal["user"] = "user"


class Viewers(Shape):
    """Who watched."""

    viewed_by: list[Viewer]


class ViewersAnswer(Shape):
    """Who watched a replay."""

    data: Viewers


class ClickAt(Shape):
    """A click, by its place in the recording."""

    node_id: int = Field(description="The rrweb node that was clicked.")
    timestamp: int = Field(description="Seconds since the epoch.")


class ClicksAnswer(Shape):
    """A page of clicks."""

    data: list[ClickAt]


class Element(BaseModel):
    """A clicked element; an empty text is what it did not have."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_by_name=True)

    alt: str
    aria_label: str
    classes: list[str] = Field(alias="class")
    component_name: str
    id: str
    project_id: int
    role: str
    tag: str
    testid: str
    title: str


class Selector(Shape):
    """An element with the clicks on it."""

    dom_element: str = Field(description="The element as a CSS selector.")
    element: Element
    project_id: int
    count_dead_clicks: int
    count_rage_clicks: int


class SelectorsAnswer(Shape):
    """A page of elements."""

    data: list[Selector]


class CountsAnswer(RootModel[dict[str, int | list[str]]]):
    """Counts, or ids with `returnIds`, of each value that has a replay."""


class TagKey(Shape):
    """A tag that replays of the period carry."""

    key: str
    name: str = Field(description="The key as people read it.")
    totalValues: int = Field(description="How many (replay, value) pairs there are.")  # noqa: N815


class TagValue(Shape):
    """A value of a tag."""

    key: str
    name: str
    value: str
    count: int = Field(description="In how many replays.")
    lastSeen: Moment  # noqa: N815
    firstSeen: Moment  # noqa: N815


class TagKeysAnswer(RootModel[list[TagKey]]):
    """The tags of the period."""


class TagValuesAnswer(RootModel[list[TagValue]]):
    """A page of a tag's values."""


class DeleteJob(Shape):
    """A bulk deletion."""

    id: int
    dateCreated: Moment  # noqa: N815
    dateUpdated: Moment  # noqa: N815
    rangeStart: Moment  # noqa: N815
    rangeEnd: Moment  # noqa: N815
    environments: list[str]
    status: Literal["pending", "in-progress", "completed", "failed"]
    query: str
    countDeleted: int = Field(description="How many replays it has deleted so far.")  # noqa: N815


class DeleteJobAnswer(Shape):
    """One bulk deletion."""

    data: DeleteJob


class DeleteJobsAnswer(Shape):
    """A page of bulk deletions."""

    data: list[DeleteJob]


class EnvelopeAnswer(Shape):
    """The receipt of an envelope."""

    id: Text = Field(None, description="The envelope's event_id, when it had one.")
