"""DELETE /v1/replay/{event_replay_id}: stop an event replay and hide it."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import steering
from tapedeck.event_replays.steering import Desk

app = Api()


@app.delete("/v1/replay/{event_replay_id}")
def archive_replay(request: Request, event_replay_id: str) -> dict[str, Any]:
    """The replay, archived: it is not listed any more, and can still be read. One that was not over is aborted."""
    desk = Desk.of(request.who, request.organization, "event:admin")
    return desk.show(steering.archive(desk.find(event_replay_id)))


lambda_handler = app.handler
