"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/viewed-by/: who has watched a replay."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting, store
from tapedeck.session_replays import reading

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/{replay_id}/viewed-by/")
def list_viewers(request: Request, replay_id: str) -> dict[str, Any]:
    """Those who have watched it and are still in the organization."""
    seen_by = reading.viewers(reading.replay_id(request.organization.id, request.environment, replay_id))
    return {"data": {"viewed_by": [presenting.user(each) for each in store.users(request.organization.id, seen_by)]}}


lambda_handler = app.handler
