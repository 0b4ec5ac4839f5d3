"""DELETE /v1/destination/{destination_id}: a destination is archived."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import making, reading, store

app = Api()


@app.delete("/v1/destination/{destination_id}")
def delete_destination(request: Request, destination_id: str) -> dict[str, Any]:
    """The destination: no longer listed nor sent to, its secrets gone, still to be read. 409 while a replay that is not over uses it."""
    archived = making.archive(store.read(request.organization.id, destination_id))
    return reading.described(request.organization, [archived])[0]


lambda_handler = app.handler
