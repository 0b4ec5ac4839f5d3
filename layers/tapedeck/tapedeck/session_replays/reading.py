"""What readers ask of session replays: one of them, a list of them, who has watched one."""

from __future__ import annotations

import heapq
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tapedeck import aws, clock, ids
from tapedeck.errors import Invalid, NotFound
from tapedeck.session_replays import bucket, merging, presenting, store
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.store import Listed, ReplayId

DEFAULT_LIMIT = 10  # decision 8
_PAGE = 1000  # rows a Query reads where a filter makes it unknown how many are needed


def replay_id(organization_id: int, project_id: int, text: str) -> ReplayId:
    """The replay that a path names, dashed or not. NotFound, without a word, when it is not a UUID (contract §1)."""
    key = ids.parse_uuid(text)
    if key is None:
        raise NotFound
    return ReplayId(organization_id, project_id, key)


def get(replay: ReplayId, viewer_id: int | None = None) -> dict[str, Any]:
    """One replay as the world sees it: one read. NotFound until its first segment is there, and after its retention."""
    return _present(replay, store.read(replay).row, viewer_id)


def find(organization_id: int, project_ids: Sequence[int], text: str, viewer_id: int | None = None) -> dict[str, Any]:
    """One replay, whichever of these projects it is in: one read."""
    names = [replay_id(organization_id, project_id, text) for project_id in project_ids]
    for name, version in zip(names, store.read_many(names) if names else (), strict=True):
        if _is_there(version.row):
            return _present(name, version.row, viewer_id)
    raise NotFound


@dataclass(frozen=True)
class Search:
    """Which replays of which projects are listed: those that began in [start, end) epoch seconds (decision 35)."""

    organization_id: int
    project_ids: Sequence[int]
    start: float
    end: float
    environments: Sequence[str] = ()
    newest_first: bool = True


def search(wanted: Search, *, offset: int, limit: int, viewer_id: int | None = None) -> tuple[list[dict[str, Any]], bool]:
    """A page of replays, and whether there are more. NotFound when no project has ever heard of an environment's name."""
    if wanted.environments:
        known = aws.together(*(_environment_names(wanted.organization_id, project_id) for project_id in wanted.project_ids))
        if not set(wanted.environments) <= set().union(*known):
            raise NotFound("The requested resource does not exist")
    found = (
        listed
        for listed in _in_order(wanted, most=min(_PAGE, offset + limit + 1) if not wanted.environments else _PAGE)
        if not wanted.environments or merging.environment(listed.row) in wanted.environments
    )
    page = list(islice(found, offset, offset + limit + 1))
    return [presenting.present(each.row, each.replay.key, each.replay.project_id, viewer_id) for each in page[:limit]], len(page) > limit


def newest_first(sort: str | None) -> bool:
    """Whether a `sort` asks for the newest first. Both spellings are understood (decision 8)."""
    if sort is None:
        return True
    if sort.lstrip("-") not in ("started_at", "startedAt") or sort.startswith("--"):
        raise Invalid(f"The field `{sort.removeprefix('-')[:64]}` is not a sortable field.")
    return sort.startswith("-")


def viewers(replay: ReplayId) -> list[int]:
    """The ids of those who have watched a replay. NotFound when there is no such replay."""
    row = store.read(replay).row
    if not _is_there(row):
        raise NotFound
    return list(row.get("viewers", ())) if row else []


def view(replay: ReplayId, user_id: int) -> None:
    """Remember that a person has watched a replay: it changes nothing else of it. Safe to repeat. NotFound when there is no such replay."""
    known = store.read(replay)
    if not _is_there(known.row):
        raise NotFound
    store.commit(replay, merging.view_delta(user_id), known, begin=False)


def archive(replay: ReplayId) -> None:
    """Delete a replay: the archive marker first, so that late segments find it, then object before row, segment by segment.

    NotFound when it was deleted before. Safe to repeat after a crash: the repeated call finds the marker, tidies up, and says NotFound.
    """
    known = store.read(replay, consistent=True)
    was_archived = bool(known.row and known.row.get("archived"))
    if not was_archived:
        store.commit(replay, merging.archive_delta(), known)
    for segment in store.segments(replay, consistent=True):
        bucket.delete(segment.object_key)
        store.delete_segment(replay, segment.number)
    if was_archived:
        raise NotFound


def _present(replay: ReplayId, row: Row | None, viewer_id: int | None) -> dict[str, Any]:
    if row is None or not _is_there(row):
        raise NotFound
    one = presenting.present(row, replay.key, replay.project_id, viewer_id)
    # Beside the contract's members: when each linked error happened, which the recording itself does not tell.
    return one if one["is_archived"] else {**one, "error_events": presenting.error_events(row)}


def _is_there(row: Row | None) -> bool:
    return row is not None and merging.is_visible(row) and not _expired(row)


def _expired(row: Row) -> bool:
    """TTL deletes late, by days: what is past its retention is invisible at once."""
    return float(row.get("finished", clock.now())) < clock.now() - int(aws.setting("RETENTION_DAYS")) * 86400


def _in_order(wanted: Search, *, most: int) -> Iterator[Listed]:
    """The replays of all projects, merged into one order. Every project's first page is read side by side, the others when needed."""
    firsts = aws.together(*(_first_page(wanted, project_id, most) for project_id in wanted.project_ids)) if wanted.project_ids else []
    lists = [_rest(wanted, project_id, most, *first) for project_id, first in zip(wanted.project_ids, firsts, strict=True)]
    merged: Iterable[Listed] = heapq.merge(*lists, key=operator.attrgetter("place"), reverse=wanted.newest_first)
    return (listed for listed in merged if not _expired(listed.row))


def _first_page(wanted: Search, project_id: int, most: int) -> Callable[[], Any]:
    return lambda: _page(wanted, project_id, most, None)


def _rest(wanted: Search, project_id: int, most: int, rows: list[Listed], after: Any) -> Iterator[Listed]:
    yield from rows
    while after:
        rows, after = _page(wanted, project_id, most, after)
        yield from rows


def _page(wanted: Search, project_id: int, most: int, after: Any) -> tuple[list[Listed], Any]:
    return store.list_page(
        wanted.organization_id, project_id, wanted.start, wanted.end, newest_first=wanted.newest_first, most=most, after=after
    )


def _environment_names(organization_id: int, project_id: int) -> Callable[[], set[str]]:
    return lambda: store.environment_names(organization_id, project_id)
