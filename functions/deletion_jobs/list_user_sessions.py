"""GET /api/v1/{project_key}/users/{user_id}/sessions: the newest sessions of a person."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import knowing, model

app = Api()


@app.get("/api/v1/{project_key}/users/{user_id}/sessions")
def list_user_sessions(request: Request, user_id: str) -> dict[str, Any]:
    """`{"data": [session…]}`, at most 50 that began from `start_date` to `end_date` (ms, or ISO 8601)."""
    start, end = knowing.period(request.query.one("start_date"), request.query.one("end_date"))
    return {"data": knowing.sessions(request.organization, request.environment, model.checked(user_id), start, end)}


lambda_handler = app.handler
