"""POST /v1/destination/{destination_id}/test: a destination is tried out."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays.destinations import checking, presenting, store

app = Api()


@app.post("/v1/destination/{destination_id}/test")
def test_destination(request: Request, destination_id: str) -> dict[str, Any]:
    """How it fared when one test event was sent to it, by its id."""
    found = store.read(request.organization.id, destination_id)
    return {found.id: presenting.block(checking.try_out(found))}


lambda_handler = app.handler
