"""GET /v1/replay/{event_replay_id}: one event replay."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.steering import Desk

app = Api()


@app.get("/v1/replay/{event_replay_id}")
def get_replay(request: Request, event_replay_id: str) -> dict[str, Any]:
    """An object with one member: the replay, archived or not, and how far it is."""
    desk = Desk.of(request.who, request.organization, "event:read")
    return desk.show(desk.find(event_replay_id))


lambda_handler = app.handler
