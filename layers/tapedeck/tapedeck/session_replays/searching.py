"""What a search answers: of the replays that began in a period a page, filtered and in order, or whatever else can be told of them.

Replays are in two tiers: those to which somebody writes, or has written lately, are listed in an index (hot, `planning`), all others are in
blocks (cold, `blocks.gathering`). Both are read side by side. A listed replay stands for its copies in blocks.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from tapedeck import aws, clock
from tapedeck.errors import NotFound
from tapedeck.session_replays import merging, periods, presenting, store
from tapedeck.session_replays.blocks import manifest
from tapedeck.session_replays.blocks.manifest import Kept, Overtaken
from tapedeck.session_replays.recording import Click
from tapedeck.session_replays.search import planning
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period

if TYPE_CHECKING:
    from tapedeck.environments.model import Environment
    from tapedeck.session_replays.blocks.counting import Reduction
    from tapedeck.session_replays.blocks.gathering import Cold, Wanted
    from tapedeck.session_replays.search.language import Expression

DEFAULT_LIMIT = 10  # decision 8

T = TypeVar("T")
Test = Callable[[Document], bool]
_MOST_ATTEMPTS = 5  # of reading blocks while they are being merged, and of finding replays in the place of those that have just changed


@dataclass(frozen=True)
class Matches:
    """A condition: its tree, who asks, and the test of a document that these make."""

    expression: Expression
    viewer_id: int | None
    test: Test


@dataclass(frozen=True)
class Order:
    """By what replays are sorted: its name in `fields.SORTS`. `by_start` is the order of the index, in which a search can stop early."""

    key: Callable[[Document], Any]
    descending: bool = True
    by_start: bool = False
    name: str = "started_at"


NEWEST_FIRST = Order(store.place, by_start=True)
OLDEST_FIRST = Order(store.place, descending=False, by_start=True)


@dataclass(frozen=True)
class Search:
    """Which replays of a period are wanted: all conditions must hold."""

    period: Period
    environments: Sequence[str] = ()
    matches: Matches | None = None
    order: Order = NEWEST_FIRST


# ------------------------------------------------------------------------------------------------------------ asking


def asked(
    organization_id: int, projects: Sequence[Environment], query: Mapping[str, list[str]], *, default: float = periods.QUARTER
) -> Search:
    """The period and the environments (the SDKs') that a request's parameters ask for, of these projects. Invalid in the contract's words
    (§3)."""
    start, end = periods.period_of(query, now=clock.now(), default=default)
    days = {each.project_id: each.retention_days for each in projects if each.retention_days is not None}
    period = Period(organization_id, [each.project_id for each in projects], start, end, days)
    return Search(period, [name for name in query.get("environment", ()) if name])


def matching(query: str | None, viewer_id: int | None = None, *, living: bool = False) -> Matches | None:
    """The condition that a `query` states; `viewer_id` is who asks, `living` leaves deleted replays out.

    Invalid in the contract's words (§2).
    """
    if query is None and not living:
        return None
    from tapedeck.session_replays.search import evaluating, language  # a list without a query starts sooner without a parser

    expression = language.parse(query or "")
    if living:
        expression = language.And((language.Term("is_archived", ("false",)), expression))
    return Matches(expression, viewer_id, evaluating.matcher(expression, viewer_id))


def matching_clicks(query: str | None) -> Callable[[Click], bool]:
    """The condition that a `query` of clicks states. Invalid in the contract's words (§5)."""
    from tapedeck.session_replays.search import evaluating, language

    return evaluating.click_matcher(language.parse(query or ""))


def matching_elements(query: str | None) -> Callable[[Mapping[str, Any]], bool]:
    """The condition that a `query` of replay-selectors states. Invalid in the contract's words (§1.11)."""
    from tapedeck.session_replays.search import evaluating, language

    return evaluating.element_matcher(language.parse(query or ""))


def order(sort: str | None) -> Order:
    """What a `sort` asks for, in either spelling (decision 8). Invalid for what cannot be sorted by (contract §3)."""
    if sort in (None, "-started_at", "-startedAt"):
        return NEWEST_FIRST
    if sort in ("started_at", "startedAt"):
        return OLDEST_FIRST
    from tapedeck.session_replays.search import evaluating

    return Order(evaluating.sort_key(sort), evaluating.is_descending(sort), name=sort)


# ------------------------------------------------------------------------------------------------------------ answering


class Page(NamedTuple):
    """A page of replays, whether there are more, and how many were looked at."""

    replays: list[Document]
    more: bool
    looked_at: int


class Answer(NamedTuple):
    """A page as the world sees it, whether there are more, how many replays were looked at, and how many milliseconds that took."""

    replays: list[dict[str, Any]]
    more: bool
    looked_at: int
    took: float

    @property
    def headers(self) -> dict[str, str]:
        """What an answer tells of the search itself."""
        return {"X-Replays-Looked-At": str(self.looked_at), "Server-Timing": f"search;dur={self.took:.1f}"}


def search(wanted: Search, *, offset: int, limit: int, viewer_id: int | None = None) -> Answer:
    """A page of replays. NotFound when no project has ever heard of an environment's name (contract §3)."""
    began = clock.now()
    page = find(wanted, offset=offset, limit=limit)
    shown = [presenting.present(each.row, each.replay_id, each.project_id, viewer_id) for each in page.replays]
    return Answer(shown, page.more, page.looked_at, (clock.now() - began) * 1000)


def find(wanted: Search, *, offset: int = 0, limit: int) -> Page:
    """A page of replays.

    Ties are in the order of (started_at, id), so that pages neither overlap nor leave anything out while nothing is recorded.
    """
    key, descending, by_start = wanted.order.key, wanted.order.descending, wanted.order.by_start
    select = heapq.nlargest if descending else heapq.nsmallest
    count = offset + limit + 1
    tests = _tests(wanted)

    def best(replays: Sequence[Document]) -> list[Document]:
        return select(count, _filtered(replays, tests), key=key)

    def hottest() -> _Hot[list[Document]]:
        found: list[Document] = []
        masks: list[Document] = []
        looked_at = 0
        most = count if by_start and not tests else None
        reduce = partial(_reduced, wanted.period, best)
        for trip in planning.scan(wanted.period, reduce, newest_first=descending or not by_start, most=most):
            found = select(count, chain(found, *(page.result for page in trip.results)), key=key)
            masks += chain.from_iterable(page.masks for page in trip.results)
            looked_at += sum(page.looked_at for page in trip.results)
            if by_start and trip.known_to and len(found) == count:
                last = store.place(found[-1])
                if last >= trip.known_to if descending else last <= trip.known_to:
                    break
        return _Hot(found, masks, looked_at)

    began = clock.now()
    hot, moved, blocks = _both(wanted, hottest, began)
    names = {each.replay_id for each in moved.masks}  # moved while we read
    listed = [each for each in hot.result if each.replay_id not in names]
    found = select(count, chain(listed, best(moved.result)), key=key)
    masks = [*hot.masks, *moved.masks]
    for _ in range(_MOST_ATTEMPTS):
        try:
            if cold := _cold(wanted, masks, blocks):
                return _page(wanted, tests, found, cold, offset, limit)._replace(looked_at=hot.looked_at + cold.rows)
        except Overtaken:
            blocks = manifest.shown(wanted.period.organization_id, began)
        else:
            return Page(found[offset : offset + limit], len(found) == count, hot.looked_at)
    raise Overtaken


def gather(wanted: Search, reduce: Callable[[Sequence[Document]], T], in_blocks: Callable[[], Reduction[T]]) -> list[T]:
    """What `reduce` makes of each page of the hot replays that are wanted, and what `in_blocks` makes of each block's.

    NotFound for an environment that nobody has heard of.
    """
    tests = _tests(wanted)

    def reduced(replays: Sequence[Document]) -> T:
        return reduce(_filtered(replays, tests))

    def hottest() -> _Hot[list[T]]:
        pages = [page for trip in planning.scan(wanted.period, partial(_reduced, wanted.period, reduced)) for page in trip.results]
        return _Hot([page.result for page in pages], [mask for page in pages for mask in page.masks], 0)

    began = clock.now()
    hot, moved, blocks = _both(wanted, hottest, began)
    results = [*hot.result, *([reduced(moved.result)] if moved.result else [])]
    for _ in range(_MOST_ATTEMPTS):
        if not blocks:
            return results
        from tapedeck.session_replays.blocks import gathering

        reduction = in_blocks()
        try:
            masks = [*hot.masks, *moved.masks]
            cold = reduction.finish(gathering.reduced(_wanted_of(wanted, masks), blocks, reduction))
        except Overtaken:
            blocks = manifest.shown(wanted.period.organization_id, began)
        else:
            return [*results, *cold]
    raise Overtaken


# ------------------------------------------------------------------------------------------------------------ the hot tier


class _Hot(NamedTuple, Generic[T]):
    """What was made of listed replays, those of them that stand for copies in blocks, and how many they were."""

    result: T
    masks: list[Document]
    looked_at: int


def _reduced(period: Period, reduce: Callable[[Sequence[Document]], T], replays: Sequence[Document]) -> _Hot[T]:
    """One that has expired is not there, and stands for its copies all the same."""
    masks, now = [each._replace(row={}) for each in replays if each.cold], clock.now()
    return _Hot(reduce(period.kept(replays, now)), masks, len(replays))


def _both(wanted: Search, hottest: Callable[[], _Hot[T]], began: float) -> tuple[_Hot[T], _Hot[list[Document]], list[Kept]]:
    """The hot tier, those of it that began at another moment than a block says, and which blocks there are; all side by side."""
    period = wanted.period
    names = [_environment_names(period.organization_id, project_id) for project_id in period.project_ids] if wanted.environments else []
    hot, moved, blocks, *known = aws.together(
        hottest, partial(store.moved, period.organization_id), partial(manifest.shown, period.organization_id, began), *names
    )
    if not set(wanted.environments) <= set().union(*known):
        raise NotFound("The requested resource does not exist")
    theirs = [each for each in moved if _is_in(period, each)]
    return hot, _Hot(theirs, [each._replace(row={}) for each in moved], len(theirs)), blocks


def _is_in(period: Period, replay: Document) -> bool:
    """Whether a replay is visible in a period."""
    if replay.project_id not in period.project_ids or merging.started_at(replay.row) is None or not merging.is_visible(replay.row):
        return False
    at = store.moment(store.place(replay))
    first, end = store.milliseconds(period.start), store.milliseconds(period.end)
    return first <= at < end and period.keeps(replay, clock.now())


def _tests(wanted: Search) -> list[Test]:
    tests = [wanted.matches.test] if wanted.matches else []
    if wanted.environments:
        names = frozenset(wanted.environments)
        tests.append(lambda replay: not names.isdisjoint(replay.row.get("scalars", {}).get("environment", ())))
    return tests


def _filtered(replays: Sequence[Document], tests: Sequence[Test]) -> Sequence[Document]:
    for test in tests:
        replays = [replay for replay in replays if test(replay)]
    return replays


def _environment_names(organization_id: int, project_id: int) -> Callable[[], set[str]]:
    return lambda: store.environment_names(organization_id, project_id)


# ------------------------------------------------------------------------------------------------------------ the cold tier


def _wanted_of(wanted: Search, masks: Sequence[Document]) -> Wanted:
    """The same search, as blocks are asked."""
    from tapedeck.session_replays.blocks import gathering
    from tapedeck.session_replays.search.language import And, Term

    asked: list[Expression] = [wanted.matches.expression] if wanted.matches else []
    if wanted.environments:
        asked.append(Term("environment", tuple(name.replace("*", "\\*") for name in wanted.environments), "in"))
    viewer_id = wanted.matches.viewer_id if wanted.matches else None
    return gathering.Wanted(wanted.period, And(tuple(asked)), viewer_id, masks)


def _cold(wanted: Search, masks: Sequence[Document], blocks: Sequence[Kept]) -> Cold | None:
    """The blocks of the period, as far as the search needs them; None when there are none."""
    if not blocks:
        return None
    from tapedeck.session_replays.blocks import gathering
    from tapedeck.session_replays.search import fields

    cold = gathering.Cold(_wanted_of(wanted, masks), blocks, fields.sort_of(wanted.order.name), descending=wanted.order.descending)
    return cold if cold.rows else None


def _page(wanted: Search, tests: Sequence[Test], hot: Sequence[Document], cold: Cold, offset: int, limit: int) -> Page:
    """The page, of the best of both tiers. Documents of cold replays are read as they are now; one that is no longer so is passed over."""
    for _ in range(_MOST_ATTEMPTS):
        found = cold.merged(hot, offset + limit + 1)
        page = cold.page(found, offset, limit)
        names = {each: replay for each, replay in page if replay is not None}
        rows = dict(zip(names, store.read_many(list(names.values())), strict=True)) if names else {}
        replays: list[Document] = []
        for each, replay in page:
            if each.document is not None or replay is None:
                replays += [each.document] if each.document else []
                continue
            document = Document(replay.key, replay.project_id, rows[each].row or {})
            if _is_in(wanted.period, document) and _filtered([document], tests):
                replays.append(document)
            else:
                cold.forget(each)
        if len(replays) == len(page):
            break
    return Page(replays, len(found) > offset + limit, 0)
