"""GET /api/v1/{project_key}/jobs/{deletion_job_id}/receipt: the proof of an erasure, which does not name the person."""

from __future__ import annotations

from tapedeck.api import downloads
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.deletion_jobs import asking, receipts

app = Api()


@app.get("/api/v1/{project_key}/jobs/{deletion_job_id}/receipt")
def get_receipt(request: Request, deletion_job_id: str) -> Response:
    """`{"data": receipt}` (decision 25); 302 to the bare receipt when it is larger than an answer; 404 until the job is completed."""
    job = asking.named(request.organization.id, request.environment.project_id, deletion_job_id)
    body, url = receipts.read(job)
    return downloads.answer(request, b'{"data":%b}' % body, url, headers={})


lambda_handler = app.handler
