"""What session replays know of one person: in how many they appear, when, and which those are."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from tapedeck import aws, clock, tombstones
from tapedeck.session_replays import counting, merging, store
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.store import Appearance

if TYPE_CHECKING:
    from tapedeck.environments.model import Environment

MOST_SESSIONS = 50  # a list shows (deletion-jobs.md §3.2)


@dataclass(frozen=True, slots=True)
class Known:
    """In how many replays a person appears, and when the first and the last of them began (ms)."""

    count: int
    first: int | None
    last: int | None


def known(organization_id: int, environment: Environment, user_id: str) -> Known:
    """What there is of a person now: a round trip to list their replays, and one to read them."""
    found = _visible(environment, _appearances(organization_id, environment, user_id))
    began = [_ms(replay.row["started"]) for replay in found]
    return Known(len(found), min(began, default=None), max(began, default=None))


def sessions(
    organization_id: int, environment: Environment, user_id: str, start: int | None, end: int | None
) -> list[dict[str, Any]]:
    """The newest of a person's replays that began in [start, end] (ms), at most MOST_SESSIONS."""
    latest_first = sorted(_appearances(organization_id, environment, user_id), key=lambda each: (-each.started, each.replay.key))
    shown: list[Document] = []
    for first in range(0, len(latest_first), store.BATCH):
        for replay in _visible(environment, latest_first[first : first + store.BATCH]):
            began = _ms(replay.row["started"])
            if (start is None or start <= began) and (end is None or began <= end):
                shown.append(replay)
        if len(shown) >= MOST_SESSIONS:
            break
    shown.sort(key=lambda replay: (-replay.row["started"], replay.replay_id))
    return [describe(replay, user_id) for replay in shown[:MOST_SESSIONS]]


def describe(replay: Document, user_id: str) -> dict[str, Any]:
    """A replay as OpenReplay lists a session. `userUuid` is made of the user's id: there is one for each of them."""
    row = replay.row
    start, end = counting.span(row)
    clicks, pages = len(row.get("clicks", ())), counting.count_urls(row)
    errors = len({*row.get("error_ids", ()), *(event for event, link in row.get("links", {}).items() if link[1] == "error")})
    return {
        "projectId": replay.project_id,
        "sessionId": replay.replay_id,
        "userUuid": str(uuid.UUID(hashlib.sha256(user_id.encode()).hexdigest()[:32])),
        "userId": user_id,
        "userOs": merging.scalar(row, "os.name"),
        "userBrowser": merging.scalar(row, "browser.name"),
        "userDevice": merging.scalar(row, "device.name"),
        "userCountry": merging.scalar(row, "user.geo.country_code"),
        "startTs": _ms(start),
        "duration": _ms(end - start),
        "eventsCount": clicks + pages + errors,
        "pagesCount": pages,
        "errorsCount": errors,
    }


def _appearances(organization_id: int, environment: Environment, user_id: str) -> list[Appearance]:
    digest = tombstones.of_user(user_id).removeprefix("U#")
    return list(store.appearances(organization_id, environment.project_id, digest))


def _visible(environment: Environment, appearances: Sequence[Appearance]) -> list[Document]:
    """Those that a reader would see: begun, neither deleted nor past their retention."""
    names = [each.replay for each in appearances]
    batches = [names[first : first + store.BATCH] for first in range(0, len(names), store.BATCH)]
    read = aws.together(*(partial(store.read_many, batch) for batch in batches)) if batches else []
    rows = [version.row for versions in read for version in versions]
    oldest, there = store.oldest(environment.retention_days), zip(names, rows, strict=True)
    return [Document(name.key, name.project_id, row) for name, row in there if row and _is_shown(row, oldest)]


def _is_shown(row: Row, oldest: int) -> bool:
    return merging.has_segment(row, 0) and not merging.is_archived(row) and merging.is_kept(row, clock.now(), oldest)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
