"""What an organization, a user, an environment, a key and a caller are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

OrganizationRole = Literal["owner", "admin", "member"]
EnvironmentRole = Literal["owner", "admin", "member"]

RESOURCES = ("org", "project", "replay", "event", "capture", "bucket", "job", "erase", "key", "audit")
ALL_SCOPES = frozenset(f"{resource}:{verb}" for resource in RESOURCES for verb in ("read", "write", "admin"))
_READ = frozenset(f"{resource}:read" for resource in RESOURCES if resource not in ("key", "audit"))
_WRITE = frozenset(f"{resource}:write" for resource in ("replay", "event", "capture", "bucket"))
_MANAGE = frozenset(f"{resource}:admin" for resource in ("project", "replay", "event", "capture", "bucket"))

# What a role may do: in the organization as a whole, and in one environment of it (trust.md §8.2).
ORGANIZATION_ROLES: Mapping[str, frozenset[str]] = {
    "member": _READ | _WRITE,
    "admin": ALL_SCOPES,
    "owner": ALL_SCOPES,
}
ENVIRONMENT_ROLES: Mapping[str, frozenset[str]] = {
    "member": _READ | _WRITE,
    "admin": _READ | _WRITE | _MANAGE,
    "owner": ALL_SCOPES,
}


@dataclass(frozen=True, slots=True)
class User:
    """A person in one organization. `role` is the organization's; roles in environments are kept there."""

    id: int
    email: str
    name: str
    role: OrganizationRole
    created_at: float


@dataclass(frozen=True, slots=True)
class Environment:
    """A place where things happen, under five names; `roles` maps user ids to what they are in it."""

    env_id: int
    slug: str
    project_id: int
    project_key: str
    bucket_id: str
    collection_id: str
    public_key: str
    roles: Mapping[int, EnvironmentRole]
    created_at: float
    name: str = ""  # as people wrote it; the slug is made of it
    database_instance: str | None = None  # the RDS instance whose metrics its captures show
    retention_days: int | None = None  # how long what was recorded is kept; None: as long as the stack keeps everything
    version: int = 0
    collection_token: str | None = field(default=None, repr=False)  # in the clear only when just made

    def names(self, handle: str) -> tuple[str, ...]:
        """What it is called under one of its handles, as paths spell it."""
        return (self.slug, str(self.project_id)) if handle == "project" else (str(getattr(self, handle)),)

    @property
    def owner_id(self) -> int | None:
        """Whose it is."""
        return next((user_id for user_id, role in self.roles.items() if role == "owner"), None)


@dataclass(frozen=True, slots=True)
class Member:
    """A person in an environment, and what they are in it."""

    env_id: int
    user: User
    role: EnvironmentRole


@dataclass(frozen=True, slots=True)
class Organization:
    """Who owns the data: nothing is shared between two of them. `environments` is the whole directory."""

    id: int
    slug: str
    name: str
    team_id: str
    created_at: float
    environments: tuple[Environment, ...] = ()

    def environment(self, name: str, *, by: str = "project") -> Environment | None:
        """The environment that a path names `by` one of its handles: "project" (its slug or its numeric id) or "bucket_id"."""
        return next((each for each in self.environments if name in each.names(by)), None)

    def is_named(self, slug_or_id: str) -> bool:
        """Whether a path's `{org}` names this organization."""
        return slug_or_id in (self.slug, str(self.id))


@dataclass(frozen=True, slots=True)
class Key:
    """A token as it is kept: its digest and what it may do, never the token."""

    id: str
    kind: Literal["tdu", "tdo"]
    sha256: str
    organization_id: int
    user_id: int | None
    scopes: frozenset[str]
    created_at: float
    expires_at: float | None = None
    name: str = ""
    rotated_to: str | None = None

    def is_live(self, now: float) -> bool:
        """Whether the token is accepted at `now`."""
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling. `scopes` are the key's; `user` is None for an organization key and for ingest."""

    organization_id: int
    scopes: frozenset[str]
    user: User | None = None
    key_id: str | None = None

    @property
    def user_id(self) -> int | None:
        """The person's id, if a person is calling."""
        return self.user.id if self.user else None

    def may(self, scope: str) -> bool:
        """Whether the caller may do this in the organization: a plain intersection of role and key."""
        return scope in self.scopes and (self.user is None or scope in ORGANIZATION_ROLES[self.user.role])

    def may_in(self, environment: Environment, scope: str) -> bool:
        """Whether the caller may do this in an environment: a person needs a role there."""
        if scope not in self.scopes:
            return False
        if self.user is None:
            return True
        role = environment.roles.get(self.user.id)
        return role is not None and scope in ENVIRONMENT_ROLES[role]

    def environments_of(self, organization: Organization, scope: str) -> list[Environment]:
        """The environments in which the caller may do this."""
        return [each for each in organization.environments if self.may_in(each, scope)]
