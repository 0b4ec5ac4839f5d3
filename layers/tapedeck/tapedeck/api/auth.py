"""The gate: from what a request presents to who is calling, and whether the route is theirs to take.

The one place where the door knows a domain: callers, roles and handles are what `environments` is about (docs/decisions.md).
Keys and directories are remembered for at most a minute in a container; `fresh` routes trust no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tapedeck import aws, clock, errors, inflating
from tapedeck.api.dialects import DIALECTS
from tapedeck.api.request import Request
from tapedeck.api.routes import HANDLES, Route
from tapedeck.environments import keys, store, tokens
from tapedeck.environments.model import Caller, Environment, Organization, User

REMEMBERED = 60.0
_MOST_REMEMBERED = 10_000
_HEADER = 4096  # an envelope's header is shorter
_MOST_INFLATED = 24 * 1024 * 1024
_PUBLIC_KEY = re.compile(r"[0-9a-f]{32}")
_COLLECTION_TOKEN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SENTRY_HEADER = re.compile(r"(?i)^sentry\s+(.*)$")

_memory: dict[tuple[str, Any], tuple[float, Any]] = {}
_T = TypeVar("_T")


def admit(route: Route, request: Request, names: dict[str, str]) -> Request:
    """The request with caller, organization and environment filled in, as far as the route has them.

    Takes `org`, `project_id` and the handle of an environment out of `names`: a function file sees what they name, not the names.
    Raises Unauthenticated, Forbidden (the organization is the caller's, the project is not) or NotFound.
    """
    if route.reach == "public":
        return request
    if route.reach == "ingest":
        organization, environment = sender(request, names.pop("project_id"))
        return replace(request, caller=Caller(organization.id, frozenset()), _organization=organization, _environment=environment)
    if route.reach == "collect":
        organization, environment, name = collector(request)
        caller = Caller(organization.id, frozenset())
        return replace(request, caller=caller, _organization=organization, _environment=environment, _collection_id=name)
    caller, organization = _caller(route, request, fresh=route.fresh)
    request = replace(request, caller=caller, _organization=organization)
    named = names.pop("org", None)
    nothing = errors.NotFound(DIALECTS[route.dialect].no_environment)
    if named is not None and not organization.is_named(named):
        raise nothing
    scope = route.scope or "org:admin"
    if route.reach == "environment":
        handle = next(handle for handle in HANDLES if handle in names)
        name = names.pop(handle)
        found = organization.environment(name, by=handle)
        if found is None and not route.fresh:  # it may have been made since the directory was read
            caller, organization = _caller(route, request, fresh=True)
            request = replace(request, caller=caller, _organization=organization)
            found = organization.environment(name, by=handle)
        if found is None:
            raise nothing
        if not caller.may_in(found, scope):
            raise errors.Forbidden
        return replace(request, _environment=found)
    if not caller.may(scope):
        raise errors.Forbidden
    return request


def public_key_of(request: Request) -> str:
    """The one public key that a sender presents (contract §6.1): in the query, in a Sentry header, or as the envelope's `dsn`.

    Raises Unauthenticated without one, with a malformed one, or with two kinds at once.
    """
    given = []
    if key := request.query.one("sentry_key"):
        given.append(key)
    headers = [request.headers.get("x-sentry-auth", "")]
    if _SENTRY_HEADER.match(request.headers.get("authorization", "")):
        headers.append(request.headers["authorization"])
    for header in filter(None, headers):
        match = _SENTRY_HEADER.match(header.strip())
        fields = dict(part.strip().split("=", 1) for part in (match[1] if match else "").split(",") if "=" in part)
        given.append(fields.get("sentry_key", ""))
    if not given and (dsn := _dsn(request)):
        match = re.match(r"https?://([^@/:]+)(?::[^@/]*)?@", dsn)
        given.append(match[1] if match else "")
    if not given:
        raise errors.Unauthenticated(
            "missing authorization information", causes=["no sentry_key in the query, the headers or the envelope"]
        )
    if len(given) > 1:
        raise errors.Unauthenticated("multiple authorization payloads detected", causes=["authenticate in one way only"])
    if not _PUBLIC_KEY.fullmatch(given[0]):
        raise errors.Unauthenticated("bad sentry DSN public key", causes=["a public key is 32 hex digits"])
    return given[0]


def sender(request: Request, project_id: str) -> tuple[Organization, Environment]:
    """The organization and environment whose public key the request presents. Forbidden when the key is not that project's."""
    public_key = public_key_of(request)
    found = _remembered(("dsn", public_key), lambda: store.project_of(public_key), fresh=False)
    if found is None or str(found[1]) != project_id:
        raise errors.Forbidden("event submission rejected with_reason: ProjectId", causes=["unknown key, or not a key of this project"])
    organization = _remembered(("organization", found[0]), lambda: store.organization(found[0]), fresh=False)
    environment = organization.environment(project_id) if organization else None
    if organization is None or environment is None:
        raise errors.Forbidden("event submission rejected with_reason: ProjectId", causes=["the project is gone"])
    return organization, environment


def collector(request: Request) -> tuple[Organization, Environment, str]:
    """The collection, with all around it, whose ingest token the request presents. Unauthenticated when it is nobody's."""
    token = request.headers.get("batch-token", "").strip()
    if not _COLLECTION_TOKEN.fullmatch(token):
        raise errors.Unauthenticated("A Batch-Token header with a collection's token is needed.")
    found = _remembered(("collect", token), lambda: store.collection_of(token), fresh=False)
    organization = _remembered(("organization", found[0]), lambda: store.organization(found[0]), fresh=False) if found else None
    environment = next((each for each in organization.environments if found and each.env_id == found[1]), None) if organization else None
    if found is None or organization is None or environment is None:
        raise errors.Unauthenticated("There is no collection with this token.")
    return organization, environment, found[2]


def _dsn(request: Request) -> str | None:
    """The `dsn` of an envelope's header: looked at only when nothing else was presented, for it may have to be inflated."""
    encoding = request.headers.get("content-encoding", "") or "identity"
    first = inflating.inflate(request.body(), encoding, _MOST_INFLATED).split(b"\n", 1)[0]
    match = re.search(rb'"dsn"\s*:\s*"([^"]{1,300})"', first[:_HEADER])
    return match[1].decode("ascii", "replace") if match else None


def forget() -> None:
    """Forget every key and directory: what a new container knows."""
    _memory.clear()


def _presented(route: Route, request: Request) -> str:
    """What the request presents: its header, or, where browsers sign in, the cookie of a session."""
    presented = request.headers.get("authorization", "").strip()
    if presented or route.dialect != "captures":
        return presented
    from tapedeck.environments import sessions  # most functions have none

    return sessions.token_of(request.headers) or ""


def _caller(route: Route, request: Request, *, fresh: bool) -> tuple[Caller, Organization]:
    presented = _presented(route, request)
    if not presented:
        raise errors.Unauthenticated
    scheme, _, rest = presented.partition(" ")
    claim = tokens.parse(rest.strip() if scheme.lower() == "bearer" else presented)
    if claim is None or (claim.dev and aws.setting("STAGE") != "local"):
        raise errors.Unauthenticated("Invalid token")
    key = _remembered(("key", claim.key_id), lambda: keys.get(claim.key_id, fresh=fresh), fresh=fresh)
    if key is None or not keys.opens(claim, key):
        raise errors.Unauthenticated("Invalid token")
    organization, user = _directory(key.organization_id, key.user_id, fresh=fresh)
    if organization is None or (key.user_id is not None and user is None):
        raise errors.Unauthenticated("Invalid token")
    return Caller(organization.id, key.scopes, user, key.id), organization


def _directory(organization_id: int, user_id: int | None, *, fresh: bool) -> tuple[Organization | None, User | None]:
    """The organization and the person: side by side, so that a cold container waits once."""

    def read() -> tuple[Organization | None, User | None]:
        wanted: list[Callable[[], Any]] = [lambda: store.organization(organization_id, fresh=fresh)]
        if user_id is not None:
            wanted.append(lambda: store.user(organization_id, user_id, fresh=fresh))
        found = aws.together(*wanted)
        return found[0], found[1] if user_id is not None else None

    return _remembered(("directory", (organization_id, user_id)), read, fresh=fresh)


def _remembered(name: tuple[str, Any], read: Callable[[], _T], *, fresh: bool) -> _T:
    known = _memory.get(name)
    if known is not None and not fresh and 0 <= clock.now() - known[0] < REMEMBERED:
        return known[1]  # type: ignore[no-any-return]
    value = read()
    if value is None:
        _memory.pop(name, None)  # what does not exist is not remembered: it may exist in a moment
        return value
    if len(_memory) >= _MOST_REMEMBERED:
        _memory.clear()
    _memory[name] = (clock.now(), value)
    return value
