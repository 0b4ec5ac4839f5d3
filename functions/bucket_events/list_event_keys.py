"""GET /api/bucket/{bucket_id}/data/eventsKeysByApp: the names of a bucket's events, by application."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import collections, retrieving

app = Api()


@app.get("/api/bucket/{bucket_id}/data/eventsKeysByApp")
def list_event_keys(request: Request) -> Response:
    """`[{app_name, events: [names], details: [{name, count, first, last}]}]`."""
    return Response(retrieving.keys_by_app(collections.bucket(request.organization.id, request.environment)))


lambda_handler = app.handler
