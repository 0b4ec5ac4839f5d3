"""PUT /api/environments/{env_id}/members/{user_id}: promote or demote a member."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import members, presenting

app = Api()


@app.put("/api/environments/{env_id}/members/{user_id}")
def change_member(request: Request, user_id: str) -> dict[str, Any]:
    """The member with the `role` that was asked for, `admin` or `member`. 409 for the owner, who is always an admin."""
    return presenting.member(members.change(request.who, request.environment, user_id, request.json()))


lambda_handler = app.handler
