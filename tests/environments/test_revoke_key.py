"""DELETE …/keys/{key_id}/: the end of a key, one's own organization's only."""

from __future__ import annotations

from tapedeck.environments import keys
from tests.harness import System


def test_a_revoked_key_is_gone(system: System) -> None:
    token, key = keys.issue("tdo", system.acme.id)
    url = f"/api/0/organizations/acme/keys/{key.id}/"
    answer = system.request("DELETE", url, token=system.acme.org_key)
    assert (answer.status, answer.body) == (204, b"")
    assert system.request("GET", "/api/0/organizations/acme/keys/", token=token).status == 401
    assert system.request("DELETE", url, token=system.acme.org_key).status == 404


def test_another_organizations_key_is_unknown_and_stays(system: System) -> None:
    token, key = keys.issue("tdo", system.globex.id)
    assert system.request("DELETE", f"/api/0/organizations/acme/keys/{key.id}/", token=system.acme.org_key).status == 404
    assert system.request("GET", "/api/0/organizations/globex/keys/", token=token).status == 200
