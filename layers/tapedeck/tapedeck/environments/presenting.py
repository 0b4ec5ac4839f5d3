"""Organizations, projects, people and keys as the world sees them, in Sentry's shapes."""

from __future__ import annotations

import hashlib
from typing import Any

from tapedeck import clock
from tapedeck.environments.model import Environment, Key, Organization, User


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
    scheme, _, rest = base_url.partition("://")
    return {
        "id": str(shown.project_id),
        "slug": shown.slug,
        "name": shown.slug,
        "platform": None,
        "dateCreated": clock.iso(shown.created_at),
        "features": ["session-replay"],
        "isMember": True,
        "hasAccess": True,
        "status": "active",
        "dsn": f"{scheme}://{shown.public_key}@{rest}/{shown.project_id}",
    }


def bucket(shown: Environment, organization: Organization, *, base_url: str) -> dict[str, Any]:
    """An environment as PM2's clients know it; `node.endpoints.web` is where they ask for its events."""
    return {
        "_id": shown.bucket_id,
        "name": shown.slug,
        "public_id": shown.public_key,
        "comment": "",
        "owner": next((str(user_id) for user_id, role in shown.roles.items() if role == "owner"), None),
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
