"""Which rows a search reads: every project's list in pieces, side by side, in a handful of round trips however long it is.

The index holds a project's replays in the order in which they began, and hands them out in pages of 1 MB. The first trip reads one page
of each project. How much time that page covered says how dense the list is: what is left is cut into as many pieces as that density
asks for, all read in the second trip, and what a piece leaves is cut again. So an even list takes three trips and an uneven one four.
A page is reduced to what its caller wants of it as soon as it is decoded: memory holds answers, not rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Generic, TypeVar

from tapedeck import aws, errors
from tapedeck.session_replays import merging, store
from tapedeck.session_replays.search.document import Document

T = TypeVar("T")
PIECES = 64  # pieces that one trip may read
SPARE = 1.25  # more pieces than the density asks for: it is never quite even
MOST_ROWS = 250_000  # what one Lambda can read in its 29 seconds


@dataclass(frozen=True, slots=True)
class Period:
    """Which lists are read, and which part of them: replays that began in [start, end) epoch seconds (decision 35). `days` are those for
    which a project that has days of its own keeps replays."""

    organization_id: int
    project_ids: Sequence[int]
    start: float
    end: float
    days: Mapping[int, int] = field(default_factory=dict)

    def keeps(self, replay: Document, now: float) -> bool:
        """Whether a replay's retention is not over."""
        return bool(self.kept([replay], now))

    def kept(self, replays: Sequence[Document], now: float) -> list[Document]:
        """The replays of which the retention is not over."""
        oldest = {project: store.oldest(self.days.get(project), now) for project in {each.project_id for each in replays}}
        return [each for each in replays if merging.is_kept(each.row, now, oldest[each.project_id])]


@dataclass(frozen=True, slots=True)
class Trip(Generic[T]):
    """What one round trip brought: a result for each page, and the place up to which the order is now known (None: to its end)."""

    results: list[T]
    known_to: str | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a project's list, from one moment to another (milliseconds, both included), to be read from the place `after` on."""

    project_id: int
    first: int
    last: int
    after: str | None = None


def scan(
    period: Period, reduce: Callable[[Sequence[Document]], T], *, newest_first: bool = True, most: int | None = None
) -> Iterator[Trip[T]]:
    """Read the period, a round trip at a time, until it is read or the caller has enough.

    `reduce` is called with each page's rows, in threads, and must be pure. `most` bounds the first trip's pages to so many rows.
    Rows past their retention are among them. Raises Invalid when there are more than MOST_ROWS.
    """
    first, last = store.milliseconds(period.start), store.milliseconds(period.end) - 1
    pieces = [_Piece(project_id, first, last) for project_id in period.project_ids if first <= last]
    rows = 0
    while pieces:
        pages = aws.together(*(partial(_page, period, piece, reduce, newest_first, most) for piece in pieces))
        rows += sum(count for _, count, _ in pages)
        if rows > MOST_ROWS:
            raise errors.Invalid("Query limits exceeded. Try narrowing your request.")
        pieces = _rest(pieces, [stopped for _, _, stopped in pages], newest_first)
        yield Trip([result for result, _, _ in pages], _known_to(pieces, newest_first))
        most = None


def _page(
    period: Period, piece: _Piece, reduce: Callable[[Sequence[Document]], T], newest_first: bool, most: int | None
) -> tuple[T, int, str | None]:
    rows, stopped = store.list_page(
        period.organization_id, piece.project_id, piece.first, piece.last, newest_first=newest_first, most=most, after=piece.after
    )
    return reduce(rows), len(rows), stopped


def _rest(pieces: Sequence[_Piece], stops: Sequence[str | None], newest_first: bool) -> list[_Piece]:
    """What is left of pieces of which a page was read, in parts: each gets as many as it needs, or its share when PIECES do not suffice."""
    left = [(piece, stopped) for piece, stopped in zip(pieces, stops, strict=True) if stopped is not None]
    needs = [math.ceil(ahead / _step(covered)) or 1 for covered, ahead in (_behind_and_ahead(*each, newest_first) for each in left)]
    scale = min(1.0, PIECES / max(1, sum(needs)))
    return [
        part
        for (piece, stopped), need in zip(left, needs, strict=True)
        for part in _cut(piece, stopped, newest_first, max(1, int(need * scale)))
    ]


def _behind_and_ahead(piece: _Piece, stopped: str, newest_first: bool) -> tuple[int, int]:
    """How many milliseconds of its piece a page covered, and how many it left."""
    at = store.moment(stopped)
    return (piece.last - at, at - piece.first) if newest_first else (at - piece.first, piece.last - at)


def _step(covered: int) -> int:
    """How many milliseconds should fill a page where the last one covered `covered`."""
    return max(1, int(covered / SPARE))


def _cut(piece: _Piece, stopped: str, newest_first: bool, allowed: int) -> list[_Piece]:
    """What a page left of its piece, in parts that should each fill a page; the one where it stopped goes on from there."""
    at = store.moment(stopped)
    covered, left = _behind_and_ahead(piece, stopped, newest_first)
    begins = [at - edge if newest_first else at + edge for edge in _edges(covered, left, allowed)]
    if newest_first:
        firsts, lasts = [*(begin + 1 for begin in begins[1:]), piece.first], begins
    else:
        firsts, lasts = begins, [*(begin - 1 for begin in begins[1:]), piece.last]
    parts = [replace(piece, first=first, last=last, after=None) for first, last in zip(firsts, lasts, strict=True)]
    return [replace(parts[0], after=stopped), *parts[1:]]


def _edges(covered: int, left: int, allowed: int) -> list[int]:
    """Where the parts of the next `left` milliseconds begin, when the last page covered `covered` of them.

    Equal parts while they suffice. Where they do not, the list is long or it thins out (a young one in a long period): then three
    quarters of the parts are as dense as the page was, and the others double their length.
    """
    step = _step(covered)
    if math.ceil(left / step) <= allowed:
        return list(range(0, max(1, left), step))
    edges = list(range(0, max(1, allowed * 3 // 4) * step, step))
    while len(edges) < allowed and edges[-1] + step < left:
        edges.append(edges[-1] + step)
        step *= 2
    return edges


def _known_to(pieces: Sequence[_Piece], newest_first: bool) -> str | None:
    if not pieces:
        return None
    if newest_first:
        return max(piece.after or store.place_after(piece.last) for piece in pieces)
    return min(piece.after or store.place_before(piece.first) for piece in pieces)
