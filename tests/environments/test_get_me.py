"""GET /api/users/me: who is calling."""

from __future__ import annotations

from tapedeck.environments import shapes
from tests.harness import System


def test_a_person_is_told_who_they_are_and_where(system: System) -> None:
    acme = system.acme
    body = system.request("GET", "/api/users/me", token=acme.token("member")).json()
    shapes.Me.model_validate(body)
    assert (body["id"], body["email"], body["role"]) == (acme.users["member"].id, "member@acme.example", "member")
    assert body["organization"] == {"id": acme.id, "slug": "acme", "name": "Acme"}
    assert "capture:read" in body["scopes"]


def test_a_key_of_the_organization_is_nobody(system: System) -> None:
    body = system.request("GET", "/api/users/me", token=system.acme.org_key).json()
    shapes.Me.model_validate(body)
    assert (body["id"], body["email"], body["organization"]["slug"]) == (None, None, "acme")


def test_nobody_is_a_401_in_the_familys_words(system: System) -> None:
    """Decision 14."""
    answer = system.request("GET", "/api/users/me")
    assert (answer.status, answer.json()) == (401, {"code": 401, "message": "You must be logged in to do this."})
