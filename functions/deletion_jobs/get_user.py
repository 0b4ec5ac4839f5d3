"""GET /api/v1/{project_key}/users/{user_id}: what is known of a person, and would go with them."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.deletion_jobs import knowing, model

app = Api()


@app.get("/api/v1/{project_key}/users/{user_id}")
def get_user(request: Request, user_id: str) -> dict[str, Any]:
    """`{"data": {userId, sessionCount, firstSeen, lastSeen, …}}`; of somebody unknown the count is 0 and the moments are null."""
    return {"data": knowing.user(request.organization, request.environment, model.checked(user_id))}


lambda_handler = app.handler
