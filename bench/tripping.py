"""How often a request waits for AWS: round trips one after another, calls side by side being one."""

from __future__ import annotations

import json
from collections.abc import Callable

from bench import material
from bench.figures import Figure

TARGETS = {"ingest": 2, "GET one replay": 1, "index": 3}


def measure() -> list[Figure]:
    """Counted in the test harness, in a process of its own: its AWS has to be there before the first client is."""
    trips: dict[str, int] = json.loads(material.alone("tripping.count"))
    return [Figure(f"AWS round trips of {name}", trips[name], target=target, unit="") for name, target in TARGETS.items()]


def count() -> None:
    """Ask a container that has served before."""
    from tests.harness import System, sdk

    with System(Stage="staging") as system:
        world, environment = system.acme, system.acme.web
        replay = sdk.record(system, environment, segments=3)
        asks: dict[str, Callable[[], object]] = {
            "ingest": lambda: sdk.record(system, environment),
            "GET one replay": lambda: sdk.read(system, world, environment, replay),
            "index": lambda: sdk.index(system, world),
        }
        trips = {}
        for name, ask in asks.items():
            ask()
            ask()
            trips[name] = system.cloud.trips
    print(json.dumps(trips))
