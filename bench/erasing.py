"""What erasing a person costs: AWS calls a session, however many there are, and those for one event among very many."""

from __future__ import annotations

import json
from typing import Any

from bench import material
from bench.figures import Figure

SESSIONS = (10, 100, 1000)
EVENTS = (10_000, 200_000)  # one request, and twenty: the body of the chunk lies in the bucket
REQUEST = 10_000  # events a request


def measure() -> list[Figure]:
    """Counted in the test harness, in a process of its own: its AWS has to be there before the first client is.

    From a thousand sessions on every page is full and like the one before it: ten thousand cost what a thousand do, ten times.
    """
    found: dict[str, dict[str, float]] = json.loads(material.alone("erasing.count"))
    few, *_, many = (found["sessions"][str(size)] / size for size in SESSIONS)
    little, much = (found["events"][str(size)] for size in EVENTS)
    return [
        *(
            Figure(f"AWS calls to erase a session of 3 segments, of {size:,}", found["sessions"][str(size)] / size, unit="")
            for size in SESSIONS
        ),
        Figure(f"a session's calls among {SESSIONS[-1]:,}, over those among {SESSIONS[0]}", many, few, 1, unit=""),
        Figure(f"AWS calls to erase one event among {EVENTS[-1]:,}, over those among {EVENTS[0]:,}", much, little, 1.1, unit=""),
        Figure("chunks read to erase one event among many", found["opened"][str(EVENTS[-1])], target=4, unit=""),
    ]


def count() -> None:
    """Erase people, and count what that takes."""
    from tests.harness import System

    sessions, events, opened = {}, {}, {}
    for size in SESSIONS:
        with System(Stage="staging") as system:
            sessions[size] = _sessions(system, size)
    for amount in EVENTS:
        with System(Stage="staging") as system:
            events[amount], opened[amount] = _events(system, amount)
    print(json.dumps({"sessions": sessions, "events": events, "opened": opened}))


def _sessions(system: Any, size: int) -> int:
    from tests.deletion_jobs.asking import erase, job
    from tests.deletion_jobs.test_run_erasure import copies
    from tests.harness.sdk import record

    copies(system, record(system, system.acme.web, segments=3, user={"id": "ann"}), size - 1)
    made = erase(system, "ann")["jobId"]
    with system.cloud.watch() as calls:
        system.drain()
    assert job(system, made)["status"] == "completed"
    return len(calls)


def _events(system: Any, amount: int) -> tuple[int, int]:
    """(calls to erase one event among so many, chunks that were opened for it)."""
    from tapedeck.events import ingesting
    from tapedeck.events.store import CollectionId
    from tests.deletion_jobs.asking import erase, receipt

    web = system.acme.web
    collection = CollectionId(system.acme.id, web.collection_id)
    for first in range(0, amount, REQUEST):
        numbers = range(first, min(first + REQUEST, amount))
        said = [{"name": "paid", "n": n, "user": "ann" if n == amount // 2 else f"u{n}"} for n in numbers]
        ingesting.take_records(collection, web.project_id, json.dumps(said).encode(), idempotency_key=None)
        system.skip(1)
    for _ in range(3):
        system.invoke("bucket_events/merge_chunks")
    made = erase(system, "ann")["jobId"]
    with system.cloud.watch() as calls:
        system.drain()
    assert receipt(system, made)["counts"]["events"] == 1
    chunk = [call for call in calls if call.operation == "GetItem" and str(call.params["Key"].get("sk", {}).get("S", "")).startswith("C#")]
    return len(calls), len(chunk)
