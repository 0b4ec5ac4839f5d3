"""GET /api/environments/{env_id}: one environment."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting

app = Api()


@app.get("/api/environments/{env_id}")
def get_environment(request: Request) -> dict[str, Any]:
    """The environment under all of its names, with the caller's role in it."""
    return presenting.environment(request.environment, request.who, base_url=request.base_url)


lambda_handler = app.handler
