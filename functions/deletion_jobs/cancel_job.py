"""DELETE /api/v1/{project_key}/jobs/{deletion_job_id}: cancel a deletion job that has not begun, or is still in progress."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import asking, cancelling, model

app = Api()


@app.delete("/api/v1/{project_key}/jobs/{deletion_job_id}")
def cancel_job(request: Request, deletion_job_id: str) -> dict[str, Any]:
    """`{"data": job}`, cancelled; 501 when it is completed, failed or cancelled already (decision 16)."""
    job = asking.named(request.organization.id, request.environment.project_id, deletion_job_id)
    return {"data": model.describe(cancelling.cancel(request.who, job))}


lambda_handler = app.handler
