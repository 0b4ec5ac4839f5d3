"""GET /v1/replayer/history/{event_replay_id}: what an event replay has done."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.event_replays import presenting, store
from tapedeck.event_replays.steering import Desk

app = Api()
PAGE = 1000  # lines


@app.get("/v1/replayer/history/{event_replay_id}")
def get_history(request: Request, event_replay_id: str) -> Response:
    """An object with a member for each line, the oldest first: among them every event that was given up, and why."""
    desk = Desk.of(request.who, request.organization, "event:read")
    replay = desk.find(event_replay_id)
    at = paging.window(request.query, default=PAGE)
    lines = store.history(replay, after=at.offset, most=at.limit)
    more = replay.entries > at.offset + at.limit
    return Response(presenting.history(replay, lines), headers={"Link": paging.link(request, at, more=more)})


lambda_handler = app.handler
