"""POST /api/0/organizations/{org}/keys/: shown once, never wider than its maker (trust.md §8.4)."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.environments import keys
from tests.harness import System

URL = "/api/0/organizations/acme/keys/"


def test_a_key_is_shown_once_and_does_what_it_may(system: System) -> None:
    answer = system.request("POST", URL, token=system.acme.org_key, json={"name": "ci", "scopes": ["org:read"], "expires_in": 100})
    assert answer.status == 201
    token = answer.json()["data"]["token"]
    assert token.startswith("tdo_")
    assert token not in system.request("GET", URL, token=system.acme.org_key).body.decode()
    assert system.request("GET", "/api/0/organizations/acme/", token=token).status == 200
    assert system.request("GET", URL, token=token).status == 403
    system.skip(100)
    assert system.request("GET", "/api/0/organizations/acme/", token=token).status == 401


def test_a_key_is_never_wider_than_its_maker(system: System) -> None:
    maker, _ = keys.issue("tdo", system.acme.id, scopes=frozenset({"key:write", "key:read", "org:read"}))
    for scopes in (["replay:admin"], ["org:read", "erase:write"]):
        assert system.request("POST", URL, token=maker, json={"name": "x", "scopes": scopes}).status in (400, 403)
    made = system.request("POST", URL, token=maker, json={"name": "x", "scopes": ["org:read"]})
    assert made.json()["data"]["scopes"] == ["org:read"]


@pytest.mark.parametrize(
    "body",
    [{"scopes": ["*"]}, {"scopes": "all"}, {"scopes": []}, {"scopes": [1]}, {"name": 5, "scopes": ["org:read"]}, {"name": "x" * 5000, "scopes": ["org:read"]},
     {"scopes": ["org:read"], "expires_in": -1}, {"scopes": ["org:read"], "expires_in": "soon"}, {"scopes": ["org:read"], "surprise": 1}, [], "x"],
)  # fmt: skip
def test_what_is_not_understood_is_a_400_and_makes_nothing(system: System, body: Any) -> None:
    before = len(system.items("ControlTable")) if system.acme else 0
    answer = system.request("POST", URL, token=system.acme.org_key, json=body)
    assert answer.status == 400, answer
    assert len(system.items("ControlTable")) == before
