"""What a capture is, what may become of it, and when somebody has to look after it: tables and values, nothing else.

    SCHEDULED ──────┐
                    ├─► STARTING ─► RUNNING ─► STOPPING ─► DONE        FAILED, with a reason, from any that is not over
    STARTED ────────┘                                                 DELETED from any: never shown, gone when all of it is cleaned up

A capture is a window [begins, ends) of receive times, and since events are numbered in the order in which they were received, it is two
numbers in the end. Both moments are decided by what was asked for, never by when somebody came to look: a bell that rings late, early,
twice or not at all changes when a capture is DONE, and not what is in it. Moments are in ms since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tapedeck import errors

Status = Literal["SCHEDULED", "STARTED", "STARTING", "RUNNING", "STOPPING", "DONE", "FAILED", "DELETED"]

SOON = 60_000  # ms: a start that is not further away is now
PATIENCE = 3_600_000  # ms for which a step may fail again and again
SETTLES = 180_000  # ms after which CloudWatch knows all of a minute
GRACE = 900_000  # ms after which no worker is left that had seen a capture before it was deleted
_MOST_REASON = 100

NEXT: Mapping[Status, frozenset[Status]] = {
    "SCHEDULED": frozenset({"STARTED", "STARTING", "FAILED", "DELETED"}),  # STARTED: edited, and now it begins at once
    "STARTED": frozenset({"STARTING", "FAILED", "DELETED"}),
    "STARTING": frozenset({"RUNNING", "FAILED", "DELETED"}),
    "RUNNING": frozenset({"STOPPING", "FAILED", "DELETED"}),
    "STOPPING": frozenset({"DONE", "FAILED", "DELETED"}),
    "DONE": frozenset({"DELETED"}),
    "FAILED": frozenset({"DELETED"}),
    "DELETED": frozenset(),
}
# What is said to who wants to stop one (decision 15, contract §2.2); a running one is stopped.
_UNSTOPPABLE: Mapping[Status, tuple[type[errors.DomainError], str]] = {
    "SCHEDULED": (errors.Unsupported, "A scheduled capture cannot be stopped: delete it, or change when it starts."),
    "STARTED": (errors.Conflict, "The capture is being started: try again soon."),
    "STARTING": (errors.Conflict, "The capture is being started: try again soon."),
    "STOPPING": (errors.Conflict, "The capture has been stopped already."),
    "DONE": (errors.Conflict, "The capture has been stopped already."),
    "FAILED": (errors.Conflict, "The capture has failed."),
    "DELETED": (errors.NotFound, "The requested resource does not exist"),
}


@dataclass(frozen=True, slots=True)
class Capture:
    """A capture, and how far it is.

    `armed`: its bells are set and its events are pinned; of one that is FAILED or DELETED: they may still be. `first` and `stop` are the
    numbers of its window, known from RUNNING and from DONE on, `generations` those of its collection in which they are. `troubled_at`:
    since when its present step fails. `metrics_at`: when its metrics are to be taken again, for CloudWatch did not know all of them yet.
    """

    organization_id: int
    id: int
    env_id: int
    name: str
    owner_id: int | None  # None: made by the organization's key
    username: str | None
    source: str  # the collection that it is a window of
    collection_id: str  # the collection that it becomes
    status: Status
    begins: int
    created_at: int
    moved_at: int
    scheduled_start: int | None = None
    duration: int | None = None  # seconds
    ends: int | None = None
    first: int | None = None
    stop: int | None = None
    generations: tuple[int, int] | None = None
    reason: str | None = None
    armed: bool = False
    troubled_at: int | None = None
    metrics_at: int | None = None
    request: str | None = None  # the digest of an idempotent request
    version: int = 0

    @property
    def scheduled_end(self) -> int | None:
        """When it is to end by itself. One that begins within SOON of what was asked ends when it was asked to, or lasts as long."""
        return None if self.duration is None else max(self.begins, self.scheduled_start or 0) + self.duration * 1000


def moved(capture: Capture, status: Status, now: int) -> Capture:
    """The capture in its next status. Whoever asks for one that cannot follow has not looked at the table."""
    assert status in NEXT[capture.status], f"{capture.status} → {status}"
    return replace(capture, status=status, moved_at=now, troubled_at=None)


def stopped(capture: Capture, now: int) -> Capture:
    """A running capture that ends now, or ended when it was to. Unsupported or Conflict for one that does not run (decision 15)."""
    if capture.status != "RUNNING":
        refusal, words = _UNSTOPPABLE[capture.status]
        raise refusal(words)
    ends = max(capture.begins, min(now, capture.scheduled_end or now))
    return replace(moved(capture, "STOPPING", now), ends=ends)


def is_hopeless(capture: Capture, now: int) -> bool:
    """Whether its present step has failed for too long. One that waits for its start is not: it starts without bells as well."""
    return capture.status != "SCHEDULED" and capture.troubled_at is not None and now - capture.troubled_at >= PATIENCE


def given_up(capture: Capture, cause: str, now: int) -> Capture:
    """What becomes of a hopeless one: it FAILED; one that is DONE goes without its last metrics; others are tried on."""
    if capture.status == "DONE":
        return replace(capture, metrics_at=None, troubled_at=None)
    if "FAILED" not in NEXT[capture.status]:
        return replace(capture, troubled_at=None)
    reason = f"{capture.status} has not succeeded for an hour: {cause}"[:_MOST_REASON]
    return replace(moved(capture, "FAILED", now), reason=reason, armed=True)


def deleted(capture: Capture, now: int) -> Capture:
    """A capture that nobody sees any more; what it leaves is cleaned up, twice."""
    return replace(moved(capture, "DELETED", now), armed=True)


def turns_at(capture: Capture) -> int | None:
    """When the next step is to be made: at once is when it last moved; None when nothing is left to do by itself."""
    match capture.status:
        case "SCHEDULED":
            return capture.begins if capture.armed else capture.moved_at
        case "STARTED" | "STARTING" | "STOPPING":
            return capture.moved_at
        case "RUNNING":
            return capture.scheduled_end
        case "DONE":
            return capture.metrics_at
        case "FAILED":
            return capture.moved_at if capture.armed else None
        case "DELETED":
            return capture.moved_at if capture.armed else capture.moved_at + GRACE
