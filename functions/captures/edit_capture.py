"""PUT /api/captures/{capture_id}: change a capture."""

from __future__ import annotations

from typing import Any

from tapedeck import clock
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.captures import asking, changing, presenting, reading

app = Api()


@app.put("/api/captures")
@app.put("/api/captures/{capture_id}")
def edit_capture(request: Request, capture_id: str | None = None) -> dict[str, Any]:
    """The capture with another `name`, or while it is SCHEDULED another `scheduledStart` or `duration`; for who made it and for admins."""
    capture = reading.changeable(request.organization, request.who, asking.capture_id(capture_id, request.query.one("id")))
    return presenting.describe(changing.edit(capture, asking.change(request.json(), clock.milliseconds())))


lambda_handler = app.handler
