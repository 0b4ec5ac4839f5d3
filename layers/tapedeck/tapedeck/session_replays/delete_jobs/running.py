"""The worker of bulk deletions: find a batch, write it down, delete it, count it; until nothing is found.

Every step is one conditional write of the job (`store.save`), so the worker may die anywhere, and two of them may run at once: the slower
one's write fails, and it stops. Deleting a replay can be repeated (`reading.archive`), and a deleted one is not found again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from tapedeck import aws
from tapedeck.errors import Conflict, DomainError, NotFound, Unavailable
from tapedeck.session_replays import reading, searching
from tapedeck.session_replays import store as replays
from tapedeck.session_replays.delete_jobs import store
from tapedeck.session_replays.delete_jobs.model import Job
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period
from tapedeck.session_replays.searching import Search
from tapedeck.session_replays.store import ReplayId

BATCH = 100  # replays (contract §1.12)
RESERVE = 20.0  # seconds of the worker's time in which no new batch is begun


def run(organization_id: int, project_id: int, job_id: int, *, seconds_left: Callable[[], float]) -> int:
    """Carry a job on until it is over or the time is up, and then ring for the next worker. Answers how many replays were deleted."""
    deleted = 0
    with suppress(Conflict, NotFound):  # somebody else moves it, or it is gone
        job = store.read(organization_id, project_id, job_id)
        while not job.is_over:
            if seconds_left() < RESERVE:
                store.ring(job)
                break
            if job.batch:
                aws.together(*(partial(_archive, job, replay_id) for replay_id in job.batch))
                deleted += len(job.batch)
                job = store.save(replace(job, deleted=job.deleted + len(job.batch), batch=()))
            else:
                job = store.save(_next(job))
    return deleted


def ring_overdue() -> int:
    """Ring again for every job whose worker was lost with its bell. Answers how many."""
    jobs = list(store.overdue())
    for job in jobs:
        store.ring(job)
    return len(jobs)


def _next(job: Job) -> Job:
    """The job with its next batch; over when there is none, failed when its query is no query."""
    order = job.order
    try:
        wanted = Search(
            Period(job.organization_id, [job.project_id], job.after / 1000, order.end),
            order.environments,
            searching.matching(order.query, living=True),
            searching.OLDEST_FIRST,
        )
        found = searching.find(wanted, limit=BATCH).replays
    except Unavailable:
        raise  # the queue brings it back
    except DomainError:
        return replace(job, status="failed")
    if not found:
        return replace(job, status="completed")
    return replace(job, status="in-progress", batch=[replay.replay_id for replay in found], after=_moment(found[-1]))


def _moment(replay: Document) -> int:
    return replays.moment(replays.place(replay))


def _archive(job: Job, replay_id: str) -> None:
    with suppress(NotFound):  # deleted before: by an earlier attempt, or by somebody else meanwhile
        reading.archive(ReplayId(job.organization_id, job.project_id, replay_id))
