"""POST /api/{project_id}/uploads/{upload_id}/: take the envelope that was uploaded."""

from __future__ import annotations

from typing import Any

from tapedeck import ids
from tapedeck.api.cors import SDK
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, note
from tapedeck.errors import NotFound
from tapedeck.session_replays import bucket, ingesting

app = Api(cors=SDK)


@app.post("/api/{project_id}/uploads/{upload_id}/")
def finish_upload(request: Request, upload_id: str) -> dict[str, Any]:
    """The same answer as the envelope endpoint's. Safe to repeat for as long as the upload is kept, which is a day, unless it is an
    erased person's."""
    if not ids.parse_uuid(upload_id):
        raise NotFound("Nothing was uploaded under this id.")
    organization_id, project_id = request.organization.id, request.environment.project_id
    body, encoding = bucket.upload(organization_id, project_id, upload_id, ingesting.MAX_ENVELOPE)
    outcome = ingesting.ingest(
        organization_id,
        project_id,
        body,
        days=request.environment.retention_days,
        encoding=encoding,
        client_ip=request.client_ip,
        client_agent=request.headers.get("user-agent", ""),
    )
    if "erased" in outcome.dropped:
        bucket.delete_upload(organization_id, project_id, upload_id)
    note(accepted=outcome.accepted, dropped=outcome.dropped)
    return {"id": outcome.event_id} if outcome.event_id else {}


lambda_handler = app.handler
