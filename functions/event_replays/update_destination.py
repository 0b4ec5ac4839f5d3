"""PUT /v1/destination/{destination_id}: a destination is changed."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import making, reading, store

app = Api()


@app.put("/v1/destination/{destination_id}")
def update_destination(request: Request, destination_id: str) -> dict[str, Any]:
    """The destination with the members that were sent; `metadata` as a whole, in which a masked secret stays as it is."""
    changed = making.edit(
        store.read(request.organization.id, destination_id),
        request.organization,
        request.json(),
        environments=request.who.environments_of(request.organization, "event:write"),
        base_url=request.base_url,
    )
    return reading.described(request.organization, [changed])[0]


lambda_handler = app.handler
