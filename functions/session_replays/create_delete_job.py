"""POST /api/0/projects/{org}/{project}/replays/jobs/delete/: delete whatever a search finds."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays.delete_jobs import model, store

app = Api()


@app.post("/api/0/projects/{org}/{project}/replays/jobs/delete/")
def create_delete_job(request: Request) -> Response:
    """201 with the pending job of `{"data": {rangeStart, rangeEnd, environments, query}}`; a bad query shows as a failed job."""
    order = model.read_order(request.json())
    project_id = request.environment.project_id
    audit.write(request.who, "replays.delete", str(project_id), project_id=project_id, start=order.start, end=order.end)
    job = store.create(request.organization.id, project_id, order)
    store.ring(job)
    return Response({"data": model.describe(job)}, status=201)


lambda_handler = app.handler
