"""The exchange of a person's token for one that expires soon, as OAuth clients want it (decision 24)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson

from tapedeck import aws, clock, errors
from tapedeck.environments import keys, tokens
from tapedeck.environments.model import Key

LIFETIME = 3600.0  # seconds
_GRANT = "refresh_token"


def exchange(body: bytes) -> dict[str, Any]:
    """`{access_token, refresh_token, expire_at, token_type}` for a request in JSON or as a form; `expire_at` is in ISO 8601.

    The access token may do what the refresh token may, and dies with its time. Called again it makes another one. Raises Invalid for
    another grant, Unauthenticated for a token that is not a living person's.
    """
    asked = _read(body)
    if asked.get("grant_type") != _GRANT:
        raise errors.Invalid(f"grant_type must be {_GRANT}")
    token, key = access(str(asked.get("refresh_token", "")), lifetime=LIFETIME)
    return {
        "access_token": token,
        "refresh_token": asked["refresh_token"],
        "expire_at": clock.iso(key.expires_at or 0.0),
        "token_type": "bearer",
    }


def access(person: str, *, lifetime: float, name: str = "oauth") -> tuple[str, Key]:
    """A new token with the rights of a person's, and its key: it lives for `lifetime` seconds, and no longer than the person's.

    Raises Unauthenticated for what is not a living person's token.
    """
    claim = tokens.parse(person)
    if claim is None or claim.kind != "tdu" or (claim.dev and aws.setting("STAGE") != "local"):
        raise errors.Unauthenticated("Invalid refresh_token")
    key = keys.get(claim.key_id, fresh=True)
    if key is None or not keys.opens(claim, key):
        raise errors.Unauthenticated("Invalid refresh_token")
    expires_at = min(clock.now() + lifetime, key.expires_at or float("inf"))
    return keys.issue("tdu", key.organization_id, key.user_id, key.scopes, dev=claim.dev, expires_at=expires_at, name=name)


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        asked = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if not isinstance(asked, dict):
        raise errors.Invalid("The body must be a JSON object.")
    return asked
