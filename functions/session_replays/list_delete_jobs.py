"""GET /api/0/projects/{org}/{project}/replays/jobs/delete/: a project's bulk deletions."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays.delete_jobs import model, store

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/jobs/delete/")
def list_delete_jobs(request: Request) -> Response:
    """`{"data": [job…]}`, newest first."""
    at = paging.window(request.query)
    jobs = store.newest_first(request.organization.id, request.environment.project_id, at.offset + at.limit + 1)
    return paging.page(request, [model.describe(job) for job in jobs], at, within="data")


lambda_handler = app.handler
