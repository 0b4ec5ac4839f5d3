"""What a deletion job is, what may become of it, and how it is told (contract §3.3, decisions 16, 17, 25 and 26). Pure.

    scheduled ─► running ─► completed
        │           ├─────► failed        after MOST_ATTEMPTS workers in a row that got nowhere
        └───────────┴─────► cancelled     by somebody who may; what is erased stays erased
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tapedeck.erasure import Page, Subject
from tapedeck.errors import Invalid, Unsupported

Status = Literal["scheduled", "running", "completed", "failed", "cancelled"]
MOST_USER_ID = 256
MOST_LISTED = 200
MOST_ATTEMPTS = 10
_NOUNS = {"sessions": "session", "events": "event", "uploads": "upload"}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A page of data that is written down and goes now, whoever dies: which eraser's, and what it calls it."""

    eraser: str
    what: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """Whose data go, and how far that is. Moments are in ms since the epoch, `until` is the cut-off in seconds, 0 before the start.

    `turn` is the eraser whose turn it is, `after` where it goes on, `quiet` how many erasers have just found nothing from beginning to end:
    when all of them have, in a row, nothing is left. `counts` are of the pages that were sealed, `pages` how many there were.
    """

    organization_id: int
    project_id: int
    id: int
    user_id: str
    created_at: int
    updated_at: int
    start_at: int
    status: Status = "scheduled"
    errors: str | None = None
    until: float = 0.0
    tombstone_before: float | None = None  # until when the person's data was refused before this job: to go back to when it is cancelled
    counts: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, Sequence[str]] = field(default_factory=dict)
    page: Sealed | None = None
    pages: int = 0
    unsettled: bool = False  # cancelled while it ran: its page has to go, and the lifted tombstone to be told
    turn: int = 0
    after: str = ""
    quiet: int = 0
    attempts: int = 0
    worker: str = ""  # who moved it last
    receipt: str | None = None  # SHA-256 of the receipt
    version: int = 0

    @property
    def subject(self) -> Subject:
        """Whose data go, and up to when."""
        return Subject(self.organization_id, self.project_id, self.user_id, self.until)

    @property
    def is_over(self) -> bool:
        """Whether nothing more of this person's data will be looked for."""
        return self.status in ("completed", "failed", "cancelled")

    @property
    def totals(self) -> dict[str, int]:
        """How many of each are erased, or being erased."""
        return {**self.counts, **{name: len(which) for name, which in self.named.items()}}


def start_at(now: float, delay: str, *, at_once: bool) -> int:
    """When a job that is asked for now begins (ms): the next midnight, UTC, or after `delay` seconds, or at once.

    >>> start_at(1_772_704_800.0, "midnight", at_once=False)  # Thursday, 2026-03-05, 10:00
    1772755200000
    >>> start_at(1_772_755_200.0, "midnight", at_once=False) - 1_772_755_200_000 == 86_400_000
    True
    """
    if at_once:
        return int(now * 1000)
    if delay != "midnight":
        return int((now + int(delay)) * 1000)
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((today + timedelta(days=1)).timestamp() * 1000)


def checked(user_id: str) -> str:
    """A user's id, as a path names it, without the white space around it, as it is kept. Invalid when there can be none of that name."""
    user_id = user_id.strip()
    if not 0 < len(user_id) <= MOST_USER_ID:
        raise Invalid(f"A user id has 1 to {MOST_USER_ID} characters.")
    try:
        user_id.encode()
    except UnicodeEncodeError:
        raise Invalid("A user id is a text.") from None
    return user_id


def cancelled(job: Job, now: int) -> Job:
    """The job as it is once it is cancelled. Unsupported when it is over (decision 16)."""
    if job.is_over:
        raise Unsupported(f"The job is {job.status}: it cannot be cancelled.")
    said = f"Cancelled while it was running: {told(job)} erased, and stay so." if job.status == "running" else None
    return replace(job, status="cancelled", errors=said, unsettled=job.status == "running", updated_at=now)


def failed(job: Job, left: int, now: int) -> Job:
    """The job as it is when one worker after the other got nowhere; `left` are the sessions that are known to remain."""
    remains = f"{left} session{'' if left == 1 else 's'} and what else there may be" if left else "possibly some of the rest"
    said = f"Given up after {job.attempts} attempts without progress: {told(job)} erased; {remains} left. Another job goes on."
    return replace(job, status="failed", page=None, errors=said, updated_at=now)


def told(job: Job) -> str:
    """How far a job has come, in words.

    >>> told(Job(1, 1, 1, "u", 0, 0, 0, counts={"sessions": 2, "segments": 6, "events": 1}))
    '2 sessions and 1 event are'
    """
    parts = [f"{job.counts[name]} {noun}{'' if job.counts[name] == 1 else 's'}" for name, noun in _NOUNS.items() if job.counts.get(name)]
    return f"{' and '.join(parts)} are" if parts else "nothing is"


def sealed(job: Job, eraser: str, page: Page) -> Job:
    """The job with a page written down: counted now, for from now on it goes, whoever dies."""
    counts = dict(job.counts)
    for name, count in page.counts.items():
        counts[name] = counts.get(name, 0) + count
    named = {name: list(which) for name, which in job.named.items()}
    for name, which in page.named.items():
        named[name] = sorted({*named.get(name, ()), *which})
    return replace(
        job,
        counts=counts,
        named=named,
        page=Sealed(eraser, list(page.what)),
        pages=job.pages + 1,
        after=page.after,
        quiet=-1,  # this eraser has found something: it has to be asked once more from the beginning
        attempts=0,
    )


def passed(job: Job, erasers: int) -> Job:
    """The job when the eraser whose turn it is has found nothing more: the next one's turn."""
    return replace(job, turn=(job.turn + 1) % erasers, after="", quiet=job.quiet + 1)


def window(limit: str | None, page: str | None) -> tuple[int, int]:
    """(offset, limit) of a list; what is out of range falls back (decision 26).

    >>> window("20", "3"), window("0", "x"), window(None, None), window("201", "-1")
    ((40, 20), (0, 200), (0, 200), (0, 200))
    """
    count = int(limit) if limit and limit.isascii() and limit.isdigit() and len(limit) < 5 else 0
    number = int(page) if page and page.isascii() and page.isdigit() and len(page) < 6 else 0
    count = count if 1 <= count <= MOST_LISTED else MOST_LISTED
    return (max(number, 1) - 1) * count, count


def describe(job: Job) -> dict[str, Any]:
    """A job as the world sees it."""
    return {
        "jobId": job.id,
        "description": f"Delete user sessions of userId = {job.user_id}",
        "status": job.status,
        "projectId": job.project_id,
        "action": "delete_user_data",
        "referenceId": job.user_id,
        "createdAt": job.created_at,
        "updatedAt": job.updated_at,
        "startAt": job.start_at,
        "errors": job.errors,
    }
