"""POST /api/bucket/{bucket_id}/data/events/ingest: put events into a bucket."""

from __future__ import annotations

from typing import Any

from tapedeck.api.metering import events_in
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, note
from tapedeck.event_replays import ringing
from tapedeck.events import collections, ingesting

app = Api(meter=events_in)


@app.post("/api/bucket/{bucket_id}/data/events/ingest")
def ingest_events(request: Request) -> dict[str, Any]:
    """`{"accepted": n, "ids": […]}` for one record, an array, or the agent's packet; the same request again adds nothing."""
    environment = request.environment
    collection = collections.bucket(request.organization.id, environment)
    accepted = ingesting.take_records(
        collection,
        environment.project_id,
        request.body(),
        idempotency_key=request.headers.get("idempotency-key"),
        hops=ingesting.hops(request.headers.get("x-replay-hops")),
    )
    ringing.events_came(collection)
    note(events=len(accepted.ids), repeated=accepted.repeated)
    return {"accepted": len(accepted.ids), "ids": accepted.ids}


lambda_handler = app.handler
