"""GET /api/0/organizations/{org}/tags/{key}/values/: the values of a tag on an organization's replays."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.projects import projects
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import searching, tagging

app = Api()


@app.get("/api/0/organizations/{org}/tags/{key}/values/")
def list_tag_values(request: Request, key: str) -> Response:
    """`[{key, name, value, count, lastSeen, firstSeen}]`: `count` is of replays; `query` is a part of the value."""
    query = request.query
    key, sort, at = tagging.checked(key), tagging.sorting(query.one("sort")), paging.window(query)
    wanted = searching.asked(request.organization.id, projects(request, "replay:read"), query)
    pages = searching.gather(wanted, lambda rows: tagging.values(rows, key), tagging.values_in_blocks(key))
    found = tagging.describe_values(pages, key, containing=query.one("query"), sort=sort)
    return paging.page(request, found, at)


lambda_handler = app.handler
