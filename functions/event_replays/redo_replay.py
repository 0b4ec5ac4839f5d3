"""PUT /v1/replay/{event_replay_id}/redo: replay again what an event replay means now."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, planning
from tapedeck.event_replays.steering import Desk

app = Api()


@app.put("/v1/replay/{event_replay_id}/redo")
def redo_replay(request: Request, event_replay_id: str) -> dict[str, Any]:
    """A new replay with the same query, looked for anew; `redo_of` names the old one, which stays as it is. `{"name"}` gives it another."""
    desk = Desk.of(request.who, request.organization, "event:write")
    name = asking.new_name(request.json())
    old = desk.find(event_replay_id)
    planned = planning.plan(desk.organization, desk.environments, planning.same_as(old, name=name))
    return desk.show(planning.create(desk.organization, request.who, planned, key=request.headers.get("idempotency-key"), redo_of=old.id))


lambda_handler = app.handler
