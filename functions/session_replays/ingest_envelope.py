"""POST /api/{project_id}/envelope/: take a Sentry envelope from an SDK."""

from __future__ import annotations

from typing import Any

from tapedeck.api.cors import SDK, SDK_PREFLIGHT
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, note
from tapedeck.session_replays import ingesting

app = Api(cors=SDK)
app.preflight("/api/{project_id}/envelope/", SDK_PREFLIGHT)


@app.post("/api/{project_id}/envelope/")
def ingest_envelope(request: Request) -> dict[str, Any]:
    """The envelope's id, once everything valid in it is committed; what is invalid is dropped and counted, as Sentry does."""
    outcome = ingesting.ingest(
        request.organization.id,
        request.environment.project_id,
        request.body(),
        days=request.environment.retention_days,
        encoding=request.headers.get("content-encoding", ""),
        client_ip=request.client_ip,
        client_agent=request.headers.get("user-agent", ""),
    )
    note(accepted=outcome.accepted, dropped=outcome.dropped)
    return {"id": outcome.event_id} if outcome.event_id else {}


lambda_handler = app.handler
