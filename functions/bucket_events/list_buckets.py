"""GET /api/bucket: the buckets of the caller."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import presenting

app = Api()


@app.get("/api/bucket")
def list_buckets(request: Request) -> Response:
    """A bucket for each environment in which the caller has a role."""
    environments = request.who.environments_of(request.organization, "bucket:read")
    return Response([presenting.bucket(each, request.organization, base_url=request.base_url) for each in environments])


lambda_handler = app.handler
