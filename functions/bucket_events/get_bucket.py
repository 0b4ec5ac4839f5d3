"""GET /api/bucket/{bucket_id}: one bucket."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import presenting

app = Api()


@app.get("/api/bucket/{bucket_id}")
def get_bucket(request: Request) -> dict[str, Any]:
    """The bucket; `node.endpoints.web` is where its events are asked for: this API, stage included."""
    return presenting.bucket(request.environment, request.organization, base_url=request.base_url)


lambda_handler = app.handler
