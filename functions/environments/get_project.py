"""GET /api/0/projects/{org}/{project}/: one project."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting

app = Api()


@app.get("/api/0/projects/{org}/{project}/")
def get_project(request: Request) -> dict[str, Any]:
    """The project, with its DSN and its organization."""
    project = presenting.project(request.environment, base_url=request.base_url)
    return {**project, "organization": presenting.organization(request.organization)}


lambda_handler = app.handler
