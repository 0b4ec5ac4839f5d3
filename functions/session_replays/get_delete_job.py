"""GET /api/0/projects/{org}/{project}/replays/jobs/delete/{job_id}/: how far a bulk deletion is."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.errors import NotFound
from tapedeck.session_replays.delete_jobs import model, store

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/jobs/delete/{job_id}/")
def get_delete_job(request: Request, job_id: str) -> dict[str, Any]:
    """`{"data": job}`: its status and how many replays it has deleted."""
    if not (job_id.isascii() and job_id.isdigit() and len(job_id) <= 10):
        raise NotFound("The requested resource does not exist")
    return {"data": model.describe(store.read(request.organization.id, request.environment.project_id, int(job_id)))}


lambda_handler = app.handler
