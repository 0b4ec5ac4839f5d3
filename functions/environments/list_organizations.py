"""GET /api/0/organizations/: the organizations of the caller, which is one."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import presenting

app = Api()


@app.get("/api/0/organizations/")
def list_organizations(request: Request) -> Response:
    """A list, as Sentry's clients expect."""
    organizations: list[dict[str, Any]] = [presenting.organization(request.organization)]
    return Response(organizations)


lambda_handler = app.handler
