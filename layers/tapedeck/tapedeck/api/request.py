"""What a function file sees of an HTTP request: never the event dict."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import orjson

from tapedeck import aws, errors

if TYPE_CHECKING:
    from tapedeck.environments.model import Caller, Environment, Organization

_T = TypeVar("_T")


def _there(value: _T | None, name: str) -> _T:
    if value is None:
        raise LookupError(f"this route has no {name}: see api.routes")
    return value


class Query(dict[str, list[str]]):
    """Query parameters: every value of every name, in order; empty strings count as absent (contract §1.1)."""

    def one(self, *names: str) -> str | None:
        """The first non-empty value of the first name that has one."""
        return next((value for name in names for value in self.get(name, ()) if value), None)

    def all(self, name: str) -> list[str]:
        """Every non-empty value of a repeatable parameter."""
        return [value for value in self.get(name, ()) if value]


@dataclass(frozen=True)
class Request:
    """One request, after the door has let it in: who calls, on whose behalf, for what."""

    event: Mapping[str, Any]
    query: Query
    headers: Mapping[str, str]  # lower-case names, the last value of a repeated one
    caller: Caller | None = None
    _organization: Organization | None = None
    _environment: Environment | None = None
    _collection_id: str | None = None

    @property
    def who(self) -> Caller:
        """The caller of a route that has one."""
        return _there(self.caller, "caller")

    @property
    def organization(self) -> Organization:
        """The caller's organization."""
        return _there(self._organization, "organization")

    @property
    def environment(self) -> Environment:
        """The environment that the path (or the ingest key or token) names, already checked to be the caller's."""
        return _there(self._environment, "environment")

    @property
    def collection_id(self) -> str:
        """The collection whose ingest token was presented."""
        return _there(self._collection_id, "collection")

    @property
    def client_ip(self) -> str:
        """The address that API Gateway saw."""
        return str(self.event["requestContext"].get("identity", {}).get("sourceIp") or "")

    @property
    def url(self) -> str:
        """The absolute URL of the request's path, without its query."""
        context = self.event["requestContext"]
        if base := aws.setting("PUBLIC_URL", ""):
            return base + str(self.event["path"])
        scheme = self.headers.get("x-forwarded-proto", "https").split(",")[0]
        return f"{scheme}://{self.headers.get('host', context.get('domainName', ''))}{context.get('path', self.event['path'])}"

    @property
    def base_url(self) -> str:
        """Where the API is mounted: the URL to which `/api/…` is appended."""
        return self.url.rstrip("/").removesuffix(str(self.event["path"]).rstrip("/"))

    def url_with(self, **changes: str) -> str:
        """This request's URL with its parameters, and `changes` put at the end of them."""
        kept = [(name, value) for name, values in self.query.items() if name not in changes for value in values]
        return f"{self.url}?{urlencode(kept)}&{urlencode(changes)}"

    def body(self) -> bytes:
        """The body's bytes. Invalid when the gateway's base64 is not base64."""
        text = self.event.get("body") or ""
        try:
            return base64.b64decode(text, validate=True) if self.event.get("isBase64Encoded") else text.encode()
        except ValueError as why:  # binascii.Error is one
            raise errors.Invalid("The body cannot be decoded.", causes=[str(why)]) from None

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; Invalid for anything else. Depth and number size are bounded by the parser."""
        try:
            value = orjson.loads(self.body() or b"{}")
        except orjson.JSONDecodeError as why:
            raise errors.Invalid(f"JSON parse error - {why}"[:200]) from None
        if not isinstance(value, dict):
            raise errors.Invalid("The body must be a JSON object.")
        return value
