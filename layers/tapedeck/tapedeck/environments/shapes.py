"""The shapes of what is told of environments and their people in MyCRT's dialect, for OpenAPI and for the tests.

Nothing that serves a request imports this module: importing pydantic is a tenth of a second of every cold start.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", description="ISO 8601, milliseconds, UTC.")]
Role = Literal["owner", "admin", "member"]


class Shape(BaseModel):
    """An object with these members and no others."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Environment(Shape):
    """An environment, under all of its names."""

    id: int
    envId: int = Field(description="The same as `id`: what captures call it.")  # noqa: N815 - the contract's names
    name: str
    slug: str
    ownerId: int | None  # noqa: N815
    role: Role | None = Field(description="The caller's; null for a key of the organization.")
    dbInstance: str | None = Field(description="The RDS instance whose metrics its captures show.")  # noqa: N815
    retentionDays: int | None = Field(description="For how many days what is recorded is kept; null: as the stack does.")  # noqa: N815
    retentionChoices: list[int] = Field(description="What `retentionDays` may be, beside null.")  # noqa: N815
    stackRetentionDays: int = Field(description="For how many days the stack keeps what is recorded: no environment does longer.")  # noqa: N815
    createdAt: Moment  # noqa: N815
    project_id: int = Field(description="What session replays call it; so does its slug.")
    projectKey: str = Field(description="What deletion jobs call it.")  # noqa: N815
    bucket_id: str = Field(description="What bucket events call it.")
    collection_id: str = Field(description="Its default collection of events.")
    dsn: str
    collection_token: str | None = Field(None, description="Its ingest token: in the answer that made it, and never again.")


class Environments(RootModel[list[Environment]]):
    """The environments of the caller, oldest first."""


class Member(Shape):
    """A person in an environment."""

    envId: int  # noqa: N815
    userId: int  # noqa: N815
    username: str
    email: str
    name: str
    role: Role


class Members(RootModel[list[Member]]):
    """The people of an environment, the owner first."""


class Person(Shape):
    """A person of an organization."""

    id: int
    username: str = Field(description="The e-mail address, as a capture names its owner.")
    email: str
    name: str
    role: Role = Field(description="In the organization.")
    createdAt: Moment  # noqa: N815


class Home(Shape):
    """An organization, in short."""

    id: int
    slug: str
    name: str


class Me(Shape):
    """Who is calling: a person, or a key of the organization, of which the person's members are null."""

    id: int | None
    username: str | None
    email: str | None
    name: str | None
    role: Role | None
    createdAt: Moment | None  # noqa: N815
    organization: Home
    scopes: list[str]
