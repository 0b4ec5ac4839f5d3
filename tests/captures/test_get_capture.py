"""GET /api/captures/{id}: contract §2.2."""

from __future__ import annotations

import pytest

from tests.captures.test_create_capture import CAPTURES, created, read, shown
from tests.harness import System


def test_a_capture(system: System) -> None:
    made = created(system)
    assert shown(system, made["id"]) == made


@pytest.mark.parametrize("capture_id", ["99", "x", "-1", "1.0", "%00", "99999999999999999999"])
def test_what_is_no_capture_is_a_404(system: System, capture_id: str) -> None:
    """§2.5: non-numeric → 404."""
    created(system)
    answer = system.request("GET", f"{CAPTURES}/{capture_id}", token=system.acme.token("owner"))
    assert (answer.status, answer.json()) == (404, {"code": 404, "message": "The requested resource does not exist"})


def test_members_only_and_other_organizations_do_not_learn_that_it_is_there(system: System) -> None:
    made = created(system)["id"]
    assert [read(system, made, by=by).status for by in ("owner", "admin", "member", "outsider")] == [200, 200, 200, 403]
    there = system.request("GET", f"{CAPTURES}/{made}", token=system.globex.token("owner"))
    nowhere = system.request("GET", f"{CAPTURES}/99", token=system.globex.token("owner"))
    assert (there.status, there.body) == (nowhere.status, nowhere.body) == (404, nowhere.body)
