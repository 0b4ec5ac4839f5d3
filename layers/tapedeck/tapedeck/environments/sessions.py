"""The session of a browser: a cookie, made at sign-in and read by the routes of captures and environments (contract §2.3).

In the cookie is an access token that dies after two hours; it may do what the person's own token may, and no script can read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tapedeck import aws, errors
from tapedeck.environments import exchanging, store
from tapedeck.environments.model import User

COOKIE = "MyCRTAuthToken"
LIFETIME = 7200.0  # seconds; signing in again begins anew
# What Sec-Fetch-Site says of a page's own requests, and of an address that was typed in.
_OWN = ("same-origin", "none")


def log_in(body: Mapping[str, Any]) -> tuple[User, str]:
    """(the person, the `Set-Cookie` header) for `{"token"}`, a person's token. Called again it makes another session.

    Raises Invalid without a token, Forbidden for one that does not open: a failed login is a 403 here.
    """
    token = body.get("token")
    if not isinstance(token, str) or not token:
        raise errors.Invalid(fields={"token": ['"token" is required']})
    try:
        session, key = exchanging.access(token.strip(), lifetime=LIFETIME, name="session")
    except errors.Unauthenticated:
        raise errors.Forbidden("This token is nobody's, or no longer.") from None
    user = store.user(key.organization_id, key.user_id or 0, fresh=True)
    if user is None:
        raise errors.Forbidden("This token is nobody's, or no longer.")
    return user, _cookie(session)


def token_of(headers: Mapping[str, str]) -> str | None:
    """The token in the cookie of a request, or None. `headers` have lower-case names.

    A browser sends cookies with whatever any page asks for; where it says that the page is of another origin, there is no session.
    """
    if headers.get("sec-fetch-site", "same-origin") not in _OWN:
        return None
    for pair in headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None


def _cookie(token: str) -> str:
    secure = "" if aws.setting("STAGE") == "local" else "; Secure"  # the local stack speaks plain http
    return f"{COOKIE}={token}; Path=/; Max-Age={LIFETIME:.0f}; HttpOnly; SameSite=Strict{secure}"
