"""POST /api/environments/{env_id}/members: decision 32."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.environments import members, shapes, store
from tapedeck.environments.model import Environment
from tests.environments.test_list_members import add, change, members_url, remove, roles
from tests.harness import KINDS, System
from tests.harness.cloud import Kind
from tests.harness.gateway import Response

THREE = {"owner": "owner", "admin": "admin", "member": "member"}


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
@pytest.mark.parametrize("how", ["userId", "email"])
def test_admins_and_the_owner_add_somebody_of_the_organization(system: System, by: str, how: str) -> None:
    outsider = system.acme.users["outsider"]
    said = {"userId": outsider.id} if how == "userId" else {"email": outsider.email.upper()}
    answer = add(system, by, role="admin", **said)
    assert answer.status == 200
    assert (answer.json()["userId"], answer.json()["role"]) == (outsider.id, "admin")
    shapes.Member.model_validate(answer.json())
    assert roles(system) == {**THREE, "outsider": "admin"}
    assert system.request("GET", members_url(system.acme.web), token=system.acme.token("outsider")).status == 200


def test_a_member_is_what_somebody_becomes_of_whom_no_role_is_said(system: System) -> None:
    add(system, userId=str(system.acme.users["outsider"].id))
    assert roles(system)["outsider"] == "member"


@pytest.mark.parametrize("by", ["member", "outsider"])
def test_nobody_else_adds_anybody(system: System, by: str) -> None:
    assert add(system, by, userId=system.acme.users["outsider"].id).status == 403
    assert roles(system) == THREE


def test_who_is_a_member_already_is_a_409(system: System) -> None:
    answer = add(system, email="member@acme.example", role="admin")
    assert (answer.status, answer.json()["code"]) == (409, 409)
    assert roles(system) == THREE


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, [["userId"]]), ({"userId": "x"}, [["userId"]]), ({"userId": True}, [["userId"]]), ({"userId": -1}, [["userId"]]), ({"userId": 1.5}, [["userId"]]),
        ({"userId": 99999}, [["userId"]]), ({"userId": 10**30}, [["userId"]]), ({"email": "nobody@acme.example"}, [["email"]]), ({"email": ""}, [["email"]]),
        ({"email": 7}, [["email"]]), ({"userId": 1, "email": "x"}, [["email"]]), ({"userId": "x", "role": "owner"}, [["userId"], ["role"]]),
        ({"email": "outsider@acme.example", "role": ["admin"]}, [["role"]]), ({"email": "outsider@acme.example", "role": None}, [["role"]]),
    ],
)  # fmt: skip
def test_everything_wrong_is_told_at_once_in_a_bare_array(system: System, body: dict[str, Any], paths: list[list[str]]) -> None:
    """Decision 14."""
    answer = add(system, **body)
    assert (answer.status, [each["path"] for each in answer.json()]) == (400, paths)
    assert roles(system) == THREE


def test_another_organizations_person_answers_like_nobody(system: System) -> None:
    stranger = system.globex.users["member"]
    for said in ({"userId": stranger.id}, {"email": stranger.email}):
        nobody = {"userId": 99999} if "userId" in said else {"email": "nobody@nowhere.example"}
        there, nowhere = add(system, **said), add(system, **nobody)
        assert (there.status, there.body) == (nowhere.status, nowhere.body)
    assert roles(system) == THREE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["add", "change", "remove"])
def test_a_death_anywhere_changes_all_or_nothing(system: System, kind: Kind, what: str) -> None:
    """And whoever does it again has what they wanted."""
    acme = system.acme
    person = acme.users["outsider"].id
    act, before, after, again = {
        "add": (lambda: add(system, userId=person), None, "member", {200, 409}),
        "change": (lambda: change(system, "outsider", "admin"), "member", "admin", {200}),
        "remove": (lambda: remove(system, "outsider"), "admin", None, {200, 404}),
    }[what]
    k = 0
    while True:
        start = {**acme.web.roles, **({person: before} if before else {})}
        store.change_roles(acme.id, acme.web, lambda _, start=start: start)  # type: ignore[misc]
        system.cold()
        with system.cloud.fault(kind, k) as fault:
            assert act().status in (200, 502, 503)
        if not fault.happened:
            assert k > 2
            return
        system.cold()
        assert roles(system).get("outsider") in (before, after), k
        assert act().status in again, k
        assert roles(system).get("outsider") == after, k
        k += 1


def test_a_change_whose_answer_was_lost_is_done_once_and_said_to_be_done(system: System) -> None:
    """The second attempt, which botocore makes by itself, finds its own work."""
    with system.cloud.watch() as calls:
        add(system, userId=system.acme.users["outsider"].id)
        remove(system, "outsider")
    writes = [k for k, call in enumerate(calls) if call.operation == "PutItem"]
    assert len(writes) == 2
    with system.cloud.fault("answer-lost", writes[0]) as fault:
        assert add(system, userId=system.acme.users["outsider"].id).status == 200
    assert fault.happened
    with system.cloud.fault("answer-lost", writes[1] - writes[0] - 1) as fault:
        assert remove(system, "outsider").status == 200
    assert fault.happened


def test_two_admins_at_once_lose_nothing(system: System) -> None:
    """The other one's change is made completely just before the k-th call of the first, for every k."""
    acme = system.acme
    shared = [store.create_user(acme.id, f"p{n}@acme.example", f"P {n}") for n in range(40)]
    k = 0
    while True:
        theirs: list[Response] = []
        with system.cloud.between(k, lambda k=k, theirs=theirs: theirs.append(add(system, "admin", userId=shared[2 * k].id))):  # type: ignore[misc]
            mine = add(system, "owner", userId=shared[2 * k + 1].id, role="admin")
        if not theirs:
            break
        assert (mine.status, theirs[0].status) == (200, 200)
        now = roles(system)
        assert (now[f"p{2 * k}"], now[f"p{2 * k + 1}"]) == ("member", "admin"), k
        k += 1
    assert k > 2


def test_who_is_demoted_while_asking_is_refused(system: System) -> None:
    """The right is looked at where the change is written, not only at the door."""
    outsider = system.acme.users["outsider"].id
    with system.cloud.watch() as calls:
        add(system, "admin", userId=outsider)
    remove(system, "outsider")
    refused = 0
    for k in range(len(calls)):
        with system.cloud.between(k, lambda: change(system, "admin", "member") and None):
            answer = add(system, "admin", userId=outsider)
        assert answer.status == 403, k
        assert "outsider" not in roles(system)
        refused += 1
        change(system, "admin", "admin")
    assert refused == len(calls) > 2


def test_an_environment_of_a_time_without_versions_is_changed_as_well(system: System) -> None:
    table = system.template.physical_id("ControlTable")
    key = {"pk": {"S": f"ORG#{system.acme.id}"}, "sk": {"S": f"ENV#{system.acme.web.env_id:010d}"}}
    system.client("dynamodb").update_item(TableName=table, Key=key, UpdateExpression="REMOVE v")
    assert add(system, userId=system.acme.users["outsider"].id).status == 200
    assert roles(system) == {**THREE, "outsider": "member"}


def test_an_environment_has_room_for_a_thousand(system: System) -> None:
    full: dict[int, Any] = {**system.acme.web.roles, **dict.fromkeys(range(10_000, 10_997), "member")}
    crowded: Environment = store.change_roles(system.acme.id, system.acme.web, lambda _: full)
    assert len(crowded.roles) == members.MOST_MEMBERS
    assert add(system, userId=system.acme.users["outsider"].id).status == 409
