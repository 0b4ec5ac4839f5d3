"""POST /api/captures/{capture_id}/stop: end a capture that runs."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.captures import asking, changing, presenting, reading

app = Api()


@app.post("/api/captures/stop")
@app.post("/api/captures/{capture_id}/stop")
def stop_capture(request: Request, capture_id: str | None = None) -> dict[str, Any]:
    """The capture, whose window ends now; for who made it and for admins. 501 while it is SCHEDULED, 409 in any other state but RUNNING."""
    named = asking.capture_id(capture_id, request.query.one("id"))
    return presenting.describe(changing.stop(reading.changeable(request.organization, request.who, named)))


lambda_handler = app.handler
