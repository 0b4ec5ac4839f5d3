"""What a capture costs: AWS calls and writes of each of its steps, and that it does not matter how much it captures."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bench import material
from bench.figures import Figure

SIZES = (10, 1_000_000)
REQUEST = 10_000  # events a request
# (calls, writes) of each step, its requests and its worker's; a write is an item, an object, a message or a schedule. Queues are polled by
# AWS. An endpoint's calls begin with those of the gate, in a container that has served before.
TARGETS = {
    "begin now": (15, 9),
    "schedule": (12, 9),
    "edit the window": (10, 8),
    "begin on schedule": (9, 3),
    "stop": (17, 8),
    "delete": (14, 10),
}
_READS = {"GetItem", "BatchGetItem", "Query", "GetObject", "GetMetricData"}


def measure() -> list[Figure]:
    """Counted in the test harness, in a process of its own: its AWS has to be there before the first client is."""
    found: dict[str, Any] = json.loads(material.alone("capturing.count"))
    steps = [
        Figure(f"{what} to {step} a capture", found["steps"][step][index], target=target[index], unit="")
        for step, target in TARGETS.items()
        for index, what in enumerate(("AWS calls", "writes"))
    ]
    few, many = (found["sizes"][str(size)] for size in SIZES)
    return [
        *steps,
        *(
            Figure(f"{what} of a capture of {SIZES[1]:,} events, over those of one of {SIZES[0]}", many[index], few[index], 1, unit="")
            for index, what in enumerate(("AWS calls", "writes"))
        ),
        Figure("writes of a capture for every event that comes while it runs", found["running"], target=0, unit=""),
    ]


def count() -> None:
    """Let captures live, and count what that takes."""
    from tests.harness import System

    with System(Stage="staging") as system:
        steps = _steps(system)
    sizes, running = {}, 0
    for size in SIZES:
        with System(Stage="staging") as system:
            sizes[size], came = _whole(system, size)
            running += came
    print(json.dumps({"steps": steps, "sizes": sizes, "running": running}))


def _steps(system: Any) -> dict[str, tuple[int, int]]:
    from tests.captures.test_create_capture import at, create, created
    from tests.captures.test_delete_capture import delete
    from tests.captures.test_edit_capture import edit
    from tests.captures.test_stop_capture import stop

    warm = created(system, name="warm up")["id"]
    for ask in (edit, stop, delete):  # containers that have served before
        ask(system, warm)
        system.drain()
    now, later = warm + 1, warm + 2
    asks: dict[str, Callable[[], object]] = {
        "begin now": lambda: create(system, name="from now on", duration=3600),
        "schedule": lambda: create(system, name="later on", scheduledStart=at(system, 600), duration=3600),
        "edit the window": lambda: edit(system, later, duration=1800),
        "begin on schedule": lambda: system.advance(601),
        "stop": lambda: stop(system, now),
        "delete": lambda: delete(system, now),
    }
    return {step: _counted(system, ask) for step, ask in asks.items()}


def _whole(system: Any, size: int) -> tuple[tuple[int, int], int]:
    """(calls, writes) of a capture from its beginning to its seal while so many events come, and the writes that it made meanwhile."""
    from tapedeck.events import ingesting
    from tapedeck.events.store import CollectionId
    from tests.captures.test_create_capture import create, shown
    from tests.captures.test_stop_capture import stop

    web = system.acme.web
    collection = CollectionId(system.acme.id, web.collection_id)
    begun = _counted(system, lambda: create(system))
    with system.cloud.watch() as meanwhile:
        for first in range(0, size, REQUEST):
            body = json.dumps([{"name": "paid", "n": n} for n in range(first, min(first + REQUEST, size))]).encode()
            ingesting.take_records(collection, web.project_id, body, idempotency_key=None)
            system.skip(1)
        system.skip(3600 - -(-size // REQUEST))  # an hour in any case: the gate forgets whom it knows after a minute
    ended = _counted(system, lambda: stop(system, 1))
    assert shown(system, 1)["status"] == "DONE"
    return (begun[0] + ended[0], begun[1] + ended[1]), sum(call.function in ("TurnCapture", "SweepCaptures") for call in meanwhile)


def _counted(system: Any, ask: Callable[[], object]) -> tuple[int, int]:
    """(calls, writes) of what is asked and of the worker that it rings for."""
    with system.cloud.watch() as calls:
        ask()
        system.drain()
    own = [call for call in calls if "Capture" in call.function]
    writes = [len(call.params.get("TransactItems", "1")) for call in own if call.operation not in _READS]
    return len(own), sum(writes)
