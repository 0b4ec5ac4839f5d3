"""POST /api/0/projects/{org}/{project}/replays/jobs/delete/: delete whatever a search finds."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays.delete_jobs import model, store

app = Api()


@app.post("/api/0/projects/{org}/{project}/replays/jobs/delete/")
def create_delete_job(request: Request) -> Response:
    """201 with the pending job of `{"data": {rangeStart, rangeEnd, environments, query}}`; a bad query shows as a failed job."""
    order = model.read_order(request.json())
    job = store.create(request.organization.id, request.environment.project_id, order)
    store.ring(job)
    return Response({"data": model.describe(job)}, status=201)


lambda_handler = app.handler
