"""GET /v1/replay: the event replays of the caller."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.event_replays.steering import Desk

app = Api()
PAGE = 1000  # replays


@app.get("/v1/replay")
def list_replays(request: Request) -> Response:
    """An object with a member for each, the newest first; those that are not archived, or with `archived=true` those that are."""
    desk = Desk.of(request.who, request.organization, "event:read")
    found = desk.all(archived=request.query.one("archived") == "true")
    at = paging.window(request.query, default=PAGE)
    page = found[at.offset : at.offset + at.limit]
    return Response(desk.show(*page), headers={"Link": paging.link(request, at, more=len(found) > at.offset + at.limit)})


lambda_handler = app.handler
