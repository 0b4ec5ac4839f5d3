"""POST /v1/collection: a new collection."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import store
from tapedeck.events import collections

app = Api()


@app.post("/v1/collection")
def create_collection(request: Request) -> dict[str, Any]:
    """The collection of `{"name", "notes", "environment"}` with its ingest `token`, which is never shown again."""
    wanted = collections.wanted(request.json(), request.who.environments_of(request.organization, "event:write"))
    made = collections.create(request.organization.id, wanted)
    token = store.issue_collection_token(request.organization.id, wanted.environment, made.id)
    return collections.describe(made, request.organization, token)


lambda_handler = app.handler
