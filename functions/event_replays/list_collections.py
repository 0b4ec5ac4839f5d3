"""GET /v1/collection: the collections of the caller."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import collections

app = Api()


@app.get("/v1/collection")
def list_collections(request: Request) -> Response:
    """An array: those of every environment in which the caller has a role, the oldest first."""
    found = collections.of_environments(request.organization, request.who.environments_of(request.organization, "event:read"))
    return Response([collections.describe(each, request.organization) for each in found])


lambda_handler = app.handler
