"""What a search finds in the cold tier: which blocks it visits, which ranges of them it reads, and whose rows count.

Blocks are read in one round trip, side by side, and evaluated one after another, the most promising first: once there are as many
candidates as are asked for, every further block is first asked for rows that come before the last of them, and mostly has none. The ids
of those that are answered, and of rows that only their ids part, are read in a second round trip; documents in a third. Where the blocks
have more rows than one function should look at, others read and evaluate them (`fanning`): one round trip as well.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from tapedeck import aws, clock
from tapedeck.session_replays import store
from tapedeck.session_replays.blocks import evaluating, keeping, locating, reading, writing
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.evaluating import Question
from tapedeck.session_replays.blocks.format import Head, Range
from tapedeck.session_replays.blocks.manifest import Kept
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.fields import Sort
from tapedeck.session_replays.search.language import Expression
from tapedeck.session_replays.search.planning import Period
from tapedeck.session_replays.store import ReplayId

if TYPE_CHECKING:
    from tapedeck.session_replays.blocks.counting import Reduction

place = itemgetter(0, 1)  # of a candidate: where it is in the order, but for its id


@dataclass(frozen=True)
class Wanted:
    """The rows that count: of a period and its projects those that the expression finds and retention keeps, but for those of which a
    listed row is told."""

    period: Period
    expression: Expression
    viewer_id: int | None = None
    masked: Sequence[Document] = ()
    question: Question = field(init=False)
    first: int = field(init=False)
    last: int = field(init=False)

    def __post_init__(self) -> None:
        question = evaluating.both(keeping.Kept.of(self.period, clock.now()), evaluating.question(self.expression, self.viewer_id))
        object.__setattr__(self, "question", question)
        object.__setattr__(self, "first", store.milliseconds(self.period.start))
        object.__setattr__(self, "last", store.milliseconds(self.period.end) - 1)

    def blocks(self, blocks: Iterable[Kept]) -> list[Kept]:
        """Those that may have rows that count."""
        projects, oldest = set(self.period.project_ids), int(clock.now() - store.retention())
        return [
            block
            for block in blocks
            if block.head.first <= self.last
            and block.head.last >= self.first
            and (block.head.numbers[writing.ENDED].high or 0) >= oldest
            and not projects.isdisjoint(block.head.projects)
            and self.question.verdict(block.head) is not False
        ]

    def ranges(self, head: Head) -> list[Range]:
        """What must be there before `rows` is asked."""
        found = list(self.question.ranges(head))
        if not set(head.projects) <= set(self.period.project_ids):
            found += reading.number_ranges(head, "project_id")
        if head.first < self.first or head.last > self.last:
            found.append(head.began)
        if self._oldest(head) is not None:
            found += reading.number_ranges(head, writing.ENDED)
        for digest in self._masks(head):
            found += reading.whole(reading.references_of(head, "id", digest))
        return found

    def rows(self, block: Block, living: int) -> int:
        """The rows that count, of those that live."""
        head, found = block.head, living
        if head.first < self.first:
            found &= -1 << bisect_left(block.began, self.first)
        if head.last > self.last:
            found &= (1 << bisect_left(block.began, self.last + 1)) - 1
        if not set(head.projects) <= set(self.period.project_ids):
            column, ours = block.numbers("project_id"), 0
            for project_id in self.period.project_ids:
                ours |= column.equal(project_id)
            found &= ours
        oldest = self._oldest(head)
        if oldest is not None:
            found &= block.numbers(writing.ENDED).at_least(oldest)
        if found:
            found &= self.question.rows(block)
        for digest in self._masks(head) if found else ():
            found &= ~block.referring("id", digest)
        return found

    def _oldest(self, head: Head) -> int | None:
        """The second before which a replay must not have ended, where a row of a block may have."""
        oldest = clock.now() - store.retention()
        ended = head.numbers[writing.ENDED].low
        return int(oldest) if self.period.start < oldest and ended is not None and ended < int(oldest) else None

    def _masks(self, head: Head) -> list[bytes]:
        return [
            form.digest(document.replay_id)
            for document in self.masked
            if any(head.first <= moment <= head.last for moment in document.cold)
        ]


class Candidate(NamedTuple):
    """A replay that may be answered, of either tier: its place in the order but for its id, and where it is."""

    key: Any
    began: int
    at: int = -1  # the number of its block
    row: int = -1
    project_id: int = -1  # as a worker tells it
    document: Document | None = None  # of a hot one


class Cold:
    """The blocks of one search, read as far as it needs: one round trip. Raises Overtaken when one has gone."""

    def __init__(self, wanted: Wanted, blocks: Iterable[Kept], sort: Sort, *, descending: bool) -> None:
        self._wanted, self._sort, self._descending = wanted, sort, descending
        self._kept = sorted(wanted.blocks(blocks), key=self._promise, reverse=descending)
        self._blocks = [] if _is_divided(self._kept) else opened(wanted, self._kept, sort)

    @property
    def rows(self) -> int:
        """How many there are in the blocks of the period."""
        return sum(block.head.rows for block in self._kept)

    def merged(self, hot: Iterable[Document], count: int) -> list[Candidate]:
        """The first `count` of both tiers, as `best` has them."""
        listed = [Candidate(self._sort.read(document), fields.began(document), document=document) for document in hot]
        return sorted([*listed, *self._best(count)], key=place, reverse=self._descending)

    def page(self, found: Sequence[Candidate], offset: int, limit: int) -> list[tuple[Candidate, ReplayId | None]]:
        """Some of them in their whole order, cold ones with their names: one round trip."""
        first, end = min(offset, len(found)), min(offset + limit, len(found))
        low, high = first, end
        while 0 < low < len(found) and place(found[low - 1]) == place(found[low]):
            low -= 1
        while 0 < high < len(found) and place(found[high - 1]) == place(found[high]):
            high += 1
        several = found[low:high]
        names = self._named([each for each in several if each.document is None])
        told = [(each, names.get((each.at, each.row))) for each in several]

        def whole(entry: tuple[Candidate, ReplayId | None]) -> tuple[Any, int, str]:
            each, name = entry
            return each.key, each.began, name.key if name else each.document.replay_id if each.document else ""

        return sorted(told, key=whole, reverse=self._descending)[first - low : end - low]

    def forget(self, candidate: Candidate) -> None:
        """It is not what its block says, as its document shows."""
        block = self._kept[candidate.at]
        self._kept[candidate.at] = replace(block, dead=block.dead | 1 << candidate.row)

    def _best(self, count: int) -> list[Candidate]:
        if self._blocks or not self._kept:
            return best(self._wanted, self._kept, self._blocks, self._sort, count, descending=self._descending)
        from tapedeck.session_replays.blocks import fanning

        return fanning.best(self._wanted, self._kept, self._sort, count, descending=self._descending)

    def _named(self, candidates: Sequence[Candidate]) -> dict[tuple[int, int], ReplayId]:
        organization_id, of_block = self._wanted.period.organization_id, dict[int, list[Candidate]]()
        for each in candidates:
            of_block.setdefault(each.at, []).append(each)
        kept = [self._kept[at] for at in of_block]
        rows = iter([[each.row for each in several] for several in of_block.values()])
        ids = locating.opened(kept, lambda head: [reading.id_range(head, row) for row in next(rows)])
        names: dict[tuple[int, int], ReplayId] = {}
        for (at, several), block in zip(of_block.items(), ids, strict=True):
            told = [each.project_id for each in several]  # by workers
            projects = projects_of(self._blocks[at], [each.row for each in several]) if self._blocks else told
            for each, project_id in zip(several, projects, strict=True):
                names[at, each.row] = ReplayId(organization_id, project_id, block.row_id(each.row).hex())
        return names

    def _promise(self, block: Kept) -> tuple[Any, ...]:
        """The most promising first: those with the greatest (least) key, then the latest (earliest)."""
        zone = evaluating.zone(self._sort, block.head)
        edge = 1 if self._descending else 0
        return (*([zone[edge]] if zone else []), (block.head.first, block.head.last)[edge])


# --- One after another --------------------------------------------------------------------------------------------------------------------


def opened(wanted: Wanted, kept: Sequence[Kept], sort: Sort) -> list[Block]:
    """What `best` and `projects_of` need of these blocks: one round trip. Raises Overtaken when one has gone."""

    def ranges(head: Head) -> list[Range]:
        projects = reading.number_ranges(head, "project_id") if len(head.projects) > 1 else []
        return [*wanted.ranges(head), *evaluating.sort_ranges(sort, head), head.began, *projects]

    return locating.opened(kept, ranges)


def best(
    wanted: Wanted, kept: Sequence[Kept], blocks: Sequence[Block], sort: Sort, count: int, *, descending: bool
) -> list[Candidate]:
    """The first `count` rows of opened blocks, ties that only ids part in no order: all of those that are equal to the last, too."""
    found: list[Candidate] = []
    for at, (one, block) in enumerate(zip(kept, blocks, strict=True)):
        edge, living = found[count - 1] if len(found) >= count else None, one.living
        if edge is not None:
            if _is_past(one.head, sort, edge, descending=descending):
                continue
            equal = _may_tie(one.head, edge, descending=descending)
            living &= evaluating.beyond(block, sort, edge.key, descending=descending, equal=equal)
        rows = wanted.rows(block, living) if living else 0
        if rows:
            several = evaluating.best(block, rows, sort, count, descending=descending)
            numbers = [row for _, row in several]
            found += map(Candidate, (key for key, _ in several), block.began.of(numbers), repeat(at), numbers)
            found.sort(key=place, reverse=descending)
            if len(found) > count:
                end = count
                while end < len(found) and place(found[end]) == place(found[count - 1]):
                    end += 1
                del found[end:]
    return found


def projects_of(block: Block, rows: Sequence[int]) -> list[int]:
    """Whose the replays of these rows are."""
    projects = block.head.projects
    return projects * len(rows) if len(projects) == 1 else block.numbers("project_id").numbers(rows)


def reduced(wanted: Wanted, blocks: Iterable[Kept], reduction: Reduction[Any]) -> list[Any]:
    """What a reduction makes of the rows that count, block by block, or of several blocks together. One round trip."""
    kept = wanted.blocks(blocks)
    if not _is_divided(kept):
        return reduced_here(wanted, kept, reduction)
    from tapedeck.session_replays.blocks import fanning

    return fanning.reduced(wanted, kept, reduction)


def reduced_here(wanted: Wanted, kept: Sequence[Kept], reduction: Reduction[Any]) -> list[Any]:
    """What it makes of them block by block. One round trip."""
    results = []
    for block, there in zip(kept, locating.opened(kept, lambda head: [*wanted.ranges(head), *reduction.ranges(head)]), strict=True):
        rows = wanted.rows(there, block.living)
        if rows:
            results.append(reduction.rows(block, there, rows))
    return results


def most_rows() -> int:
    """How many rows one function looks at: where there are more, the blocks are divided among several."""
    return int(aws.setting("FAN_OUT_ROWS", "4000000"))


def _is_divided(blocks: Sequence[Kept]) -> bool:
    return len(blocks) > 1 and sum(block.head.rows for block in blocks) > most_rows()


def _is_past(head: Head, sort: Sort, edge: Candidate, *, descending: bool) -> bool:
    """Whether everything in a block comes after a candidate."""
    zone = evaluating.zone(sort, head)
    if zone is None:
        return False
    if descending:
        return bool((zone[1], head.last) < (edge.key, edge.began))
    return bool((zone[0], head.first) > (edge.key, edge.began))


def _may_tie(head: Head, edge: Candidate, *, descending: bool) -> bool:
    """Whether a row of a block with a candidate's key could come before it."""
    return head.last >= edge.began if descending else head.first <= edge.began
