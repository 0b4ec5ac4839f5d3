"""GET /api/0/organizations/: the caller's own, in a list."""

from __future__ import annotations

from tests.harness import System


def test_a_caller_has_one_organization(system: System) -> None:
    for world in (system.acme, system.globex):
        body = system.request("GET", "/api/0/organizations/", token=world.token("member")).json()
        assert [(each["id"], each["slug"]) for each in body] == [(str(world.id), world.slug)]
