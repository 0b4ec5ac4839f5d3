"""GET /v1/health/destination: how the destinations of the caller's organization fare."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import reading

app = Api()


@app.get("/v1/health/destination")
def list_health(request: Request) -> dict[str, Any]:
    """The outcome of the latest delivery or check of each live destination, by its id."""
    return reading.health(reading.live(request.organization))


lambda_handler = app.handler
