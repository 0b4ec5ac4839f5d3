"""How a function file becomes a Lambda handler: routing by Powertools, the gate, the family's dialect, one log line."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler import Response as PowertoolsResponse
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from tapedeck import errors
from tapedeck.api import auth, routes
from tapedeck.api.dialects import DIALECTS
from tapedeck.api.request import Query, Request

logger = Logger(service="tapedeck")

Endpoint = Callable[..., Any]
Meter = Callable[[Request, int, float, Mapping[str, Any]], None]  # told of a request, its status, its ms and what was noted
_BUSY = {
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "SlowDown",
    "ServiceUnavailable",
    "InternalServerError",
    "InternalError",
}


class Response(PowertoolsResponse[Any]):
    """An answer whose status, headers or bytes are not the usual 200 with JSON. `body` may be JSON-able, bytes or None."""

    def __init__(
        self,
        body: Any = None,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        encoding: str | None = None,
    ) -> None:
        sent = dict(headers or {})
        if encoding:
            sent["Content-Encoding"] = encoding
        if body is not None and not isinstance(body, (bytes, str)):
            body = orjson.dumps(body).decode()
        super().__init__(status, content_type if body is not None else None, body, sent)
        if isinstance(body, bytes):  # Powertools would serialize bytes that are called JSON
            self.body, self.base64_encoded = base64.b64encode(body).decode(), True


_noted: dict[str, Any] = {}


def note(**facts: Any) -> None:
    """Facts for the request's log line: counts and reasons, never anybody's data."""
    _noted.update(facts)


class Api:
    """The resolver of a function file: `app = Api()`, one decorated function, `lambda_handler = app.handler`."""

    def __init__(self, *, cors: Mapping[str, str] | None = None, meter: Meter | None = None) -> None:
        self._resolver = APIGatewayRestResolver()
        self._meter = meter
        self._cors = dict(cors or {})

    def get(self, path: str) -> Callable[[Endpoint], Endpoint]:
        """Answer GET on `path`, spelt as in template.yaml."""
        return self._on("GET", path)

    def post(self, path: str) -> Callable[[Endpoint], Endpoint]:
        """Answer POST on `path`."""
        return self._on("POST", path)

    def put(self, path: str) -> Callable[[Endpoint], Endpoint]:
        """Answer PUT on `path`."""
        return self._on("PUT", path)

    def delete(self, path: str) -> Callable[[Endpoint], Endpoint]:
        """Answer DELETE on `path`."""
        return self._on("DELETE", path)

    def preflight(self, path: str, headers: Mapping[str, str]) -> None:
        """Answer a browser's OPTIONS on `path`."""
        self._resolver.route(_powertools(path), method=["OPTIONS"])(lambda **_: Response(headers={**self._cors, **headers}))

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda entry point of an HTTP function."""
        answer = self._resolver.resolve({**event, "path": event.get("path") or "/"}, context)
        request_id = event["requestContext"]["requestId"]
        answer.setdefault("multiValueHeaders", {})["Request-Id"] = [request_id]
        answer["body"] = answer["body"] or ""  # the local emulator cannot send a null
        return answer

    def _on(self, method: str, path: str) -> Callable[[Endpoint], Endpoint]:
        route = routes.route(method, path)
        rest = re.search(r"\{(\w+)\+\}$", path)

        def register(endpoint: Endpoint) -> Endpoint:
            def answer(**names: str) -> Response:
                if rest:  # Powertools' names end at a slash; {path+} is all that is left of the path
                    names[rest[1]] = str(self._resolver.current_event.path)[rest.start() :].rstrip("/")
                return self._answer(route, endpoint, {name: unquote(value) if "%" in value else value for name, value in names.items()})

            self._resolver.route(_powertools(path), method=[method])(answer)
            return endpoint

        return register

    def _answer(self, route: routes.Route, endpoint: Endpoint, names: dict[str, str]) -> Response:
        started = time.perf_counter()
        _noted.clear()
        event = self._resolver.current_event.raw_event
        dialect = DIALECTS[route.dialect]
        request: Request | None = None
        try:
            request = auth.admit(route, _request(event), names)
            answer = endpoint(request, **names)
            response = answer if isinstance(answer, Response) else Response(answer)
        except errors.DomainError as error:
            status, body = dialect.refuse(error)
            response = Response(body if body is not None else None, status=status, headers={"Retry-After": "1"} if status == 503 else {})
        except Exception as error:  # the last line of defence: the log has the trace, the client has the Request-Id
            if isinstance(error, (AwsConnectionError, HTTPClientError)) or (
                isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in _BUSY
            ):
                status, body = dialect.refuse(errors.Unavailable())
                response = Response(body, status=status, headers={"Retry-After": "1"})
            else:
                logger.exception("unexpected", extra={"route": route.path, "request_id": event["requestContext"]["requestId"]})
                status, body = dialect.fail()
                response = Response(body, status=status)
        response.headers.update(self._cors)
        ms = round((time.perf_counter() - started) * 1000, 1)
        if self._meter and request and request.caller:
            self._meter(request, response.status_code, ms, _noted)
        logger.info(
            "request",
            extra={
                "request_id": event["requestContext"]["requestId"],
                "method": route.method,
                "route": route.path,
                "status": response.status_code,
                "ms": ms,
                "organization": request.caller.organization_id if request and request.caller else None,
                **_noted,
            },
        )
        return response


def _request(event: Mapping[str, Any]) -> Request:
    names = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    query = event.get("multiValueQueryStringParameters") or {}
    return Request(event, Query(query), {name.lower(): values[-1] for name, values in names.items() if values})


def _powertools(path: str) -> str:
    """`{name}` as template.yaml spells it, `<name>` as Powertools does."""
    return re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{(\w+)\+\}$", r"<\1>.*", path))
