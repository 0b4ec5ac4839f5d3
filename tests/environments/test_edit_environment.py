"""PUT /api/environments/{env_id}: the name, the database, for how long it keeps what is recorded."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from tapedeck.environments import shapes, store
from tapedeck.environments.model import Environment
from tests.environments.test_list_members import change, token_of
from tests.harness import KINDS, Killed, System
from tests.harness.cloud import Kind
from tests.harness.gateway import Response


def edit(system: System, by: str = "owner", **body: Any) -> Response:
    """PUT acme's web."""
    return system.request("PUT", f"/api/environments/{system.acme.web.env_id}", json=body, token=token_of(system, by))


def now(system: System) -> Environment:
    """acme's web as it is kept."""
    organization = store.organization(system.acme.id, fresh=True)
    assert organization is not None
    return next(each for each in organization.environments if each.env_id == system.acme.web.env_id)


def trail(system: System) -> list[dict[str, Any]]:
    """What the audit trail has of environments, the newest first."""
    url = "/api/0/organizations/acme/audit-logs/"
    rows: list[dict[str, Any]] = system.request("GET", url, query={"event": "environment.edit"}, token=system.acme.org_key).json()["rows"]
    return rows


@pytest.mark.parametrize("by", ["owner", "admin", "key"])
def test_an_admin_changes_what_is_said_and_nothing_else(system: System, by: str) -> None:
    before = system.request("GET", f"/api/environments/{system.acme.web.env_id}", token=token_of(system, by)).json()
    answer = edit(system, by, retentionDays=7)
    shapes.Environment.model_validate(answer.json())
    assert (answer.status, answer.json()) == (200, {**before, "retentionDays": 7})
    named = edit(system, by, name=" The web shop ", dbInstance="shop-db").json()
    assert named == {**before, "retentionDays": 7, "name": "The web shop", "dbInstance": "shop-db"}, "its slug never changes"
    assert edit(system, by, retentionDays=None, dbInstance=None).json() == {**before, "name": "The web shop"}
    assert edit(system, by).json() == {**before, "name": "The web shop"}


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"retentionDays": 0}, ["retentionDays"]), ({"retentionDays": 2}, ["retentionDays"]), ({"retentionDays": -1}, ["retentionDays"]),
        ({"retentionDays": 180}, ["retentionDays"]), ({"retentionDays": "7"}, ["retentionDays"]), ({"retentionDays": 7.0}, ["retentionDays"]),
        ({"retentionDays": True}, ["retentionDays"]), ({"retentionDays": [7]}, ["retentionDays"]), ({"name": None}, ["name"]), ({"name": " "}, ["name"]),
        ({"name": "x" * 65, "dbInstance": "-", "retentionDays": 5}, ["name", "dbInstance", "retentionDays"]),
    ],
)  # fmt: skip
def test_everything_wrong_is_told_at_once_and_nothing_is_changed(system: System, body: dict[str, Any], paths: list[str]) -> None:
    """Decision 14. The stack of the tests keeps for 90 days."""
    before = now(system)
    answer = edit(system, **body)
    assert (answer.status, [each["path"] for each in answer.json()]) == (400, [[path] for path in paths])
    assert now(system) == before
    assert trail(system) == []


def test_what_may_be_chosen_is_told(system: System) -> None:
    told = edit(system).json()
    assert (told["retentionDays"], told["retentionChoices"], told["stackRetentionDays"]) == (None, [1, 3, 7, 14, 30, 60, 90], 90)
    assert edit(system, retentionDays=2).json() == [
        {"message": '"retentionDays" must be null or one of [1, 3, 7, 14, 30, 60, 90]', "path": ["retentionDays"]}
    ]


@pytest.mark.parametrize("by", ["member", "outsider"])
def test_nobody_else_changes_it(system: System, by: str) -> None:
    before = now(system)
    assert edit(system, by, retentionDays=1).status == 403
    stranger = system.request("PUT", f"/api/environments/{system.acme.web.env_id}", json={"retentionDays": 1}, token=system.globex.token("owner"))
    assert stranger.status == 404
    assert now(system) == before


def test_who_is_no_admin_any_more_is_refused_while_it_is_written(system: System) -> None:
    """The right is looked at on the version that is replaced, as it is of members."""
    for at in range(8):
        change(system, "member", "admin")
        with system.cloud.between(at, lambda: change(system, "member", "member") and None):
            answer = edit(system, "member", retentionDays=7)
        if answer.status == 403 and at >= 3:  # the door had let it in
            assert now(system).retention_days is None
            return
        edit(system, retentionDays=None)
    pytest.fail("it was never refused by the write itself")


def test_two_admins_at_once_lose_nothing(system: System) -> None:
    for at in range(12):
        edit(system, retentionDays=None, name="web")
        with system.cloud.between(at, lambda: edit(system, "admin", name="Renamed") and None):
            assert edit(system, retentionDays=7).status == 200
        if now(system).name == "web":
            assert at > 3
            return
        assert (now(system).retention_days, now(system).name) == (7, "Renamed"), at


def test_the_trail_says_who_changed_retention_from_what_to_what(system: System) -> None:
    edit(system, "admin", retentionDays=7)
    system.skip(1)
    edit(system, retentionDays=30, name="Web")
    edit(system, retentionDays=30, name="Web")  # changes nothing
    second, first = trail(system)
    assert (first["actor"]["email"], first["targetObject"]) == ("admin@acme.example", str(system.acme.web.env_id))
    assert first["data"] == {"changed": ["retentionDays"], "retentionDays": 7, "before": None}
    assert second["data"] == {"changed": ["name", "retentionDays"], "retentionDays": 30, "before": 7}


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_changed_with_its_row_in_the_trail_or_not_at_all(system: System, kind: Kind) -> None:
    k = 0
    while True:
        wanted = [7, 14][k % 2]
        before = now(system).retention_days
        rows = len(trail(system))
        with system.cloud.fault(kind, k) as fault, suppress(Killed, Exception):
            edit(system, retentionDays=wanted)
        changed = now(system).retention_days != before
        assert now(system).retention_days in (before, wanted), k
        assert len(trail(system)) == rows + changed, k
        assert edit(system, retentionDays=wanted).status == 200
        assert now(system).retention_days == wanted, "and it is safe to repeat"
        if not fault.happened:
            break
        k += 1
    assert k >= 3


def test_an_environment_may_be_made_with_days_of_its_own(system: System) -> None:
    made = system.request("POST", "/api/environments", json={"name": "Short", "retentionDays": 3}, token=system.acme.token("member"))
    assert (made.status, made.json()["retentionDays"]) == (200, 3)
    wrong = system.request("POST", "/api/environments", json={"name": "Odd", "retentionDays": 5}, token=system.acme.token("member"))
    assert (wrong.status, wrong.json()[0]["path"]) == (400, ["retentionDays"])


def test_a_stack_that_keeps_for_less_is_the_longest_choice() -> None:
    with System(RetentionDays="20") as system:
        assert edit(system).json()["retentionChoices"] == [1, 3, 7, 14]
        assert edit(system, retentionDays=30).status == 400
