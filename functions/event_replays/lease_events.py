"""POST /v1/destination/{destination_id}/lease: hand out the next events of a destination that pulls."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, lending
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.steering import Desk

app = Api()


@app.post("/v1/destination/{destination_id}/lease")
def lease_events(request: Request, destination_id: str) -> dict[str, Any]:
    """`{lease, replay_id, events}` of the oldest running replay to it: up to `limit` events, waited for `wait` seconds.

    What is not acknowledged in 45 seconds is handed out again, under the same keys.
    """
    desk = Desk.of(request.who, request.organization, "event:write")
    limit, wait = asking.to_lease(request.json())
    return lending.lease(desk, destinations.read(desk.organization.id, destination_id), limit=limit, wait=wait)


lambda_handler = app.handler
