"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/recording-segments/: a replay's segments, or with `download` their events."""

from __future__ import annotations

from tapedeck.api import downloads, paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import playing, reading

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/{replay_id}/recording-segments/")
def list_segments(request: Request, replay_id: str) -> Response:
    """`{"data": [metadata…]}`; with `download`, even empty, `[[events…], …]` as they were received (decision 10)."""
    replay = reading.replay_id(request.organization.id, request.environment, replay_id)
    at = paging.window(request.query)
    download = "download" in request.query
    page = playing.page(replay, offset=at.offset, limit=at.limit, most_bytes=playing.PAGE_BYTES if download else None)
    headers = {"Link": paging.link(request, at, more=page.more, taken=len(page.segments) if page.more else None)}
    if not download:
        return Response({"data": [playing.describe(replay, segment) for segment in page.segments]}, headers=headers)
    played = playing.play(replay, page.segments)
    return downloads.answer(request, played.body, played.url, headers=headers)


lambda_handler = app.handler
