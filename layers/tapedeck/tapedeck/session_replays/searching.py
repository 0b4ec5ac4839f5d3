"""What a search answers: of the replays that began in a period a page, filtered and in order, or whatever else can be told of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from tapedeck import aws, clock
from tapedeck.errors import NotFound
from tapedeck.session_replays import periods, presenting, store
from tapedeck.session_replays.recording import Click
from tapedeck.session_replays.search import planning
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period

DEFAULT_LIMIT = 10  # decision 8

T = TypeVar("T")
Matches = Callable[[Document], bool]


@dataclass(frozen=True)
class Order:
    """By what replays are sorted. `by_start` is the order of the index itself, in which a search can stop early."""

    key: Callable[[Document], Any]
    descending: bool = True
    by_start: bool = False


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
    organization_id: int, project_ids: Sequence[int], query: Mapping[str, list[str]], *, default: float = periods.QUARTER
) -> Search:
    """The period and the environments that a request's parameters ask for. Invalid in the contract's words (§3)."""
    start, end = periods.period_of(query, now=clock.now(), default=default)
    return Search(Period(organization_id, project_ids, start, end), [name for name in query.get("environment", ()) if name])


def matching(query: str | None, viewer_id: int | None = None) -> Matches | None:
    """The condition that a `query` states; `viewer_id` is who asks. Invalid in the contract's words (§2)."""
    if query is None:
        return None
    from tapedeck.session_replays.search import evaluating, language  # a list without a query starts sooner without a parser

    return evaluating.matcher(language.parse(query), viewer_id)


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

    return Order(evaluating.sort_key(sort), evaluating.is_descending(sort))


# ------------------------------------------------------------------------------------------------------------ answering


def search(wanted: Search, *, offset: int, limit: int, viewer_id: int | None = None) -> tuple[list[dict[str, Any]], bool]:
    """A page of replays as the world sees them, and whether there are more.

    NotFound when no project has ever heard of an environment's name (contract §3).
    """
    _check_environments(wanted)
    page, more = find(wanted, offset=offset, limit=limit)
    return [presenting.present(each.row, each.replay_id, each.project_id, viewer_id) for each in page], more


def find(wanted: Search, *, offset: int = 0, limit: int) -> tuple[list[Document], bool]:
    """A page of replays, and whether there are more.

    Ties are in the order of (started_at, id), so that pages neither overlap nor leave anything out while nothing is recorded.
    """
    conditions = _conditions(wanted)
    key, descending, by_start = wanted.order.key, wanted.order.descending, wanted.order.by_start
    select = heapq.nlargest if descending else heapq.nsmallest
    count = offset + limit + 1

    def best(replays: Sequence[Document]) -> list[Document]:
        return select(count, _filtered(replays, conditions), key=key)

    found: list[Document] = []
    most = count if by_start and not conditions else None
    for trip in planning.scan(wanted.period, best, newest_first=descending or not by_start, most=most):
        found = select(count, chain(found, *trip.results), key=key)
        if by_start and trip.known_to and len(found) == count:
            last = store.place(found[-1])
            if last >= trip.known_to if descending else last <= trip.known_to:
                break
    return found[offset : offset + limit], len(found) == count


def gather(wanted: Search, reduce: Callable[[Sequence[Document]], T]) -> list[T]:
    """What `reduce` makes of each page of the replays wanted. NotFound for an environment that nobody has heard of."""
    _check_environments(wanted)
    conditions = _conditions(wanted)
    trips = planning.scan(wanted.period, lambda replays: reduce(_filtered(replays, conditions)))
    return [result for trip in trips for result in trip.results]


def _conditions(wanted: Search) -> list[Matches]:
    conditions = [wanted.matches] if wanted.matches else []
    if wanted.environments:
        names = frozenset(wanted.environments)
        conditions.append(lambda replay: not names.isdisjoint(replay.row.get("scalars", {}).get("environment", ())))
    return conditions


def _filtered(replays: Sequence[Document], conditions: Sequence[Matches]) -> Sequence[Document]:
    for condition in conditions:
        replays = [replay for replay in replays if condition(replay)]
    return replays


def _check_environments(wanted: Search) -> None:
    period = wanted.period
    if wanted.environments:
        known = aws.together(*(_environment_names(period.organization_id, project_id) for project_id in period.project_ids))
        if not set(wanted.environments) <= set().union(*known):
            raise NotFound("The requested resource does not exist")


def _environment_names(organization_id: int, project_id: int) -> Callable[[], set[str]]:
    return lambda: store.environment_names(organization_id, project_id)
