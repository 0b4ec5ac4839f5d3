"""GET /v1/collection/{collection_id}: one collection."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.events import collections

app = Api()


@app.get("/v1/collection/{collection_id}")
def get_collection(request: Request, collection_id: str) -> dict[str, Any]:
    """The collection, without its token."""
    environments = request.who.environments_of(request.organization, "event:read")
    return collections.describe(collections.one(request.organization, environments, collection_id), request.organization)


lambda_handler = app.handler
