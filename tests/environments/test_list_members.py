"""GET /api/environments/{env_id}/members: who belongs, and as what."""

from __future__ import annotations

from typing import Any

from tapedeck.environments import shapes
from tapedeck.environments.model import Environment
from tests.harness import System
from tests.harness.gateway import Response


def members_url(environment: Environment, user_id: object = None) -> str:
    """The path of an environment's members, or of one of them."""
    return f"/api/environments/{environment.env_id}/members" + ("" if user_id is None else f"/{user_id}")


def token_of(system: System, by: str) -> str:
    """The token of one of acme's people, or of the organization's key."""
    return system.acme.org_key if by == "key" else system.acme.token(by)


def add(system: System, by: str = "owner", **body: Any) -> Response:
    """POST a member of acme's web."""
    return system.request("POST", members_url(system.acme.web), json=body, token=token_of(system, by))


def change(system: System, who: str, role: Any, by: str = "owner") -> Response:
    """PUT the role of one of acme's people in web."""
    return system.request("PUT", members_url(system.acme.web, system.acme.users[who].id), json={"role": role}, token=token_of(system, by))


def remove(system: System, who: str, by: str = "owner") -> Response:
    """DELETE one of acme's people from web."""
    return system.request("DELETE", members_url(system.acme.web, system.acme.users[who].id), token=token_of(system, by))


def roles(system: System) -> dict[str, str]:
    """Who is what in acme's web, as its members tell each other."""
    listed = system.request("GET", members_url(system.acme.web), token=system.acme.org_key).json()
    return {each["email"].split("@")[0]: each["role"] for each in listed}


def test_members_are_listed_the_owner_first(system: System) -> None:
    acme = system.acme
    listed = system.request("GET", members_url(acme.web), token=acme.token("member")).json()
    assert [(each["userId"], each["role"]) for each in listed] == [(acme.users[role].id, role) for role in ("owner", "admin", "member")]
    assert listed[0] == {
        "envId": acme.web.env_id,
        "userId": acme.users["owner"].id,
        "username": "owner@acme.example",
        "email": "owner@acme.example",
        "name": "Acme owner",
        "role": "owner",
    }
    shapes.Members.model_validate(listed)


def test_who_is_none_sees_none(system: System) -> None:
    assert system.request("GET", members_url(system.acme.web), token=system.acme.token("outsider")).status == 403
    assert system.request("GET", members_url(system.globex.web), token=system.acme.token("owner")).status == 404
