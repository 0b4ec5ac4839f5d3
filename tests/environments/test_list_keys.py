"""GET /api/0/organizations/{org}/keys/: what there is, never a token."""

from __future__ import annotations

from tapedeck.environments import keys
from tests.harness import System


def test_live_keys_are_listed_without_their_tokens(system: System) -> None:
    token, key = keys.issue("tdo", system.acme.id, name="ci", expires_at=system.now + 60)
    keys.issue("tdo", system.globex.id)
    answer = system.request("GET", "/api/0/organizations/acme/keys/", token=system.acme.token("owner"))
    listed = {each["id"]: each for each in answer.json()["data"]}
    assert listed[key.id]["name"] == "ci"
    assert len(listed) == 6, "four people, the organization's key, and this one"
    assert token.rpartition("_")[2] not in answer.body.decode()
    assert key.sha256 not in answer.body.decode()
    system.skip(60)
    ids = [each["id"] for each in system.request("GET", "/api/0/organizations/acme/keys/", token=system.acme.token("owner")).json()["data"]]
    assert key.id not in ids
