"""GET /v1/health/destination: a map of the four members (contract §1.2), by destination."""

from __future__ import annotations

from tapedeck.event_replays.destinations import store
from tapedeck.event_replays.destinations.model import Outcome, later
from tapedeck.event_replays.shapes import DestinationsHealth
from tests.event_replays.destinations.asking import make
from tests.harness import System

PENDING = {"latency_ms": 0, "status": "pending", "message": "", "last_checked_at": 0}


def test_every_live_destination_by_its_id(system: System) -> None:
    token = system.acme.token("member")
    assert system.request("GET", "/v1/health/destination", token=token).json() == {}
    well, ill, new = (make(system)["id"] for _ in range(3))
    store.note_health(store.read(system.acme.id, well), Outcome(True, latency_ms=12))
    store.note_health(store.read(system.acme.id, ill), later("received non-2xx response (404)", latency_ms=294))
    shown = system.request("GET", "/v1/health/destination", token=token).json()
    DestinationsHealth.model_validate(shown)
    assert shown == {
        well: {"latency_ms": 12, "status": "ok", "message": "", "last_checked_at": int(system.now)},
        ill: {"latency_ms": 294, "status": "error", "message": "received non-2xx response (404)", "last_checked_at": int(system.now)},
        new: PENDING,
    }
    assert system.request("GET", "/v1/health/destination", token=system.globex.token("owner")).json() == {}
