"""POST /api/0/projects/{org}/{project}/replays/{replay_id}/viewed-by/: the caller has watched a replay."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import reading

app = Api()


@app.post("/api/0/projects/{org}/{project}/replays/{replay_id}/viewed-by/")
def record_view(request: Request, replay_id: str) -> Response:
    """204; an organization's key is nobody, and is not remembered (contract §1.10)."""
    replay = reading.replay_id(request.organization.id, request.environment, replay_id)
    if request.who.user_id is None:
        reading.get(replay)
    else:
        reading.view(replay, request.who.user_id)
    return Response(status=204)


lambda_handler = app.handler
