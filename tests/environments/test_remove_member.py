"""DELETE /api/environments/{env_id}/members/{user_id}: decision 32; the owner stays, and everybody else may leave."""

from __future__ import annotations

import pytest

from tests.environments.test_add_member import THREE
from tests.environments.test_list_members import change, members_url, remove, roles
from tests.harness import System
from tests.harness.gateway import Response


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
def test_a_removed_member_is_none_any_more(system: System, by: str) -> None:
    assert remove(system, "member", by).json()["role"] == "member"
    assert roles(system) == {"owner": "owner", "admin": "admin"}
    assert remove(system, "member", by).status == 404
    assert system.request("GET", members_url(system.acme.web), token=system.acme.token("member")).status == 403


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
def test_the_owner_stays(system: System, by: str) -> None:
    answer = remove(system, "owner", by)
    assert (answer.status, answer.json()["code"]) == (409, 409)
    assert roles(system) == THREE


def test_a_member_may_leave_and_removes_nobody_else(system: System) -> None:
    assert remove(system, "admin", "member").status == 403
    assert remove(system, "owner", "member").status == 403
    assert roles(system) == THREE
    assert remove(system, "member", "member").status == 200
    assert remove(system, "admin", "admin").status == 200
    assert roles(system) == {"owner": "owner"}


def test_who_has_no_role_removes_nobody(system: System) -> None:
    assert remove(system, "member", "outsider").status == 403
    foreign = members_url(system.globex.web, system.globex.users["member"].id)
    assert system.request("DELETE", foreign, token=system.acme.token("owner")).status == 404
    assert roles(system) == THREE


def test_two_admins_who_remove_each_other_do_not_both_succeed(system: System) -> None:
    change(system, "member", "admin")
    k = 0
    while True:
        theirs: list[Response] = []
        with system.cloud.between(k, lambda theirs=theirs: theirs.append(remove(system, "admin", "member"))):  # type: ignore[misc]
            mine = remove(system, "member", "admin")
        if not theirs:
            break
        assert sorted([mine.status, theirs[0].status]) in ([200, 403], [200, 404]), k
        assert len(roles(system)) == 2, k
        for who in {"admin", "member"} - set(roles(system)):
            answer = system.request("POST", members_url(system.acme.web), json={"userId": system.acme.users[who].id, "role": "admin"}, token=system.acme.org_key)
            assert answer.status == 200
        k += 1
    assert k > 2
