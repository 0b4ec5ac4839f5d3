"""GET /api/environments/{env_id}/members: who belongs to an environment."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import members, presenting

app = Api()


@app.get("/api/environments/{env_id}/members")
def list_members(request: Request) -> Response:
    """A list, the owner first."""
    return Response([presenting.member(each) for each in members.of(request.organization.id, request.environment)])


lambda_handler = app.handler
