"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/recording-segments/{segment_id}/: one segment, or with `download` its events."""

from __future__ import annotations

from tapedeck.api import downloads
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import playing, reading

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/{replay_id}/recording-segments/{segment_id}/")
def get_segment(request: Request, replay_id: str, segment_id: str) -> Response:
    """`{"data": metadata}`; with `download`, even empty, `[events…]` as they were received."""
    replay = reading.replay_id(request.organization.id, request.environment, replay_id)
    segment = playing.segment(replay, segment_id)
    if "download" not in request.query:
        return Response({"data": playing.describe(replay, segment)})
    played = playing.play_one(replay, segment)
    name = f"{replay.key}-{segment.number}.json"
    return downloads.answer(
        request,
        played.body,
        played.url,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


lambda_handler = app.handler
