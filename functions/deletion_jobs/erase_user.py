"""DELETE /api/v1/{project_key}/users/{user_id}: ask for a person's erasure from everything that the project keeps."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import asking, model

app = Api()


@app.delete("/api/v1/{project_key}/users/{user_id}")
def erase_user(request: Request, user_id: str) -> dict[str, Any]:
    """`{"data": job}`, scheduled for the next UTC midnight, or for now with `?now=true`; 409 while another one is under way."""
    at_once = request.query.one("now") == "true"
    return {"data": model.describe(asking.erase(request.who, request.environment, user_id, at_once=at_once))}


lambda_handler = app.handler
