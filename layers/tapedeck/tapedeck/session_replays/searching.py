"""What a search answers: of the replays that began in a period a page, filtered and in order, or whatever else can be told of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from tapedeck import aws, clock
from tapedeck.errors import Invalid, NotFound
from tapedeck.session_replays import periods, presenting, store
from tapedeck.session_replays.search import planning
from tapedeck.session_replays.search.planning import Period
from tapedeck.session_replays.store import Listed

DEFAULT_LIMIT = 10  # decision 8

Matches = Callable[[Listed], bool]
T = TypeVar("T")


@dataclass(frozen=True)
class Order:
    """By what replays are sorted. `by_start` is the order of the index itself, in which a search can stop early."""

    key: Callable[[Listed], Any]
    descending: bool = True
    by_start: bool = False


BY_START = Order(lambda listed: listed.place, by_start=True)


@dataclass(frozen=True)
class Search:
    """Which replays of a period are wanted: all conditions must hold."""

    period: Period
    environments: Sequence[str] = ()
    matches: Matches | None = None
    order: Order = BY_START


def search(wanted: Search, *, offset: int, limit: int, viewer_id: int | None = None) -> tuple[list[dict[str, Any]], bool]:
    """A page of replays, and whether there are more. NotFound when no project has ever heard of an environment's name.

    Ties are in the order of (started_at, id), so that pages neither overlap nor leave anything out while nothing is recorded.
    """
    _check_environments(wanted)
    conditions = _conditions(wanted)
    key, descending, by_start = wanted.order.key, wanted.order.descending, wanted.order.by_start
    select = heapq.nlargest if descending else heapq.nsmallest
    wanted_rows = offset + limit + 1

    def best(rows: Sequence[Listed]) -> list[tuple[Any, Listed]]:
        return select(wanted_rows, [((key(listed), listed.place), listed) for listed in _filtered(rows, conditions)], key=_first)

    found: list[tuple[Any, Listed]] = []
    most = wanted_rows if by_start and not conditions else None
    for trip in planning.scan(wanted.period, best, newest_first=descending if by_start else True, most=most):
        found = select(wanted_rows, chain(found, *trip.results), key=_first)
        if by_start and trip.known_to and len(found) == wanted_rows:
            last = found[-1][1].place
            if last >= trip.known_to if descending else last <= trip.known_to:
                break
    page = [listed for _, listed in found[offset:]]
    return [presenting.present(each.row, each.replay.key, each.replay.project_id, viewer_id) for each in page[:limit]], len(page) > limit


def asked(
    organization_id: int, project_ids: Sequence[int], query: Mapping[str, list[str]], *, default: float = periods.QUARTER
) -> Search:
    """The period and the environments that a request's parameters ask for. Invalid in the contract's words (§3)."""
    start, end = periods.period_of(query, now=clock.now(), default=default)
    return Search(Period(organization_id, project_ids, start, end), [name for name in query.get("environment", ()) if name])


def gather(wanted: Search, reduce: Callable[[Sequence[Listed]], T]) -> list[T]:
    """What `reduce` makes of each page of the replays wanted. NotFound for an environment that nobody has heard of."""
    _check_environments(wanted)
    conditions = _conditions(wanted)
    trips = planning.scan(wanted.period, lambda rows: reduce(_filtered(rows, conditions)))
    return [result for trip in trips for result in trip.results]


def _conditions(wanted: Search) -> list[Matches]:
    conditions = [wanted.matches] if wanted.matches else []
    if wanted.environments:
        names = frozenset(wanted.environments)
        conditions.append(lambda listed: not names.isdisjoint(listed.row.get("scalars", {}).get("environment", ())))
    return conditions


def _filtered(rows: Sequence[Listed], conditions: Sequence[Matches]) -> Sequence[Listed]:
    for condition in conditions:
        rows = [listed for listed in rows if condition(listed)]
    return rows


def _check_environments(wanted: Search) -> None:
    """NotFound when no project has ever heard of one of the environments (contract §3)."""
    period = wanted.period
    if wanted.environments:
        known = aws.together(*(_environment_names(period.organization_id, project_id) for project_id in period.project_ids))
        if not set(wanted.environments) <= set().union(*known):
            raise NotFound("The requested resource does not exist")


def _first(pair: tuple[Any, Listed]) -> Any:
    return pair[0]


def _environment_names(organization_id: int, project_id: int) -> Callable[[], set[str]]:
    return lambda: store.environment_names(organization_id, project_id)


def order(sort: str | None) -> Order:
    """What a `sort` asks for. Both spellings are understood (decision 8)."""
    if sort is None:
        return BY_START
    if sort.lstrip("-") not in ("started_at", "startedAt") or sort.startswith("--"):
        raise Invalid(f"The field `{sort.removeprefix('-')[:64]}` is not a sortable field.")
    return Order(BY_START.key, descending=sort.startswith("-"), by_start=True)
