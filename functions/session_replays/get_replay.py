"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/: one replay."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.session_replays import presenting, reading

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/{replay_id}/")
def get_replay(request: Request, replay_id: str) -> dict[str, Any]:
    """The replay, or those of its fields that `field` names."""
    fields = presenting.chosen(request.query.all("field"))
    name = reading.replay_id(request.organization.id, request.environment, replay_id)
    replay = reading.get(name, request.who.user_id)
    return {"data": presenting.select(replay, fields)}


lambda_handler = app.handler
