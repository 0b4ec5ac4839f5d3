"""What people ask of deletion jobs: to erase somebody, and to see how far that is."""

from __future__ import annotations

from tapedeck import audit, aws, clock, errors
from tapedeck.deletion_jobs import model, store
from tapedeck.deletion_jobs.model import Job
from tapedeck.environments.model import Caller, Environment
from tapedeck.erasure import Subject


def erase(caller: Caller, environment: Environment, user_id: str, *, at_once: bool) -> Job:
    """A new job. Invalid for what is no user's id; Conflict when one is under way for this user."""
    organization_id, project_id = caller.organization_id, environment.project_id
    start = model.start_at(clock.now(), aws.setting("DELETION_DELAY"), at_once=at_once)
    person = Subject(organization_id, project_id, model.checked(user_id), 0.0)
    asked = audit.entry(caller, "user.erase", person.digest, project_id=project_id, start_at=start)
    job = store.create(organization_id, project_id, person.user_id, start, asked)
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
