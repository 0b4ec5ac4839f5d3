"""What people ask of deletion jobs: to erase somebody, to see how far that is, to stop it."""

from __future__ import annotations

from tapedeck import audit, aws, clock, errors
from tapedeck.deletion_jobs import model, store
from tapedeck.deletion_jobs.model import Job
from tapedeck.environments.model import Caller, Environment
from tapedeck.erasure import Subject

_MOST_RACES = 5


def erase(caller: Caller, environment: Environment, user_id: str, *, at_once: bool) -> Job:
    """A new job. Invalid for what is no user's id; Conflict when one is under way for this user."""
    organization_id, project_id = caller.organization_id, environment.project_id
    start = model.start_at(clock.now(), aws.setting("DELETION_DELAY"), at_once=at_once)
    person = Subject(organization_id, project_id, model.checked(user_id), 0.0)
    asked = audit.entry(caller, "user.erase", person.digest, project_id=project_id, start_at=start)
    job = store.create(organization_id, project_id, user_id, start, asked)
    if start <= clock.now() * 1000:
        store.ring(job)
    else:
        store.schedule(job)
    return job


def named(organization_id: int, project_id: int, text: str) -> Job:
    """The job that a path names. NotFound when there is none, or none in this project."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise errors.NotFound("Job not found.")
    return store.read(organization_id, project_id, int(text))


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
        if job.status == "scheduled":
            store.unschedule(job)
        if saved.page is not None:
            store.ring(saved)  # what was being erased goes whole
        return saved
    raise errors.Unavailable("The job moves too fast.")
