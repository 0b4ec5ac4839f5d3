"""GET /api/v1/{project_key}/jobs/{deletion_job_id}: what has become of a deletion job."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import asking, model

app = Api()


@app.get("/api/v1/{project_key}/jobs/{deletion_job_id}")
def get_job(request: Request, deletion_job_id: str) -> dict[str, Any]:
    """`{"data": job}`; 404 for another project's as for an unknown one."""
    return {"data": model.describe(asking.named(request.organization.id, request.environment.project_id, deletion_job_id))}


lambda_handler = app.handler
