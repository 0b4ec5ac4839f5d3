"""Cancelling a deletion job, which may be running (decision 16): after the answer nothing is erased but what was being erased.

One write decides: the job's row, with the tombstone put back to what it was. Then whatever remembers the tombstone is told; should that be
lost, the job is due, and its worker does it.
"""

from __future__ import annotations

from tapedeck import audit, clock, errors
from tapedeck.deletion_jobs import erasers, model, store
from tapedeck.deletion_jobs.model import Job
from tapedeck.environments.model import Caller

_MOST_RACES = 5


def cancel(caller: Caller, job: Job) -> Job:
    """The job, cancelled: nothing is erased after it but what was being erased. Unsupported when it is over (decision 16).

    It races with the worker: one write wins, and the other looks again.
    """
    for _ in range(_MOST_RACES):
        over = model.cancelled(job, int(clock.now() * 1000))
        try:
            saved = store.cancel(job, over, audit.entry(caller, "user.erase-cancel", job.subject.digest, job_id=job.id))
        except errors.Conflict:
            job = store.read(job.organization_id, job.project_id, job.id)
            continue
        if saved.unsettled:
            erasers.prepare(saved.subject)
            store.ring(saved)  # what was being erased goes whole
        else:
            store.unschedule(saved)
        return saved
    raise errors.Unavailable("The job moves too fast.")
