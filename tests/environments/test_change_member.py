"""PUT /api/environments/{env_id}/members/{user_id}: decision 32."""

from __future__ import annotations

from typing import Any

import pytest

from tests.environments.test_add_member import THREE
from tests.environments.test_list_members import change, members_url, roles
from tests.harness import System


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
def test_a_member_becomes_an_admin_and_the_other_way_round(system: System, by: str) -> None:
    answer = change(system, "member", "admin", by)
    assert (answer.status, answer.json()["role"]) == (200, "admin")
    assert change(system, "member", "admin", by).status == 200, "the same again changes nothing"
    assert roles(system)["member"] == "admin"
    assert change(system, "admin", "member", "member").status == 200, "and may do at once what admins do"
    assert roles(system) == {"owner": "owner", "admin": "member", "member": "admin"}


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
def test_the_owner_is_always_an_admin(system: System, by: str) -> None:
    for role in ("admin", "member"):
        answer = change(system, "owner", role, by)
        assert (answer.status, answer.json()["code"]) == (409, 409)
    assert roles(system) == THREE


@pytest.mark.parametrize("by", ["member", "outsider"])
def test_nobody_else_changes_anybody(system: System, by: str) -> None:
    assert change(system, "member", "admin", by).status == 403
    assert roles(system) == THREE


@pytest.mark.parametrize("role", ["owner", "ADMIN", "", None, 1, ["admin"]])
def test_another_role_is_a_400(system: System, role: Any) -> None:
    answer = change(system, "member", role)
    assert (answer.status, answer.json()) == (400, [{"message": '"role" must be one of [admin, member]', "path": ["role"]}])
    assert roles(system) == THREE


@pytest.mark.parametrize("name", ["outsider", "99999", "x", "-1", "%00"])
def test_who_is_no_member_is_a_404(system: System, name: str) -> None:
    user_id = system.acme.users["outsider"].id if name == "outsider" else name
    url = members_url(system.acme.web, user_id)
    stranger = members_url(system.acme.web, system.globex.users["member"].id)
    answers = [system.request("PUT", each, json={"role": "admin"}, token=system.acme.token("owner")) for each in (url, stranger)]
    assert {(each.status, each.body) for each in answers} == {(404, answers[1].body)}
