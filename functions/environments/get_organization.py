"""GET /api/0/organizations/{org}/: the caller's organization with its projects."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting

app = Api()


@app.get("/api/0/organizations/{org}/")
def get_organization(request: Request) -> dict[str, Any]:
    """The organization; of its projects those that the caller may read, each with its DSN."""
    visible = request.who.environments_of(request.organization, "project:read")
    projects = [presenting.project(each, base_url=request.base_url) for each in visible]
    return {**presenting.organization(request.organization), "projects": projects, "access": sorted(request.who.scopes)}


lambda_handler = app.handler
