"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/clicks/: the clicks in a replay."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import reading, searching

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/{replay_id}/clicks/")
def list_clicks(request: Request, replay_id: str) -> Response:
    """`{"data": [{node_id, timestamp}]}`, earliest first, timestamps in unix seconds; `query` asks of each click by itself."""
    replay = reading.replay_id(request.organization.id, request.environment, replay_id)
    at = paging.window(request.query)
    matches = searching.matching_clicks(request.query.one("query"))
    return paging.page(request, reading.clicks(replay, matches), at, within="data")


lambda_handler = app.handler
