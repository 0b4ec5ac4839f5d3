"""GET /api/captures: the captures of the caller."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.captures import asking, presenting, reading

app = Api()


@app.get("/api/captures")
def list_captures(request: Request) -> Response:
    """An array, never null: those of every environment in which the caller has a role, the oldest first; with `id`, that capture."""
    if named := request.query.one("id"):
        found = reading.one(request.organization, request.who, asking.capture_id(None, named))
        return Response(presenting.describe(found))
    env_id = asking.env_id(request.query.one("envId"))
    captures = reading.listed(request.organization, request.who, env_id=env_id, name=request.query.one("name"))
    return Response([presenting.describe(each) for each in captures])


lambda_handler = app.handler
