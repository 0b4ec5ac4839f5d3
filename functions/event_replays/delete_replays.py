"""DELETE /v1/replay: delete event replays for good."""

from __future__ import annotations

from typing import Any

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, steering
from tapedeck.event_replays.steering import Desk

app = Api()


@app.delete("/v1/replay")
def delete_replays(request: Request) -> dict[str, Any]:
    """The replays of `{"replay_id"}`, one id or a list, as they were; all of them are the caller's, or none is touched."""
    desk = Desk.of(request.who, request.organization, "event:admin")
    found = [desk.find(replay_id) for replay_id in asking.to_delete(request.json())]
    shown = desk.show(*found)
    for each in found:
        audit.write(request.who, "event-replay.delete", each.id)
    steering.delete(found)
    return shown


lambda_handler = app.handler
