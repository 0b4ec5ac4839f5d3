"""GET /api/environments: the environments in which the caller has a role."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import presenting

app = Api()


@app.get("/api/environments")
def list_environments(request: Request) -> Response:
    """A list, oldest first; each under all of its names, with the caller's role in it. A key of the organization sees all of them."""
    visible = request.who.environments_of(request.organization, "project:read")
    return Response([presenting.environment(each, request.who, base_url=request.base_url) for each in visible])


lambda_handler = app.handler
