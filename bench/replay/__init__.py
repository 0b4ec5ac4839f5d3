"""What event replays cost: to find the events that a query means, and to deliver them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.figures import Figure

SIZES = (100_000,)  # events, of `make bench`
ALL_SIZES = (1_000_000,)  # at which the targets are


def measure(sizes: Sequence[int] = SIZES, *, fetch: bool = False) -> list[Figure]:
    """The figures, a table of events a second printed before. `fetch` installs what we are compared with, where it is missing."""
    from bench.replay import delivering, matching

    return [*(figure for size in sizes for figure in matching.measure(size, fetch=fetch)), *delivering.measure()]
