"""GET /api/bucket: what `@pm2/js-api` asks before anything else (contract §4.3)."""

from __future__ import annotations

import pytest

from tests.harness import System


@pytest.mark.parametrize("path", ["/api/bucket", "/api/bucket/"])
def test_a_bucket_for_each_environment_of_the_caller(system: System, path: str) -> None:
    """With and without the slash: the client uses both."""
    buckets = system.request("GET", path, token=system.acme.token("member")).json()
    assert [(bucket["_id"], bucket["name"]) for bucket in buckets] == [(each.bucket_id, each.slug) for each in system.acme.environments]
    assert system.request("GET", path, token=system.acme.token("outsider")).json() == []


def test_nobody_is_a_401_with_a_msg(system: System) -> None:
    answer = system.request("GET", "/api/bucket")
    assert (answer.status, list(answer.json())) == (401, ["msg"])
