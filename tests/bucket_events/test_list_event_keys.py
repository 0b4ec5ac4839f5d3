"""GET /api/bucket/{id}/data/eventsKeysByApp: decision 19."""

from __future__ import annotations

from tapedeck import clock
from tests.harness import System
from tests.harness.agent import keys, put, record


def test_names_are_listed_by_application_with_counts_and_times(system: System) -> None:
    assert keys(system, system.acme) == []
    now = system.now
    put(system, system.acme, record("paid", at=now - 60), record("paid", at=now - 5), record("left", at=now - 10))
    put(system, system.acme, record("paid", app="api", at=now - 30))

    def detail(name: str, count: int, first: float, last: float) -> dict[str, object]:
        return {"name": name, "count": count, "first": iso(now - first), "last": iso(now - last)}

    def iso(at: float) -> str:
        return clock.iso(at).replace("+00:00", ".000Z")

    assert keys(system, system.acme) == [
        {"app_name": "api", "events": ["paid"], "details": [detail("paid", 1, 30, 30)]},
        {"app_name": "shop", "events": ["left", "paid"], "details": [detail("left", 1, 10, 10), detail("paid", 2, 60, 5)]},
    ]
    assert keys(system, system.acme, of=system.acme.shop) == []
