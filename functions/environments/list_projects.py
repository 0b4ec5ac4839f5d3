"""GET /api/0/organizations/{org}/projects/: the projects that the caller may read."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import presenting

app = Api()


@app.get("/api/0/organizations/{org}/projects/")
def list_projects(request: Request) -> Response:
    """A page of them, each as the project endpoint shows it."""
    projects = request.who.environments_of(request.organization, "project:read")
    rows = [presenting.project(each, base_url=request.base_url) for each in projects]
    return paging.page(request, rows, paging.window(request.query))


lambda_handler = app.handler
