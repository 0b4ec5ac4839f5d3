"""DELETE /api/bucket/{bucket_id}/data/events/delete_all: forget all events of a bucket."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import collections, retrieving

app = Api()


@app.delete("/api/bucket/{bucket_id}/data/events/delete_all")
def delete_events(request: Request) -> Response:
    """What was deleted, as eventsKeysByApp tells it. For admins; captures that are done are sealed and stay (decision 20)."""
    audit.write(request.who, "bucket.delete-all", request.environment.bucket_id)
    return Response(retrieving.delete_all(collections.bucket(request.organization.id, request.environment)))


lambda_handler = app.handler
