"""GET /api/captures: contract §2.2 and §2.5, decision 14."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.captures.shapes import Captures
from tests.captures.test_create_capture import CAPTURES, created
from tests.harness import System
from tests.harness.gateway import Response


def listed(system: System, *, by: str = "member", **query: Any) -> Response:
    """GET the captures."""
    return system.request("GET", CAPTURES, token=system.acme.token(by), query=query)


def test_those_of_every_environment_of_the_caller_the_oldest_first(system: System) -> None:
    """§2.4, bug 4: shared environments are in it. §2.5: always an array, never null."""
    assert listed(system).json() == []
    made = [
        created(system, by="owner"),
        created(system, by="member", to=system.acme.shop),
        created(system, by="admin", name="another"),
    ]
    answer = listed(system)
    assert answer.json() == made
    Captures.model_validate(answer.json())
    assert listed(system, by="outsider").json() == []
    assert system.request("GET", CAPTURES, token=system.globex.token("owner")).json() == []
    assert system.request("GET", CAPTURES, token=system.acme.org_key).json() == made


def test_of_one_environment_or_name(system: System) -> None:
    """§2.2: envId and name; those of a name are an array as well."""
    first, second, third = created(system), created(system, to=system.acme.shop), created(system, name="another")
    assert listed(system, envId=system.acme.web.env_id).json() == [first, third]
    assert listed(system, name="the rush").json() == [first, second]
    assert listed(system, name="the rush", envId=system.acme.shop.env_id).json() == [second]
    assert listed(system, name="nothing").json() == []


def test_id_in_the_query_is_that_capture(system: System) -> None:
    """Decision 14: `?id=` accepted as well."""
    created(system)
    second = created(system, name="another")
    assert listed(system, id=second["id"]).json() == second
    assert listed(system, id=99).status == 404
    assert listed(system, id="two").status == 404


@pytest.mark.parametrize(("by", "env_id", "status"), [("outsider", "web", 403), ("member", "9999", 404), ("member", "web", 200)])
def test_an_environment_must_be_the_callers(system: System, by: str, env_id: str, status: int) -> None:
    """§2.2: membership is checked; here in the ordinary sense (decision 14)."""
    named = system.acme.web.env_id if env_id == "web" else env_id
    assert listed(system, by=by, envId=named).status == status


def test_another_organizations_environment_is_an_unknown_one(system: System) -> None:
    answers = [listed(system, envId=number) for number in (system.globex.web.env_id, 9999)]
    assert [(answer.status, answer.body) for answer in answers] == [(404, answers[0].body)] * 2
    assert answers[0].json() == {"code": 404, "message": "The requested resource does not exist"}


def test_an_environment_that_is_no_number_is_a_400(system: System) -> None:
    answer = listed(system, envId="web")
    assert (answer.status, answer.json()) == (400, [{"message": '"envId" must be a number', "path": ["envId"]}])


def test_without_a_session_it_is_a_401(system: System) -> None:
    """Decision 14: `{"code","message"}`."""
    answer = system.request("GET", CAPTURES)
    assert (answer.status, answer.json()) == (401, {"code": 401, "message": "You must be logged in to do this."})
