"""What a download of a hundred segments costs over a join of bytes that lie there inflated."""

from __future__ import annotations

import statistics
import time
import zlib
from collections.abc import Callable

from bench import material
from bench.figures import Figure

SEGMENTS = 100
ROUNDS = 25


def measure() -> list[Figure]:
    """CPU, the median round. The comparison inflates as well: nobody can join what is deflated."""
    from tapedeck.session_replays import recording

    raws = [material.recording(36_000, seed) for seed in range(SEGMENTS)]
    bodies = [zlib.compress(raw) for raw in raws]

    def ours() -> bytes:
        return recording.join(recording.events(body) for body in bodies)

    def theirs() -> bytes:
        return b"[" + b",".join([zlib.decompress(body) for body in bodies]) + b"]"

    assert ours() == theirs()
    mine, plain = _cpu(ours), _cpu(theirs)
    return [Figure("download 100 segments over a plain join of the inflated bytes", mine * 1000, plain * 1000, 1.3)]


def _cpu(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)
