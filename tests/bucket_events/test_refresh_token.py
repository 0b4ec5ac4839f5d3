"""POST /api/oauth/token: decision 24, contract §4.3."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.harness import System
from tests.harness.gateway import Response


def exchange(system: System, **changes: Any) -> Response:
    """What `use('standalone', {refresh_token})` posts."""
    body = {"client_id": "795984050", "refresh_token": system.acme.token("member"), "grant_type": "refresh_token", **changes}
    return system.request("POST", "/api/oauth/token", json=body, headers={"Authorization": "Bearer null"})


def test_a_users_token_becomes_an_access_token_that_acts_as_that_user_and_expires(system: System) -> None:
    said = exchange(system).json()
    assert set(said) == {"access_token", "refresh_token", "expire_at", "token_type"}
    assert said["refresh_token"] == system.acme.token("member")
    buckets = system.request("GET", "/api/bucket", token=said["access_token"])
    assert buckets.json() == system.request("GET", "/api/bucket", token=system.acme.token("member")).json()
    url = f"/api/bucket/{system.acme.web.bucket_id}/data/events/delete_all"
    assert system.request("DELETE", url, token=said["access_token"]).status == 403, "it may do no more than its user"
    system.skip(3601)
    assert system.request("GET", "/api/bucket", token=said["access_token"]).status == 401


def test_a_form_is_understood_as_well(system: System) -> None:
    body = urlencode({"refresh_token": system.acme.token("member"), "grant_type": "refresh_token"}).encode()
    assert system.request("POST", "/api/oauth/token", body=body).status == 200


@pytest.mark.parametrize("token", ["", "nonsense", None, 5])
def test_what_is_no_token_is_a_401(system: System, token: Any) -> None:
    answer = exchange(system, refresh_token=token)
    assert (answer.status, list(answer.json())) == (401, ["msg"])


def test_an_organizations_key_is_nobodys_refresh_token(system: System) -> None:
    assert exchange(system, refresh_token=system.acme.org_key).status == 401


@pytest.mark.parametrize("grant", ["password", None, ["refresh_token"]])
def test_another_grant_is_a_400(system: System, grant: Any) -> None:
    assert exchange(system, grant_type=grant).status == 400
