"""PUT /v1/replay/{event_replay_id}/toggle-pause: pause an event replay, or go on with it."""

from __future__ import annotations

from typing import Any

from tapedeck import ids
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import steering
from tapedeck.event_replays.steering import Desk

app = Api()


@app.put("/v1/replay/{event_replay_id}/toggle-pause")
def toggle_replay(request: Request, event_replay_id: str) -> dict[str, Any]:
    """The replay, paused or running again; once under one `Idempotency-Key`. 409 when it is neither.

    After a pause nothing leaves but what is on its way; what was sent before it is not sent again after it.
    """
    desk = Desk.of(request.who, request.organization, "event:write")
    name = request.headers.get("idempotency-key") or ids.random_hex(16)
    return desk.show(steering.toggle(desk.find(event_replay_id), name))


lambda_handler = app.handler
