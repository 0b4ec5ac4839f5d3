"""CPU time on one core, as Lambda has it below 1.8 GB: never the wall's, which a busy machine makes longer."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def one_core() -> Iterator[None]:
    """Where the system can do that: threads that wander between cores cost what they would not in Lambda."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def best_cpu(works: Sequence[Callable[[], None]], *, rounds: int) -> list[float]:
    """CPU seconds of all threads that each work takes: the best of so many rounds, in turn, after one that is not counted."""
    took: list[list[float]] = [[] for _ in works]
    for work in works:
        work()
    gc.collect()
    for _ in range(rounds):
        for work, times in zip(works, took, strict=True):
            before = time.process_time()
            work()
            times.append(time.process_time() - before)
    return [min(times) for times in took]
