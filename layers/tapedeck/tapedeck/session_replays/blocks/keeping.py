"""Retention over blocks: which rows of a block have not expired, and which are not older than their project keeps replays now.

The same that `merging.is_kept` says of a row. A block that was made when rows told no end has none: its rows go by their age alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from tapedeck.session_replays import store
from tapedeck.session_replays.blocks import reading, writing
from tapedeck.session_replays.blocks.format import Head, Range
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.search.planning import Period


def is_over(head: Head, now: float) -> bool:
    """Whether all rows have expired."""
    kept = head.numbers.get(writing.EXPIRES)
    return kept is not None and kept.high is not None and not kept.absent and kept.high <= now


def first_expiry(head: Head) -> float:
    """When the first row expires, or did (seconds)."""
    kept = head.numbers.get(writing.EXPIRES)
    return inf if kept is None or kept.low is None else kept.low


def unexpired(block: Block, now: float) -> int:
    """The rows that have not expired."""
    if first_expiry(block.head) > now:
        return block.full
    column = block.numbers(writing.EXPIRES)
    return column.at_least(int(now) + 1) | column.absent


@dataclass(frozen=True, slots=True)
class Kept:
    """The question (`evaluating.Question`) whether a replay's retention is not over. `oldest` are the seconds before which a replay must
    not have ended, of the projects that have days of their own; what the stack forgets is told elsewhere (`gathering.Wanted`)."""

    now: float
    oldest: Mapping[int, int]
    cost: int = 20

    @classmethod
    def of(cls, period: Period, now: float) -> Kept:
        """The question for the projects of a period."""
        return cls(now, {project: store.oldest(days, now) for project, days in period.days.items()})

    def verdict(self, head: Head) -> bool | None:
        """False of a block that is over, True of one in which all is young."""
        if is_over(head, self.now):
            return False
        return True if first_expiry(head) > self.now and not self._old(head) else None

    def ranges(self, head: Head) -> Iterable[Range]:
        """The columns of what may have expired or be too old."""
        found: list[Range] = []
        if first_expiry(head) <= self.now:
            found += reading.number_ranges(head, writing.EXPIRES)
        if self._old(head):
            found += [*reading.number_ranges(head, "project_id"), *reading.number_ranges(head, writing.ENDED)]
        return found

    def rows(self, block: Block) -> int:
        """The rows that are kept."""
        found = unexpired(block, self.now)
        for project in self._old(block.head):
            theirs = block.numbers("project_id").equal(project)
            found &= ~theirs | block.numbers(writing.ENDED).at_least(self.oldest[project])
        return found & block.full

    def _old(self, head: Head) -> list[int]:
        """The projects of which a block may have replays that are too old."""
        ended = head.numbers[writing.ENDED].low
        return [each for each in head.projects if each in self.oldest and (ended is None or ended < self.oldest[each])]
