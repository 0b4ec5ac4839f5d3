"""GET /api/captures/{capture_id}/metrics: what CloudWatch knows of a capture's environment during its window."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.captures import asking, metrics, reading

app = Api()


@app.get("/api/captures/metrics")
@app.get("/api/captures/{capture_id}/metrics")
def get_metrics(request: Request, capture_id: str | None = None) -> Response:
    """An array of metrics, or with `type` that one; live while the capture is RUNNING, kept when it is over, 409 before it runs."""
    capture = reading.one(request.organization, request.who, asking.capture_id(capture_id, request.query.one("id")))
    return Response(metrics.of(capture, metrics.kind(request.query.one("type"))))


lambda_handler = app.handler
