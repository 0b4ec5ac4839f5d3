"""How much memory a function holds at its worst moment, with a segment of 20 MB inflated: in a process of its own."""

from __future__ import annotations

import random
import resource

from bench import material
from bench.figures import Figure

LAMBDA_MB = 512
INFLATED = 20 * 1024 * 1024


def measure() -> list[Figure]:
    """Peak resident megabytes, interpreter and libraries included."""
    works = {"ingest of a 20-MB segment": "remembering.ingest", "index of 100 replays with such segments": "remembering.index"}
    return [Figure(f"peak memory: {name}", float(material.alone(work)), target=LAMBDA_MB, unit="MB") for name, work in works.items()]


def ingest() -> None:
    """Take the largest segment that is taken, from the envelope's bytes on."""
    from tapedeck.session_replays import ingesting, merging

    piece = material.recording(1_000_000)[1:-1]
    raw = b"[" + b",".join([piece] * (INFLATED // (len(piece) + 1))) + b"]"
    envelope = material.envelope(0, raw)
    material.stand_in(merging.encode({"seen": "0"}))
    outcome = ingesting.ingest(1, 1, envelope, client_agent=material.CHROME)
    assert outcome.accepted == 1, outcome
    _tell()


def index() -> None:
    """List a hundred replays, each as heavy as a page of DynamoDB's 1 MB lets them be together."""
    from tapedeck.session_replays import merging, searching
    from tapedeck.session_replays.search.planning import Period

    chance = random.Random(0)
    heavy = {"seen": "1", "started": material.AT, "finished": 4e9, "urls": [[0, n, chance.randbytes(100).hex()] for n in range(90)]}
    material.stand_in(merging.encode(heavy))
    rows = searching.search(searching.Search(Period(1, [1], 0, 4e9)), offset=0, limit=100).replays
    assert len(rows) == 100
    _tell()


def _tell() -> None:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
