"""The worker of deletion jobs: one eraser after the other is asked for a page of the person's data; it is written down, then it goes.

    begin    the job's row and the tombstone, in one transaction: from here on nothing older of this person comes in
    find     the next page, as it is now
    seal     the page's row, the job's row with what it counts, and what closes the page's things for ever: in one transaction
    erase    objects before rows, then a listing; again until there is nothing
    …        until every eraser, asked from beginning to end after all the others, finds nothing: that is the verification
    end      the receipt, then the job's row

Every step is conditional on the version of the job's row, so a worker may die anywhere, and two of them may run at once: the slower one's
write fails, and it stops. A page that is sealed goes, whoever dies and whoever cancels: no replay is ever half erased. It was counted when
it was sealed, so nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tapedeck import clock, ids
from tapedeck.deletion_jobs import erasers, model, receipts, store
from tapedeck.deletion_jobs.model import Job
from tapedeck.errors import Conflict, NotFound
from tapedeck.session_replays.erasing import erase_refused
from tapedeck.session_replays.store import ReplayId

RESERVE = 30.0  # seconds of the worker's time in which no new page is begun


def run(organization_id: int, project_id: int, job_id: int, *, seconds_left: Callable[[], float]) -> dict[str, int]:
    """Carry a job on until it is over or the time is up, and then ring for the next worker. Answers what was sealed meanwhile."""
    before: dict[str, int] = {}
    job: Job | None = None
    with suppress(Conflict, NotFound):  # somebody else moves it, or it is gone
        job = store.read(organization_id, project_id, job_id)
        before = job.totals
        job = _taken(job)
        while job.status == "running":
            if seconds_left() < RESERVE:
                job = store.save(job, replace(job, attempts=0))
                store.ring(job)
                break
            job = _step(job)
    return {name: count - before.get(name, 0) for name, count in job.totals.items()} if job else {}


def answer(bell: Mapping[str, Any], *, seconds_left: Callable[[], float]) -> dict[str, int]:
    """Do what a bell is rung for: a job's, or that of a replay of which a segment was refused (`erase_refused`)."""
    if "replay_id" in bell:
        return erase_refused(ReplayId(bell["organization_id"], bell["project_id"], bell["replay_id"]))
    return run(bell["organization_id"], bell["project_id"], bell["job_id"], seconds_left=seconds_left)


def ring_overdue() -> int:
    """Ring for every job whose time has come, or whose worker was lost with its bell. Answers how many."""
    jobs = list(store.overdue())
    for job in jobs:
        store.ring(job)
    return len(jobs)


def _taken(job: Job) -> Job:
    """The job in this worker's hands: begun when it is due, given up when too many workers have failed; its open page erased."""
    if job.status == "scheduled":
        if job.start_at > clock.now() * 1000:
            return job
        job = store.begin(job, ids.random_hex(8))
    elif job.status == "running":
        if job.attempts >= model.MOST_ATTEMPTS:
            left = sum(1 for _ in erasers.SESSIONS.left(job.subject))
            return store.end(job, model.failed(job, left, int(clock.now() * 1000)))
        job = store.take(job, ids.random_hex(8))
    elif not job.unsettled:
        return job
    erasers.prepare(job.subject)
    if job.page is not None:
        erasers.named(job.page.eraser).erase(job.subject, job.page.what)
    return store.save(job, replace(job, page=None, unsettled=False)) if job.unsettled else job


def _step(job: Job) -> Job:
    if job.quiet >= len(erasers.ERASERS):
        return _completed(job)
    eraser = erasers.ERASERS[job.turn]
    page = eraser.find(job.subject, job.after)
    if page is None:
        return model.passed(job, len(erasers.ERASERS))
    if not page.what:
        return replace(job, after=page.after)
    sealed = store.seal(job, model.sealed(job, eraser.name, page), page)
    if sealed is None:
        return job
    eraser.erase(sealed.subject, page.what)
    return sealed


def _completed(job: Job) -> Job:
    """The job with its receipt. Only whoever moves the job last keeps one: a slower worker, who has found less, must not."""
    receipt = receipts.make(job, store.digests(job), clock.now())
    job = store.save(job, replace(job, receipt=receipt["sha256"]))
    receipts.keep(job, receipt)
    return store.end(job, replace(job, status="completed", page=None))
