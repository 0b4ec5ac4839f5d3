"""API Gateway's part: the REST proxy event out of a request, the answer out of what a function returns, and the limits of both."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.harness.template import ACCOUNT, API_ID, REGION, Route, Template

HOST = f"{API_ID}.execute-api.{REGION}.amazonaws.com"
MAX_REQUEST = 10 * 1024 * 1024  # API Gateway
MAX_PAYLOAD = 6 * 1024 * 1024  # Lambda, both ways, base64 and JSON included
Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Query = Mapping[str, Any] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Response:
    """What the client receives."""

    status: int
    multi_headers: Mapping[str, list[str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The last value of each header, by its name in lower case."""
        return {name: values[-1] for name, values in self.multi_headers.items()}

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The `Link` header: by `rel`, its parameters, and the address as `url`."""
        found = {}
        for part in self.headers.get("link", "").split(", <"):
            url, _, rest = part.lstrip("<").partition(">")
            parameters = dict(pair.strip().split("=", 1) for pair in rest.split(";") if "=" in pair)
            plain = {name: value.strip('"') for name, value in parameters.items()}
            if "rel" in plain:
                found[plain["rel"]] = {**plain, "url": url}
        return found

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:300]!r}>"


@dataclass(frozen=True)
class Request:
    """What the client sends."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes | None
    source_ip: str = "203.0.113.7"


def request(
    stage: str,
    method: str,
    url: str,
    *,
    headers: Headers = (),
    query: Query = (),
    body: bytes | str | None = None,
    source_ip: str = "203.0.113.7",
) -> Request:
    """A request for a path, or for an absolute URL that the API itself gave out."""
    split = urlsplit(url)
    path = split.path.removeprefix(f"/{stage}") if split.netloc else split.path
    pairs = parse_qsl(split.query, keep_blank_values=True)
    for name, value in query.items() if isinstance(query, Mapping) else query:
        pairs += [(name, str(each)) for each in (value if isinstance(value, list) else [value])]
    sent = [("Host", HOST), ("User-Agent", "tests"), ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443")]
    own = list(headers.items() if isinstance(headers, Mapping) else headers)
    named = {name.lower() for name, _ in own}
    sent = [pair for pair in sent if pair[0].lower() not in named] + own
    return Request(method, path, pairs, sent, body.encode() if isinstance(body, str) else body, source_ip)


def find(template: Template, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that API Gateway chooses, with the path's decoded parameters."""
    matches = [(route, found) for route in template.routes if route.method == method and (found := route.match(path)) is not None]
    if not matches:
        return None
    route, names = max(matches, key=lambda each: each[0].precision)
    return route, {name: unquote(value) for name, value in names.items()}


def event(template: Template, request: Request, route: Route, names: Mapping[str, str], *, now: float) -> dict[str, Any]:
    """The event that a function behind a REST API with `BinaryMediaTypes: */*` receives."""
    many: dict[str, list[str]] = {}
    forwarded = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
    kept = [(name, value) for name, value in request.headers if name.lower() != "x-forwarded-for"]
    for name, value in [*kept, ("X-Forwarded-For", ", ".join([*forwarded, request.source_ip]))]:
        many.setdefault(name, []).append(value)
    asked: dict[str, list[str]] = {}
    for name, value in request.query:
        asked.setdefault(name, []).append(value)
    return {
        "resource": route.path,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in many.items()},
        "multiValueHeaders": many,
        "queryStringParameters": {name: values[-1] for name, values in asked.items()} or None,
        "multiValueQueryStringParameters": asked or None,
        "pathParameters": dict(names) or None,
        "stageVariables": None,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "domainName": HOST,
            "domainPrefix": API_ID,
            "extendedRequestId": "c6af9ac6-7b61",
            "httpMethod": request.method,
            "identity": {"sourceIp": request.source_ip, "userAgent": many.get("User-Agent", [None])[-1]},
            "path": f"/{template.stage}{request.path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(now * 1000),
            "resourceId": "res123",
            "resourcePath": route.path,
            "stage": template.stage,
        },
        "body": None if request.body is None else base64.b64encode(request.body).decode(),
        "isBase64Encoded": request.body is not None,
    }


def answer(returned: Mapping[str, Any]) -> Response:
    """The client's view of what a function returned; AssertionError where API Gateway would say 502."""
    unknown = set(returned) - {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
    assert not unknown, f"API Gateway refuses a proxy answer with {unknown}"
    assert isinstance(returned["statusCode"], int)
    headers: dict[str, list[str]] = {}
    for name, value in (returned.get("headers") or {}).items():
        headers[name.lower()] = [_header(value)]
    for name, values in (returned.get("multiValueHeaders") or {}).items():
        assert isinstance(values, list), f"multiValueHeaders wants lists: {name}"
        headers[name.lower()] = [_header(value) for value in values]
    text = returned.get("body")
    assert text is None or isinstance(text, str), "a body is a string"
    body = base64.b64decode(text or "", validate=True) if returned.get("isBase64Encoded") else (text or "").encode()
    return Response(returned["statusCode"], headers, body)


def _header(value: Any) -> str:
    assert isinstance(value, str), f"a header's value is a string, not {value!r}"
    assert "\r" not in value
    assert "\n" not in value
    return value


_USUAL = {"MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"), "REQUEST_TOO_LARGE": (413, "Request Too Large")}


def refusal(template: Template, kind: str) -> Response:
    """What API Gateway answers by itself, in the template's words."""
    said = template.gateway_response(kind)
    status, message = _USUAL.get(kind, (502, "Internal server error"))
    context = {"requestId": str(uuid.uuid4()), "error.messageString": json.dumps(message), "error.message": message}

    def fill(text: str) -> str:
        for name, value in context.items():
            text = text.replace(f"$context.{name}", value)
        return text

    headers = {
        name.removeprefix("gatewayresponse.header.").lower(): [value[1:-1] if value.startswith("'") else fill(f"${value}")]
        for name, value in said.get("responseParameters", {}).items()
    }
    body = fill(said.get("responseTemplates", {}).get("application/json", '{"message":$context.error.messageString}'))
    return Response(int(said.get("statusCode", status)), {**headers, "content-type": ["application/json"]}, body.encode())


def mock(route: Route) -> Response:
    """The answer of a MOCK integration: SAM's CORS preflight."""
    said = route.integration["responses"]["default"]
    headers = {name.rpartition("header.")[2].lower(): [value.strip("'")] for name, value in said.get("responseParameters", {}).items()}
    return Response(int(said["statusCode"]), headers, b"")
