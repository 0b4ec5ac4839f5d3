"""POST /v1/destination: a new destination."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import making, reading

app = Api()


@app.post("/v1/destination")
def create_destination(request: Request) -> dict[str, Any]:
    """The destination of `{"name", "type", "metadata", "notes", "max_per_second", "notifications"}`, its secrets masked for good.

    The same `Idempotency-Key` makes one destination.
    """
    made = making.create(
        request.organization,
        request.who,
        request.json(),
        environments=request.who.environments_of(request.organization, "event:write"),
        base_url=request.base_url,
        key=request.headers.get("idempotency-key"),
    )
    return reading.described(request.organization, [made])[0]


lambda_handler = app.handler
