"""POST /api/users/login: a cookie that the routes of captures and environments take (contract §2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.environments import keys, sessions, shapes
from tests.harness import System
from tests.harness.gateway import Response

ME = "/api/users/me"


def log_in(system: System, token: Any) -> Response:
    """POST a token."""
    return system.request("POST", "/api/users/login", json={"token": token})


def cookie_of(answer: Response) -> str:
    """The cookie as a browser sends it back."""
    return answer.headers["set-cookie"].partition(";")[0]


def test_a_token_becomes_a_cookie_that_acts_as_that_person(system: System) -> None:
    acme = system.acme
    answer = log_in(system, acme.token("member"))
    assert answer.status == 200
    assert (answer.json()["id"], answer.json()["username"]) == (acme.users["member"].id, "member@acme.example")
    shapes.Person.model_validate(answer.json())
    sent = {"Cookie": f"theme=dark; {cookie_of(answer)}; other=1"}
    assert system.request("GET", ME, headers=sent).json()["id"] == acme.users["member"].id
    listed = system.request("GET", "/api/environments", headers=sent)
    assert listed.body == system.request("GET", "/api/environments", token=acme.token("member")).body
    url = f"/api/environments/{acme.web.env_id}/members"
    assert system.request("POST", url, headers=sent, json={"userId": acme.users["outsider"].id}).status == 403, "it may do no more than its person"


@pytest.mark.parametrize("stage", ["local", "staging", "prod"])
def test_no_script_and_no_other_site_gets_the_cookie(stage: str) -> None:
    with System(Stage=stage) as system:
        answer = log_in(system, system.acme.token("member"))
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith(f"{sessions.COOKIE}=tdu_")
    plain = ["Path=/", "Max-Age=7200", "HttpOnly", "SameSite=Strict"]
    assert attributes == (plain if stage == "local" else [*plain, "Secure"]), "the local stack speaks plain http"
    assert answer.headers["cache-control"] == "no-store"


def test_a_session_ends_after_two_hours(system: System) -> None:
    sent = {"Cookie": cookie_of(log_in(system, system.acme.token("member")))}
    system.skip(7199)
    assert system.request("GET", ME, headers=sent).status == 200
    system.skip(1)
    answer = system.request("GET", ME, headers=sent)
    assert (answer.status, answer.json()["code"]) == (401, 401)


def test_what_sessions_leave_behind_is_swept(system: System) -> None:
    log_in(system, system.acme.token("member"))
    rows = [item for item in system.items("ControlTable") if "ttl" in item]
    assert sorted(item["pk"]["S"].partition("#")[0] for item in rows) == ["KEY", "ORG"]
    assert {int(item["ttl"]["N"]) for item in rows} == {int(system.now) + 7200 + 86400}


@pytest.mark.parametrize("kind", ["nonsense", "unknown", "key", "expired", "revoked"])
def test_a_failed_login_is_a_403(system: System, kind: str) -> None:
    """Contract §2.3, and all of them alike."""
    expired, _ = keys.issue("tdu", system.acme.id, system.acme.users["member"].id, expires_at=system.now - 1)
    revoked, key = keys.issue("tdu", system.acme.id, system.acme.users["member"].id)
    keys.revoke(key)
    token = {"nonsense": "x", "unknown": "tdu_" + "a" * 60, "key": system.acme.org_key, "expired": expired, "revoked": revoked}[kind]
    answer = log_in(system, token)
    assert (answer.status, answer.json()) == (403, {"code": 403, "message": "This token is nobody's, or no longer."})
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("token", [None, "", 5, ["x"]])
def test_without_a_token_it_is_a_400(system: System, token: Any) -> None:
    answer = log_in(system, token)
    assert (answer.status, answer.json()) == (400, [{"message": '"token" is required', "path": ["token"]}])


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_page_of_another_origin_has_no_session(system: System, site: str) -> None:
    """On a laptop every port is of the same site, and SameSite=Strict lets its pages send the cookie."""
    cookie = cookie_of(log_in(system, system.acme.token("member")))
    assert system.request("GET", ME, headers={"Cookie": cookie, "Sec-Fetch-Site": site}).status == 401
    assert system.request("GET", ME, headers={"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}).status == 200


@pytest.mark.parametrize("path", ["/api/bucket", "/api/0/organizations/", "/v1/collection"])
def test_other_families_take_no_cookie(system: System, path: str) -> None:
    cookie = cookie_of(log_in(system, system.acme.token("member")))
    assert system.request("GET", path, headers={"Cookie": cookie}).status == 401


@pytest.mark.parametrize("header", ["", "MyCRTAuthToken", "MyCRTAuthToken=", "xMyCRTAuthToken=a", "a=MyCRTAuthToken=b", ";;;=;"])
def test_no_cookie_is_no_session(header: str) -> None:
    assert sessions.token_of({"cookie": header}) is None
