"""Who may do what to which capture: trust.md §8.2, contract §2.2; §2.4, bugs 1, 3 and 4, are not repeated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tapedeck.captures import reading, store
from tapedeck.environments import keys
from tapedeck.environments import store as environments
from tapedeck.environments.model import ALL_SCOPES, Caller
from tests.captures.test_create_capture import CAPTURES, created, running
from tests.harness import System

OPERATIONS = {
    "get": ("GET", "", False),
    "metrics": ("GET", "/metrics", False),
    "edit": ("PUT", "", True),
    "stop": ("POST", "/stop", False),
    "delete": ("DELETE", "", False),
}
READS = ("get", "metrics")
# Of a capture that somebody made: who else may see it, and who may change it.
PEOPLE = ("owner", "admin", "member", "second member", "outsider", "key", "key without capture:admin", "stranger")


def tokens(system: System) -> dict[str, str]:
    """The token of each."""
    acme = system.acme
    second = environments.create_user(acme.id, "second@acme.example", "Second")
    environments.set_role(acme.id, acme.web, second.id, "member")
    return {
        **{role: acme.token(role) for role in ("owner", "admin", "member", "outsider")},
        "second member": keys.issue("tdu", acme.id, second.id)[0],
        "key": acme.org_key,
        "key without capture:admin": keys.issue("tdo", acme.id, scopes=ALL_SCOPES - {"capture:admin"})[0],
        "stranger": system.globex.token("owner"),
    }


def expected(maker: str, who: str, operation: str) -> int:
    """The rule (contract §2.2, decision 14): members read; who made it and who administers the environment change it."""
    if who == "stranger":
        return 404
    if who == "outsider":
        return 403
    if operation in READS or who in ("owner", "admin", "key"):
        return 200
    return 200 if who == maker else 403  # a key is nobody: what it made, it changes only as an admin of all


@pytest.mark.parametrize("maker", ["owner", "admin", "member", "key"])
def test_the_matrix(system: System, maker: str) -> None:
    present = tokens(system)
    sent = {"name": "the rush", "envId": system.acme.web.env_id}
    made = system.request("POST", CAPTURES, json=sent, token=present[maker]).json()["id"]
    system.drain()
    wrong = []
    for operation, (method, rest, says) in OPERATIONS.items():
        for number, who in enumerate(PEOPLE):
            before = store.read(system.acme.id, made)
            body = {"name": f"case {number}"} if says else None
            answer = system.request(method, f"{CAPTURES}/{made}{rest}", json=body, token=present[who])
            if answer.status != expected(maker, who, operation):
                wrong.append(f"{who}: {operation}: {answer}, not {expected(maker, who, operation)}")
            if operation not in READS and answer.status == 200:  # as it was before
                system.client("dynamodb").put_item(
                    TableName=system.template.physical_id("ControlTable"), Item=store._row(None, before)["Item"]
                )
    assert not wrong, wrong


def test_who_made_it_and_has_left_the_environment_changes_it_no_more(system: System) -> None:
    made = running(system)
    environments.change_roles(
        system.acme.id, system.acme.web, lambda web: {person: role for person, role in web.roles.items() if role != "member"}
    )
    system.skip(61)  # roles are remembered for a minute
    answer = system.request("POST", f"{CAPTURES}/{made}/stop", token=system.acme.token("member"))
    assert (answer.status, answer.json()["code"]) == (403, 403)


def test_the_owner_is_compared_as_a_number_with_a_number(system: System) -> None:
    """§2.4, bug 1: MyCRT compares the user with a number, so that an owner who is no admin never may."""
    capture = store.read(system.acme.id, created(system)["id"])
    member, second = (environments.user(system.acme.id, system.acme.users[role].id) for role in ("member", "admin"))
    assert reading.is_owner(Caller(system.acme.id, ALL_SCOPES, member), capture)
    assert not reading.is_owner(Caller(system.acme.id, ALL_SCOPES, second), capture)
    keyless = replace(capture, owner_id=None)
    assert not reading.is_owner(Caller(system.acme.id, ALL_SCOPES), keyless), "nobody is not nobody else"


def test_a_rename_looks_at_the_environment_and_not_at_the_number_of_the_capture(system: System) -> None:
    """§2.4, bug 2: the duplicate is looked for in environment = id of the capture."""
    first, second = created(system, name="first", to=system.acme.shop), created(system, name="second")
    assert (first["id"], second["id"]) == (system.acme.web.env_id, system.acme.shop.env_id)
    url = f"{CAPTURES}/{second['id']}"
    assert system.request("PUT", url, json={"name": "first"}, token=system.acme.token("member")).status == 200
