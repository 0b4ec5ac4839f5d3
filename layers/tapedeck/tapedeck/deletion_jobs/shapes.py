"""The shapes of deletion jobs and of the audit trail, told to OpenAPI and to the tests; never imported by a function."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tapedeck.events.shapes import Shape

Ms = Annotated[int, Field(description="Milliseconds since the epoch.")]
Second = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$", description="ISO 8601, whole seconds, UTC.")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256.")]


class Job(Shape):
    """The erasure of one person from one project."""

    jobId: int  # noqa: N815 - the contract's names
    description: str
    status: Literal["scheduled", "running", "completed", "failed", "cancelled"]
    projectId: int  # noqa: N815
    action: Literal["delete_user_data"]
    referenceId: str = Field(description="The user's id.")  # noqa: N815
    createdAt: Ms  # noqa: N815
    updatedAt: Ms  # noqa: N815
    startAt: Ms  # noqa: N815
    errors: str | None = Field(description="How far a job came that failed or was cancelled while it ran.")


class JobAnswer(Shape):
    """A job."""

    data: Job


class JobsAnswer(Shape):
    """Jobs, the newest first."""

    data: list[Job]


class KnownUser(Shape):
    """What is known of a person."""

    userId: str  # noqa: N815
    sessionCount: int  # noqa: N815
    firstSeen: Ms | None  # noqa: N815
    lastSeen: Ms | None  # noqa: N815


class KnownUserAnswer(Shape):
    """A person."""

    data: KnownUser


class UserSession(Shape):
    """A session replay, as OpenReplay lists a session."""

    projectId: int  # noqa: N815
    sessionId: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]  # noqa: N815
    userUuid: str  # noqa: N815
    userId: str  # noqa: N815
    userOs: str | None  # noqa: N815
    userBrowser: str | None  # noqa: N815
    userDevice: str | None  # noqa: N815
    userCountry: str | None  # noqa: N815
    startTs: Ms  # noqa: N815
    duration: Ms = Field(description="Milliseconds.")
    eventsCount: int  # noqa: N815
    pagesCount: int  # noqa: N815
    errorsCount: int  # noqa: N815


class UserSessionsAnswer(Shape):
    """Sessions, the newest first, at most 50."""

    data: list[UserSession]


class Receipt(Shape):
    """What has gone with a person, without their name (decision 25)."""

    job_id: int
    project_id: int
    user_hash: Digest = Field(description="SHA-256 of the user's id: who knows it can check whose receipt this is.")
    until: Second = Field(description="The cut-off: what is of earlier is refused from then on.")
    counts: dict[str, int]
    objects: list[Digest] = Field(description="SHA-256 of the key of every object that has gone.")
    verified_absent: Literal[True]
    completed_at: Second
    sha256: Digest = Field(description="Of the rest: its JSON with sorted names and without white space.")


class ReceiptAnswer(Shape):
    """A receipt."""

    data: Receipt


class Actor(Shape):
    """A colleague who ordered something."""

    id: str
    name: str
    email: str


class Order(Shape):
    """Something that was erased, deleted or changed, as it was ordered."""

    id: str
    actor: Actor | None = Field(description="Null of the organization's key.")
    keyId: str | None  # noqa: N815
    event: str = Field(description="`user.erase`, `replay.delete`, `key.revoke`, …")
    targetObject: str = Field(description="An id; of a person, SHA-256 of theirs.")  # noqa: N815
    targetUser: None  # noqa: N815
    ipAddress: None  # noqa: N815
    note: str
    data: dict[str, Any]
    dateCreated: Second  # noqa: N815


class AuditAnswer(Shape):
    """The audit trail, the newest first."""

    rows: list[Order]
