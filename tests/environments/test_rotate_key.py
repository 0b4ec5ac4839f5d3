"""POST …/keys/{key_id}/rotate/: a successor with the same rights; the old key lives for a grace period."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.environments import keys
from tests.harness import System


def test_a_successor_has_the_same_rights(system: System) -> None:
    _, key = keys.issue("tdo", system.acme.id, scopes=frozenset({"org:read"}), name="ci")
    answer = system.request("POST", f"/api/0/organizations/acme/keys/{key.id}/rotate/", token=system.acme.token("owner"), json={})
    data = answer.json()["data"]
    assert (data["scopes"], data["name"]) == (["org:read"], "ci")
    assert data["id"] != key.id


def test_a_grace_of_nothing_ends_the_old_key_at_once(system: System) -> None:
    token, key = keys.issue("tdo", system.acme.id)
    system.request("POST", f"/api/0/organizations/acme/keys/{key.id}/rotate/", token=system.acme.org_key, json={"grace": 0})
    system.cold()
    assert system.request("GET", "/api/0/organizations/acme/", token=token).status == 401


@pytest.mark.parametrize("grace", [-1, "x", 1e12, True, None])
def test_a_bad_grace_is_a_400_and_rotates_nothing(system: System, grace: Any) -> None:
    _, key = keys.issue("tdo", system.acme.id)
    answer = system.request("POST", f"/api/0/organizations/acme/keys/{key.id}/rotate/", token=system.acme.org_key, json={"grace": grace})
    assert answer.status == 400
    kept = keys.get(key.id)
    assert kept is not None
    assert kept.rotated_to is None
