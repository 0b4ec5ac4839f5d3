"""DELETE /api/0/projects/{org}/{project}/replays/{replay_id}/: archive a replay and delete its recording."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import reading

app = Api()


@app.delete("/api/0/projects/{org}/{project}/replays/{replay_id}/")
def delete_replay(request: Request, replay_id: str) -> Response:
    """204, also for a replay that was never seen, whose segments are then refused; 404 for one that was deleted before (contract §1.4)."""
    replay = reading.replay_id(request.organization.id, request.environment, replay_id)
    audit.write(request.who, "replay.delete", replay.key, project_id=replay.project_id)
    reading.archive(replay)
    return Response(status=204)


lambda_handler = app.handler
