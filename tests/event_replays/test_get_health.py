"""GET /v1/health/destination/{id}."""

from __future__ import annotations

from tests.event_replays.destinations.asking import ask, make
from tests.event_replays.test_list_health import PENDING
from tests.harness import System


def test_a_map_of_one(system: System) -> None:
    made = make(system)["id"]
    assert system.request("GET", f"/v1/health/destination/{made}", token=system.acme.token("member")).json() == {made: PENDING}
    ask(system, "DELETE", f"/{made}")
    assert system.request("GET", f"/v1/health/destination/{made}", token=system.acme.token("member")).status == 200, "still to be read"


def test_an_unknown_one_is_a_404(system: System) -> None:
    for name in ("nonsense", "00000000-0000-4000-8000-000000000000"):
        answer = system.request("GET", f"/v1/health/destination/{name}", token=system.acme.token("member"))
        assert (answer.status, answer.json()["errors"][0]["code"]) == (404, 404)
