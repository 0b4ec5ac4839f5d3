"""What a replay's numbers are (contract §2.4): one rule each, told here to those who show them and to those who search by them.

A deleted replay has no numbers: whoever counts asks `merging.is_archived` first.
"""

from __future__ import annotations

from tapedeck.session_replays.merging import Row

_NOTHING: Row = {}
DEAD, RAGE = 1, 2  # what a row's `slow` says of a click; rage is dead as well


def count_linked(row: Row, level: str) -> int:
    """How many events of a level ("error", "warning", "info") happened during the replay."""
    links = row.get("links")
    return len([None for link in links.values() if link[1] == level]) if links else 0  # sum() of a generator is slower


def count_urls(row: Row) -> int:
    """How many urls were visited: one visited twice is two."""
    return sum(row.get("url_counts", _NOTHING).values())


def count_traces(row: Row) -> int:
    """How many traces its segments named: one named by two of them is two."""
    return sum(row.get("trace_counts", _NOTHING).values())


def count_dead_clicks(row: Row) -> int:
    """How many clicks led to nothing."""
    return len(row.get("slow", ()))


def count_rage_clicks(row: Row) -> int:
    """How many of them were repeated in anger."""
    slow = row.get("slow")
    return sum(anger == RAGE for anger in slow.values()) if slow else 0


def activity(row: Row) -> int:
    """How much happened, from 1 to 10."""
    return max(1, min(10, (25 * count_linked(row, "error") + 5 * count_urls(row)) // 10))


def span(row: Row) -> tuple[float, float]:
    """First and last moment. A row that has only one of them, as one that was only viewed or linked, begins and ends there."""
    finished = float(row.get("finished", 0))
    return float(row.get("started", finished)), finished


def duration(row: Row) -> int:
    """Whole seconds from first to last: both are cut to the second before they are compared."""
    finished: float = row.get("finished", 0)
    return int(finished) - int(row.get("started", finished))
