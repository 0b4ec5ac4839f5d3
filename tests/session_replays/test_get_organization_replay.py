"""GET /api/0/organizations/{org}/replays/{replay_id}/: contract §1.2."""

from __future__ import annotations

import pytest

from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import read, record


def find(system: System, replay_id: str, *, by: str = "member", **query: object) -> Response:
    """GET a replay without naming its project."""
    return system.request("GET", f"/api/0/organizations/acme/replays/{replay_id}/", query=query, token=system.acme.token(by))


@pytest.mark.parametrize("project", ["web", "shop"])
def test_a_replay_is_found_whichever_project_it_is_in(system: System, project: str) -> None:
    environment = getattr(system.acme, project)
    replay_id = record(system, environment)
    assert find(system, replay_id).json() == read(system, system.acme, environment, replay_id).json()
    assert find(system, replay_id, field="id").json() == {"data": {"id": replay_id}}


def test_a_colleague_without_the_project_does_not_find_it(system: System) -> None:
    replay_id = record(system, system.acme.web)
    assert find(system, replay_id, by="outsider").status == 404


@pytest.mark.parametrize("replay_id", ["0" * 32, "nope"])
def test_what_is_no_replay_is_404_and_an_unknown_field_400(system: System, replay_id: str) -> None:
    assert find(system, replay_id).status == 404
    assert find(system, replay_id, field="nope").status == 400


def test_other_organizations_replays_answer_like_unknown_ones(system: System) -> None:
    foreign, unknown = find(system, record(system, system.globex.web)), find(system, "0" * 32)
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body) == (404, unknown.body)
