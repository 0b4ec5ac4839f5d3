"""Organizations, environments, people and keys as the world sees them: in Sentry's shapes, in PM2's and in MyCRT's."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from tapedeck import clock, retention
from tapedeck.environments.model import Caller, Environment, Key, Member, Organization, User


def organization(shown: Organization) -> dict[str, Any]:
    """An organization. It has no `links.regionUrl`: clients refuse one over plain http (decision 38)."""
    return {
        "id": str(shown.id),
        "slug": shown.slug,
        "name": shown.name,
        "dateCreated": clock.iso(shown.created_at),
        "status": {"id": "active", "name": "active"},
        "isEarlyAdopter": False,
        "require2FA": False,
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": None, "avatarUrl": None},
        "features": ["session-replay"],
        "teamId": shown.team_id,
    }


def project(shown: Environment, *, base_url: str) -> dict[str, Any]:
    """An environment as Sentry's clients know it, a project, with the DSN to put into an SDK."""
    return {
        "id": str(shown.project_id),
        "slug": shown.slug,
        "name": shown.name or shown.slug,
        "platform": None,
        "dateCreated": clock.iso(shown.created_at),
        "features": ["session-replay"],
        "isMember": True,
        "hasAccess": True,
        "status": "active",
        "dsn": dsn(shown, base_url=base_url),
    }


def dsn(shown: Environment, *, base_url: str) -> str:
    """What an SDK is given: where to send to, and the public key that opens it."""
    scheme, _, rest = base_url.partition("://")
    return f"{scheme}://{shown.public_key}@{rest}/{shown.project_id}"


def bucket(shown: Environment, organization: Organization, *, base_url: str) -> dict[str, Any]:
    """An environment as PM2's clients know it; `node.endpoints.web` is where they ask for its events."""
    return {
        "_id": shown.bucket_id,
        "name": shown.slug,
        "public_id": shown.public_key,
        "comment": "",
        "owner": None if shown.owner_id is None else str(shown.owner_id),
        "organization": organization.slug,
        "created_at": clock.iso(shown.created_at),
        "active": True,
        "node": {"_id": organization.team_id, "name": "tapedeck", "endpoints": {"web": base_url}},
    }


def user(shown: User) -> dict[str, Any]:
    """A person, with exactly the eighteen members of Sentry's user object (contract §1.10)."""
    return {
        "id": str(shown.id),
        "name": shown.name,
        "username": shown.email,
        "email": shown.email,
        "emails": [{"id": str(shown.id), "email": shown.email, "is_verified": True}],
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": None, "avatarUrl": None},
        "avatarUrl": f"https://gravatar.com/avatar/{hashlib.sha256(shown.email.strip().lower().encode()).hexdigest()}?s=32&d=mm",
        "dateJoined": clock.iso(shown.created_at),
        "experiments": {},
        "has2fa": False,
        "hasPasswordAuth": False,
        "isActive": True,
        "isManaged": False,
        "isStaff": False,
        "isSuperuser": False,
        "lastActive": None,
        "lastLogin": None,
        "type": "user",
    }


def environment(shown: Environment, caller: Caller, *, base_url: str) -> dict[str, Any]:
    """An environment as captures know it, under all of its names. The token of its collection is there once, when it is made."""
    told = {
        "id": shown.env_id,
        "envId": shown.env_id,
        "name": shown.name or shown.slug,
        "slug": shown.slug,
        "ownerId": shown.owner_id,
        "role": None if caller.user_id is None else shown.roles.get(caller.user_id),
        "dbInstance": shown.database_instance,
        "retentionDays": shown.retention_days,
        "retentionChoices": retention.choices(),
        "stackRetentionDays": retention.days(),
        "createdAt": _moment(shown.created_at),
        "project_id": shown.project_id,
        "projectKey": shown.project_key,
        "bucket_id": shown.bucket_id,
        "collection_id": shown.collection_id,
        "dsn": dsn(shown, base_url=base_url),
    }
    return told | {"collection_token": shown.collection_token} if shown.collection_token else told


def member(shown: Member) -> dict[str, Any]:
    """A person in an environment."""
    return {
        "envId": shown.env_id,
        "userId": shown.user.id,
        "username": shown.user.email,
        "email": shown.user.email,
        "name": shown.user.name,
        "role": shown.role,
    }


def person(shown: User) -> dict[str, Any]:
    """A person as captures know one: `username` is the e-mail address, as in a capture."""
    return {
        "id": shown.id,
        "username": shown.email,
        "email": shown.email,
        "name": shown.name,
        "role": shown.role,
        "createdAt": _moment(shown.created_at),
    }


def caller(shown: Caller, organization: Organization) -> dict[str, Any]:
    """Who is calling, and where: a person, or a key of the organization, which is nobody."""
    nobody = {"id": None, "username": None, "email": None, "name": None, "role": None, "createdAt": None}
    where = {"id": organization.id, "slug": organization.slug, "name": organization.name}
    return {**(person(shown.user) if shown.user else nobody), "organization": where, "scopes": sorted(shown.scopes)}


def key(shown: Key) -> dict[str, Any]:
    """A key without its token: that is shown once, by whoever made it."""
    return {
        "id": shown.id,
        "kind": shown.kind,
        "name": shown.name,
        "scopes": sorted(shown.scopes),
        "userId": str(shown.user_id) if shown.user_id else None,
        "dateCreated": clock.iso(shown.created_at),
        "dateExpires": clock.iso(shown.expires_at) if shown.expires_at else None,
        "rotatedTo": shown.rotated_to,
    }


def _moment(seconds: float) -> str:
    """ISO 8601 with milliseconds and `Z`: the form in which captures tell time (product.md §5)."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
