"""GET /api/v1/{project_key}/jobs: a project's deletion jobs, whatever has become of them."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import model, store

app = Api()


@app.get("/api/v1/{project_key}/jobs")
def list_jobs(request: Request) -> dict[str, Any]:
    """`{"data": [job…]}`, newest first: `limit` of them (1 to 200, which is usual) of page `page`; what is out of range falls back."""
    offset, limit = model.window(request.query.one("limit"), request.query.one("page"))
    jobs = store.newest_first(request.organization.id, request.environment.project_id, offset, limit)
    return {"data": [model.describe(job) for job in jobs]}


lambda_handler = app.handler
