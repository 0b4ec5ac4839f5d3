"""What readers ask of one session replay: what is known of it, who has watched it; and to delete it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tapedeck import ids, objects
from tapedeck.errors import NotFound
from tapedeck.session_replays import merging, presenting, store
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.recording import Click
from tapedeck.session_replays.search import document
from tapedeck.session_replays.store import ReplayId

if TYPE_CHECKING:
    from tapedeck.environments.model import Environment


def replay_id(organization_id: int, environment: Environment, text: str) -> ReplayId:
    """The replay of an environment that a path names, dashed or not. NotFound, without a word, when it is not a UUID (contract §1)."""
    key = ids.parse_uuid(text)
    if key is None:
        raise NotFound
    return ReplayId(organization_id, environment.project_id, key, environment.retention_days)


def get(replay: ReplayId, viewer_id: int | None = None) -> dict[str, Any]:
    """One replay as the world sees it: one read. NotFound until its first segment is there, and after its retention."""
    return _present(replay, store.read(replay).row, viewer_id)


def find(organization_id: int, environments: Sequence[Environment], text: str, viewer_id: int | None = None) -> dict[str, Any]:
    """One replay, whichever of these environments it is in: one read."""
    names = [replay_id(organization_id, each, text) for each in environments]
    for name, version in zip(names, store.read_many(names) if names else (), strict=True):
        if _is_there(name, version.row):
            return _present(name, version.row, viewer_id)
    raise NotFound


def clicks(replay: ReplayId, matches: Callable[[Click], bool]) -> list[dict[str, int]]:
    """`[{node_id, timestamp}]`, the clicks wanted, earliest first; none of an unknown or a deleted replay (contract §5).

    `timestamp` is in seconds since the epoch (decision 33).
    """
    row = store.read(replay).row
    if row is None or not _is_there(replay, row):
        return []
    return [{"node_id": click.node, "timestamp": click.second} for click in document.clicks(row) if matches(click)]


def viewers(replay: ReplayId) -> list[int]:
    """The ids of those who have watched a replay. NotFound when there is no such replay."""
    row = store.read(replay).row
    if not _is_there(replay, row):
        raise NotFound
    return list(row.get("viewers", ())) if row else []


def view(replay: ReplayId, user_id: int) -> None:
    """Remember that a person has watched a replay: it changes nothing else of it. Safe to repeat. NotFound when there is no such replay."""
    known = store.read(replay)
    if not _is_there(replay, known.row):
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
        objects.delete(segment.object_key)
        store.delete_segment(replay, segment.number)
    if was_archived:
        raise NotFound


def _present(replay: ReplayId, row: Row | None, viewer_id: int | None) -> dict[str, Any]:
    if row is None or not _is_there(replay, row):
        raise NotFound
    one = presenting.present(row, replay.key, replay.project_id, viewer_id)
    # Beside the contract's members: when each linked error happened, which the recording itself does not tell.
    return one if one["is_archived"] else {**one, "error_events": presenting.error_events(row)}


def _is_there(replay: ReplayId, row: Row | None) -> bool:
    return row is not None and merging.is_visible(row) and store.is_kept(replay, row)
