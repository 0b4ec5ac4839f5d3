"""GET /v1/destination/{destination_id}: one destination."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import reading, store

app = Api()


@app.get("/v1/destination/{destination_id}")
def get_destination(request: Request, destination_id: str) -> dict[str, Any]:
    """The destination, archived or not, its secrets masked."""
    return reading.described(request.organization, [store.read(request.organization.id, destination_id)])[0]


lambda_handler = app.handler
