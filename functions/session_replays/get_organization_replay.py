"""GET /api/0/organizations/{org}/replays/{replay_id}/: one replay, whichever of the caller's projects it is in."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.session_replays import presenting, reading

app = Api()


@app.get("/api/0/organizations/{org}/replays/{replay_id}/")
def get_organization_replay(request: Request, replay_id: str) -> dict[str, Any]:
    """The replay, or those of its fields that `field` names."""
    fields = presenting.chosen(request.query.all("field"))
    environments = request.who.environments_of(request.organization, "replay:read")
    replay = reading.find(request.organization.id, environments, replay_id, request.who.user_id)
    return {"data": presenting.select(replay, fields)}


lambda_handler = app.handler
