"""POST /api/environments: a new environment."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import making, presenting

app = Api()


@app.post("/api/environments")
def create_environment(request: Request) -> dict[str, Any]:
    """The environment of `{"name", "dbInstance", "retentionDays"}`, which is the caller's; its `collection_token` is never shown again."""
    made = making.create(request.who, request.organization, request.json())
    return presenting.environment(made, request.who, base_url=request.base_url)


lambda_handler = app.handler
