"""POST /api/environments/{env_id}/members: one more member."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import members, presenting

app = Api()


@app.post("/api/environments/{env_id}/members")
def add_member(request: Request) -> dict[str, Any]:
    """The member of `{"userId" or "email", "role"}`: somebody of the organization, `admin` or `member`. 409: is one already."""
    return presenting.member(members.add(request.who, request.environment, request.json()))


lambda_handler = app.handler
