"""GET /api/captures/{capture_id}: one capture."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.captures import asking, presenting, reading

app = Api()


@app.get("/api/captures/{capture_id}")
def get_capture(request: Request, capture_id: str) -> dict[str, Any]:
    """The capture, for members of its environment."""
    return presenting.describe(reading.one(request.organization, request.who, asking.capture_id(capture_id, None)))


lambda_handler = app.handler
