"""GET /v1/health/destination/{destination_id}: how one destination fares."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import reading, store

app = Api()


@app.get("/v1/health/destination/{destination_id}")
def get_health(request: Request, destination_id: str) -> dict[str, Any]:
    """The outcome of its latest delivery or check, by its id."""
    return reading.health([store.read(request.organization.id, destination_id)])


lambda_handler = app.handler
