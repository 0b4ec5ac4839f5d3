"""The five dialects, each through every kind of failure; what the gateway says itself; Request-Id on every answer (product.md §5)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tapedeck import errors
from tapedeck.api.dialects import DIALECTS, INTERNAL_ERROR
from tapedeck.api.routes import ROUTES
from tests.harness import System, envelopes
from tests.harness.sdk import send

KINDS: tuple[type[errors.DomainError], ...] = (
    errors.Invalid, errors.Unauthenticated, errors.Forbidden, errors.NotFound, errors.Conflict, errors.TooLarge, errors.Unavailable,
)  # fmt: skip
# product.md §5: the statuses of each family, in the order of KINDS.
STATUSES = {
    "session_replays": (400, 401, 403, 404, 409, 413, 503),
    "event_replays": (422, 401, 404, 404, 409, 413, 503),
    "captures": (400, 401, 403, 404, 409, 413, 503),
    "deletion_jobs": (400, 401, 404, 404, 409, 413, 503),
    "bucket_events": (400, 401, 403, 404, 409, 413, 503),
}


def words(dialect: str, body: Any, status: int) -> str:
    """The sentence of an error, from where this family puts it; AssertionError for another shape."""
    if dialect == "session_replays" and status == 404 and body is None:
        return "nothing: contract §1, an id that names no replay is a 404 with an empty body"
    match dialect:
        case "session_replays":
            assert set(body) <= {"detail", "causes"}
            return str(body["detail"])
        case "event_replays":
            [entry] = body["errors"]
            assert {"code", "field", "message", "status"} <= set(entry)
            return str(entry["message"])
        case "captures":
            if isinstance(body, list):
                [entry] = body
                assert set(entry) == {"message", "path"}
                return str(entry["message"])
            assert set(body) == {"code", "message"}
            assert body["code"] == status
            return str(body["message"])
        case "deletion_jobs":
            [sentence] = body["errors"]
            return str(sentence)
        case _:
            assert set(body) == {"msg"}
            return str(body["msg"])


def test_there_are_five_dialects_and_every_route_speaks_one() -> None:
    assert set(DIALECTS) == set(STATUSES)
    assert {route.dialect for route in ROUTES} <= set(DIALECTS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dialect", STATUSES)
def test_every_refusal_has_the_familys_status_and_shape(dialect: str, kind: type[errors.DomainError]) -> None:
    status, body = DIALECTS[dialect].refuse(kind("because of this"))
    assert status == STATUSES[dialect][KINDS.index(kind)]
    assert words(dialect, body, status) == "because of this"
    status, body = DIALECTS[dialect].refuse(kind())
    assert words(dialect, body, status)
    json.dumps(body)


@pytest.mark.parametrize("dialect", STATUSES)
def test_invalid_fields_are_told_one_by_one(dialect: str) -> None:
    _, body = DIALECTS[dialect].refuse(errors.Invalid(fields={"name": ["is needed", "is short"], "query.text": ["is bad"]}))
    said = json.dumps(body)
    for part in ("name", "is needed", "is short", "is bad"):
        assert part in said
    if dialect == "session_replays":
        assert body == {"name": ["is needed", "is short"], "query.text": ["is bad"]}
    if dialect == "captures":
        assert isinstance(body, list)
        assert {"message": "is bad", "path": ["query", "text"]} in body


@pytest.mark.parametrize("dialect", STATUSES)
def test_who_may_not_know_is_told_the_same_as_of_what_there_is_not(dialect: str) -> None:
    """Where Forbidden is 404, its words are those of NotFound."""
    forbidden, missing = DIALECTS[dialect].refuse(errors.Forbidden()), DIALECTS[dialect].refuse(errors.NotFound())
    if forbidden[0] != 404:
        return
    without_kind = [json.dumps(body).replace("Forbidden", "NotFound") for _, body in (forbidden, missing)]
    assert without_kind[0] == without_kind[1]
    assert "Forbidden" not in json.dumps(forbidden[1]), "the body itself tells them apart"


@pytest.mark.parametrize("dialect", STATUSES)
def test_a_surprise_says_nothing_of_its_cause(dialect: str) -> None:
    status, body = DIALECTS[dialect].fail()
    assert status == 500
    assert words(dialect, body, status) == INTERNAL_ERROR


def test_a_surprise_in_a_handler_is_a_500_with_a_request_id_and_without_detail(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    from tapedeck.environments import store

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret-cause")

    acme = system.acme
    monkeypatch.setattr(store, "organization", fail)
    answer = system.request("GET", "/api/0/organizations/acme/", token=acme.org_key)
    assert answer.status == 500
    assert b"secret-cause" not in answer.body
    assert answer.json() == {"detail": INTERNAL_ERROR}
    assert answer.headers["request-id"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/"),
        ("PUT", "/health"),
        ("GET", "/healthy"),
        ("POST", "/api/1/envelopes/"),
    ],
)
def test_a_path_that_there_is_not_is_our_404_and_not_the_gateways_403(system: System, method: str, path: str) -> None:
    """architecture.md §2: unknown route 404, not "Missing Authentication Token"."""
    answer = system.request(method, path)
    assert (answer.status, answer.json()) == (404, {"detail": "The requested resource does not exist"})
    assert answer.headers["request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_body_too_large_for_the_gateway_is_our_413(system: System) -> None:
    answer = send(system, system.acme.web, b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert answer.json()["detail"]
    assert answer.headers["request-id"]


def test_a_sandbox_that_died_is_a_502_with_a_request_id(system: System) -> None:
    with system.cloud.fault("killed-before", 0):
        answer = send(system, system.acme.web, envelopes.segment(envelopes.new_id()))
    assert answer.status == 502
    assert answer.json()["detail"]
    assert answer.headers["request-id"]
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["/health", "/api/0/organizations/acme/", "/api/bucket"])
def test_a_slash_at_the_end_makes_no_difference(system: System, path: str) -> None:
    """As API Gateway's REST APIs have it; `@pm2/js-api` asks for its buckets in both ways."""
    with_it, without = (system.request("GET", path.rstrip("/") + end, token=system.acme.org_key) for end in ("/", ""))
    assert (with_it.status, with_it.body) == (200, without.body)


def test_a_busy_store_is_a_503_that_says_when_to_come_back(system: System) -> None:
    system.request("GET", "/api/0/organizations/acme/", token=system.acme.org_key)
    system.cold()
    with system.cloud.fault("refused", 0):
        answer = system.request("GET", "/api/0/organizations/acme/", token=system.acme.org_key)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_answer_carries_its_request_id(console: System, route: Any) -> None:
    path = route.path.replace("{path+}", "index.html").replace("{project_id}", "1")
    path = re.sub(r"\{\w+\}", "x", path)
    answer = console.request(route.method, path)
    assert answer.headers["request-id"]
    assert answer.status < 500, answer
