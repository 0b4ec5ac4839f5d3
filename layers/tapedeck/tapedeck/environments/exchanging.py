"""The exchange of a person's token for one that expires soon, as OAuth clients want it (decision 24)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import orjson

from tapedeck import aws, clock, errors
from tapedeck.environments import keys, tokens

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
    claim = tokens.parse(str(asked.get("refresh_token", "")))
    if claim is None or claim.kind != "tdu" or (claim.dev and aws.setting("STAGE") != "local"):
        raise errors.Unauthenticated("Invalid refresh_token")
    key = keys.get(claim.key_id, fresh=True)
    if key is None or not keys.opens(claim, key):
        raise errors.Unauthenticated("Invalid refresh_token")
    expires_at = min(clock.now() + LIFETIME, key.expires_at or float("inf"))
    token, _ = keys.issue("tdu", key.organization_id, key.user_id, key.scopes, dev=claim.dev, expires_at=expires_at, name="oauth")
    return {
        "access_token": token,
        "refresh_token": asked["refresh_token"],
        "expire_at": clock.iso(expires_at),
        "token_type": "bearer",
    }


def _read(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        asked = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
    if not isinstance(asked, dict):
        raise errors.Invalid("The body must be a JSON object.")
    return asked
