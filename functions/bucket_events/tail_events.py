"""GET /api/bucket/{bucket_id}/data/events/tail: the events of a bucket as they come."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import asking, collections, presenting, retrieving

app = Api()


@app.get("/api/bucket/{bucket_id}/data/events/tail")
def tail_events(request: Request) -> Response:
    """`{"next", "events"}`, oldest first: what came from number `after` on, or within `wait` seconds; without `after` where the end is."""
    asked = asking.tail(request.query)
    collection = collections.bucket(request.organization.id, request.environment)
    return Response(presenting.followed(*retrieving.follow(collection, asked)))


lambda_handler = app.handler
