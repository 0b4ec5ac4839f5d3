"""POST /api/bucket/{bucket_id}/data/events/stats: how a bucket's events are distributed in time."""

from __future__ import annotations

from tapedeck import clock
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.events import asking, collections, retrieving

app = Api()


@app.post("/api/bucket/{bucket_id}/data/events/stats")
def retrieve_histogram(request: Request) -> Response:
    """`[[start of the interval in ms, count], …]` of the last `days`, ascending, without gaps; `[]` when there is nothing."""
    asked = asking.distribution(request.body(), now=clock.now())
    collection = collections.bucket(request.organization.id, request.environment)
    return Response(retrieving.distribution(collection, asked))


lambda_handler = app.handler
