"""PUT /api/environments/{env_id}: change an environment."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import making, presenting

app = Api()


@app.put("/api/environments/{env_id}")
def edit_environment(request: Request) -> dict[str, Any]:
    """The environment with the `name`, `dbInstance` and `retentionDays` that were asked for; what is left out stays as it is."""
    changed = making.edit(request.who, request.environment, request.json())
    return presenting.environment(changed, request.who, base_url=request.base_url)


lambda_handler = app.handler
