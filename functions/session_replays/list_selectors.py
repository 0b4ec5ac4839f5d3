"""GET /api/0/organizations/{org}/replay-selectors/: the elements that people clicked, in vain or in rage."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.projects import projects
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import elements, searching

app = Api()


@app.get("/api/0/organizations/{org}/replay-selectors/")
def list_selectors(request: Request) -> Response:
    """`{"data": [{dom_element, element, project_id, count_dead_clicks, count_rage_clicks}]}`; `query` knows the two counts only."""
    query = request.query
    at = paging.window(query, default=10)
    matches = searching.matching_elements(query.one("query"))
    wanted = searching.asked(request.organization.id, projects(request, "replay:read"), query)
    rows = elements.describe(searching.gather(wanted, elements.count, elements.count_in_blocks), sort=query.one("sort"), matches=matches)
    return paging.page(request, rows, at, within="data")


lambda_handler = app.handler
