"""GET /api/environments/{env_id}: one environment, by its number."""

from __future__ import annotations

import pytest

from tests.harness import System


def test_it_is_what_the_list_shows(system: System) -> None:
    token = system.acme.token("admin")
    listed = system.request("GET", "/api/environments", token=token).json()
    for each in listed:
        assert system.request("GET", f"/api/environments/{each['id']}", token=token).json() == each


def test_a_colleague_without_a_role_is_told_so(system: System) -> None:
    """Decisions 14 and 36: 403 in the family's shape."""
    answer = system.request("GET", f"/api/environments/{system.acme.web.env_id}", token=system.acme.token("outsider"))
    assert (answer.status, answer.json()["code"]) == (403, 403)


@pytest.mark.parametrize("name", ["99999", "web", "-1", "0", "1.0", "%00", "1e3"])
def test_what_names_none_is_a_404_as_another_organizations_is(system: System, name: str) -> None:
    """captures.md §2.5: a number, or it is not found."""
    token = system.acme.token("owner")
    foreign = system.request("GET", f"/api/environments/{system.globex.web.env_id}", token=token)
    answer = system.request("GET", f"/api/environments/{name}", token=token)
    assert (answer.status, answer.body) == (foreign.status, foreign.body)
    assert answer.status == 404
