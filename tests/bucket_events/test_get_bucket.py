"""GET /api/bucket/{id}: contract §4.3."""

from __future__ import annotations

from tests.harness import System
from tests.harness.agent import bucket_url


def test_a_bucket_says_where_its_events_are_asked_for(system: System) -> None:
    bucket = system.request("GET", bucket_url(system.acme.web), token=system.acme.token("member")).json()
    assert bucket["_id"] == system.acme.web.bucket_id
    assert bucket["node"]["endpoints"]["web"].startswith("https://")
    assert bucket["node"]["endpoints"]["web"].endswith("/v"), "the stage is included"
    listed = system.request("GET", "/api/bucket", token=system.acme.token("member")).json()
    assert bucket in listed


def test_unknown_foreign_and_forbidden_buckets(system: System) -> None:
    token = system.acme.token("owner")
    unknown, foreign = (system.request("GET", f"/api/bucket/{name}", token=token) for name in ("0" * 24, system.globex.web.bucket_id))
    assert (unknown.status, unknown.body) == (foreign.status, foreign.body)
    assert (unknown.status, list(unknown.json())) == (404, ["msg"])
    assert system.request("GET", bucket_url(system.acme.web), token=system.acme.token("outsider")).status == 403
