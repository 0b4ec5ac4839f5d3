"""POST /v1/destination/{destination_id}/ack: take note of what a destination that pulls has taken."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, lending
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.steering import Desk

app = Api()


@app.post("/v1/destination/{destination_id}/ack")
def ack_events(request: Request, destination_id: str) -> dict[str, Any]:
    """`{"settled"}`, of `{lease, done: [key…], failed: [{key, message}…]}`; the same again settles none. 409 when the lease has ended.

    With `release: true` the rest of what was lent is given back, and can be handed out again at once.
    """
    desk = Desk.of(request.who, request.organization, "event:write")
    ack = asking.ack(request.json())
    return lending.acknowledge(desk, destinations.read(desk.organization.id, destination_id), ack)


lambda_handler = app.handler
