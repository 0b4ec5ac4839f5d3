"""PUT /v1/replay: change an event replay."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, steering
from tapedeck.event_replays.steering import Desk

app = Api()


@app.put("/v1/replay")
def update_replay(request: Request) -> dict[str, Any]:
    """The replay of `{replay_id, name?, notes?, query?, destination_id?}` as it is then; 409 for the last two while it runs or is over."""
    desk = Desk.of(request.who, request.organization, "event:write")
    change = asking.change(request.json())
    return desk.show(steering.edit(desk, desk.find(change.replay_id), change))


lambda_handler = app.handler
