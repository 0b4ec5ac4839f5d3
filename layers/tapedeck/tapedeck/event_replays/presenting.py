"""Event replays as the world sees them (decisions 1 and 2): objects keyed by id, each with the four members of the description. Pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tapedeck.environments.model import User
from tapedeck.event_replays.destinations.model import Health
from tapedeck.event_replays.destinations.presenting import block, moment
from tapedeck.event_replays.model import Entry, Replay

Shown = Mapping[str, Any]


def replay(
    it: Replay, *, collection: Shown, destination: Shown, health: Health, team: Shown, author: User | None
) -> dict[str, Any]:
    """`{id: the four members and the whole replay}`. `collection` and `destination` are shown as they are given: without secrets.

    The four members tell of the latest delivery, or of a later check of its destination; `state` is the replay's own.
    """
    told = it.told
    latest = health
    if told and told.at >= health.checked_at:
        latest = Health(told.latency_ms, told.status, told.message, int(told.at))
    return {
        it.id: {
            **block(latest),
            "id": it.id,
            "name": it.name,
            "notes": it.notes,
            "type": it.type,
            "query": it.query,
            "state": it.state,
            "paused": it.state == "paused",
            "archived": it.archived,
            "concurrency": it.concurrency,
            "ordered": it.concurrency == 1,
            "collection": dict(collection),
            "destination": dict(destination),
            "team": dict(team),
            "team_id": team["id"],
            "author": {"id": author.id, "name": author.name, "email": author.email} if author else None,
            "progress": _progress(it),
            "redo_of": it.redo_of,
            "inserted_at": moment(it.created_at),
            "updated_at": moment(it.updated_at),
        }
    }


def history(it: Replay, lines: Iterable[tuple[int, Entry]]) -> dict[str, Any]:
    """`{entry id: the four members, type, sent, failed, matched, at}`, the oldest first. An entry's id never changes."""
    return {_entry_id(it, number): _entry(entry) for number, entry in lines}


def notice(it: Replay) -> dict[str, Any]:
    """What is told to those who wanted to know that a replay is over: what it is called and how far it came."""
    return {
        "id": it.id,
        "name": it.name,
        "type": it.type,
        "state": it.state,
        "collection_id": it.collection_id,
        "destination_id": it.destination_id,
        "redo_of": it.redo_of,
        "progress": _progress(it),
        "inserted_at": moment(it.created_at),
        "updated_at": moment(it.updated_at),
    }


def dry_run(*, matched: int, sample: Sequence[Any], looked_at: int, events: int, complete: bool, per_second: float) -> dict[str, Any]:
    """`{"matched", "sample", "estimate"}` (decision 30). When not all events could be looked at, `matched` is what was found so far, and
    the estimate's is what that would make of all; `seconds` is how long it takes to send them at `per_second`.
    """
    likely = matched if complete or not looked_at else round(matched * events / looked_at)
    estimate = {"matched": likely, "events": events, "looked_at": looked_at, "complete": complete, "seconds": round(likely / per_second, 1)}
    return {"matched": matched, "sample": list(sample), "estimate": estimate}


def _progress(it: Replay) -> dict[str, Any]:
    """How far: `rate` is events sent a second of work, `eta` seconds of work that are left; None where nothing is known of that."""
    progress = it.progress
    settled = progress.sent + progress.failed
    rate = round(settled / it.busy, 2) if it.busy > 0 and settled else None
    left = it.until - progress.position if it.until is not None and not it.is_over else None
    eta = round(left * it.busy / progress.looked_at, 1) if left is not None and it.busy > 0 and progress.looked_at else None
    return {
        "position": progress.position,
        "until": it.until,
        "looked_at": progress.looked_at,
        "matched": progress.found,
        "sent": progress.sent,
        "failed": progress.failed,
        "waiting": len(progress.waiting),
        "retry_at": moment(progress.resumes_at) if progress.waiting and not it.is_over else None,
        "rate": rate,
        "eta": eta,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    shown = {
        "latency_ms": entry.latency_ms,
        "status": entry.status,
        "message": entry.message,
        "last_checked_at": int(entry.at),
        "type": entry.type,
        "sent": entry.sent,
        "failed": entry.failed,
        "matched": entry.matched,
        "at": moment(entry.at),
    }
    return {**shown, "event_id": entry.event_id} if entry.event_id else shown


def _entry_id(it: Replay, number: int) -> str:
    return str(uuid.uuid5(uuid.UUID(it.id), str(number)))
