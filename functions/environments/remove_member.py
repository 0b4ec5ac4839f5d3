"""DELETE /api/environments/{env_id}/members/{user_id}: the end of a membership."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import members, presenting

app = Api()


@app.delete("/api/environments/{env_id}/members/{user_id}")
def remove_member(request: Request, user_id: str) -> dict[str, Any]:
    """Who was removed, as they were. Admins remove anybody but the owner (409); a member may leave, and remove nobody else (403)."""
    return presenting.member(members.remove(request.who, request.environment, user_id))


lambda_handler = app.handler
