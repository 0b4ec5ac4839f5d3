"""POST /api/bucket/{bucket_id}/data/events: a page of a bucket's events."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import asking, collections, presenting, retrieving

app = Api()


@app.post("/api/bucket/{bucket_id}/data/events")
def retrieve_events(request: Request) -> Response:
    """The events of `event_name`, the newest first; `app_name`, `server_name`, `start`, `end`, `limit` and `offset` narrow it."""
    asked = asking.retrieval(request.body())
    collection = collections.bucket(request.organization.id, request.environment)
    return Response(presenting.elements(retrieving.retrieve(collection, asked)))


lambda_handler = app.handler
