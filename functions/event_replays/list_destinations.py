"""GET /v1/destination: the destinations of the caller's organization."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.event_replays.destinations import reading, store

app = Api()


@app.get("/v1/destination")
def list_destinations(request: Request) -> Response:
    """An array, the oldest first; with `archived=true` the archived ones too. Secrets are masked."""
    every = request.query.one("archived") == "true"
    found = store.of_organization(request.organization.id) if every else reading.live(request.organization)
    return Response(reading.described(request.organization, found))


lambda_handler = app.handler
