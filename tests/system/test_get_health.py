"""GET /health: the stack answers."""

from __future__ import annotations

from tests.harness import System


def test_health_costs_no_call(system: System) -> None:
    with system.cloud.watch() as calls:
        answer = system.request("GET", "/health")
    assert (answer.status, answer.json()["status"]) == (200, "ok")
    assert calls == []
    assert answer.headers["request-id"]
