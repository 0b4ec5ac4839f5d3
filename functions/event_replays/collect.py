"""POST /v1/collect: put events into a collection."""

from __future__ import annotations

from typing import Any

from tapedeck.api.metering import events_in
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, note
from tapedeck.event_replays import ringing
from tapedeck.events import ingesting
from tapedeck.events.store import CollectionId

app = Api(meter=events_in)


@app.post("/v1/collect")
def collect(request: Request) -> dict[str, Any]:
    """`{"message", "ids"}` for one JSON payload or an array, kept byte for byte; the same request again adds nothing."""
    collection = CollectionId(request.organization.id, request.collection_id, request.environment.retention_days)
    accepted = ingesting.take_payloads(
        collection,
        request.environment.project_id,
        request.body(),
        idempotency_key=request.headers.get("idempotency-key"),
        hops=ingesting.hops(request.headers.get("x-replay-hops")),
    )
    ringing.events_came(collection)
    note(events=len(accepted.ids), repeated=accepted.repeated)
    return {"message": "event has been successfully collected", "ids": accepted.ids}


lambda_handler = app.handler
