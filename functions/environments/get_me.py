"""GET /api/users/me: who is calling."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting

app = Api()


@app.get("/api/users/me")
def get_me(request: Request) -> dict[str, Any]:
    """The person, their organization and what their token may do; of a key of the organization the person is null."""
    return presenting.caller(request.who, request.organization)


lambda_handler = app.handler
