"""GET /api/0/organizations/{org}/replays/: the replays that began in a period: filtered, sorted, a page at a time."""

from __future__ import annotations

from dataclasses import replace

from tapedeck.api import paging
from tapedeck.api.projects import projects
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import periods, presenting, searching

app = Api()


@app.get("/api/0/organizations/{org}/replays/")
def list_replays(request: Request) -> Response:
    """A page of replays with its `Link` header; `field` chooses what is told of each. `X-Replays-Looked-At` and `Server-Timing` tell what
    the search took."""
    query = request.query
    at = paging.window(query, default=searching.DEFAULT_LIMIT)
    fields = presenting.chosen(query.all("field"))
    wanted = replace(
        searching.asked(request.organization.id, projects(request, "replay:read"), query, default=periods.DEFAULT),
        matches=searching.matching(query.one("query"), request.who.user_id),
        order=searching.order(query.one("orderBy", "sortBy", "sort")),
    )
    found = searching.search(wanted, offset=at.offset, limit=at.limit, viewer_id=request.who.user_id)
    data = [presenting.select(row, fields) for row in found.replays]
    return Response({"data": data}, headers={"Link": paging.link(request, at, more=found.more), **found.headers})


lambda_handler = app.handler
