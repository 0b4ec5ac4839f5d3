"""DELETE /api/captures/{capture_id}: delete a capture."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.captures import asking, changing, presenting, reading

app = Api()


@app.delete("/api/captures")
@app.delete("/api/captures/{capture_id}")
def delete_capture(request: Request, capture_id: str | None = None) -> Response:
    """What was deleted, with its collection and its metrics; a running one is stopped first. For who made it and for admins."""
    capture = reading.changeable(request.organization, request.who, asking.capture_id(capture_id, request.query.one("id")))
    audit.write(request.who, "capture.delete", str(capture.id), env_id=capture.env_id)
    return Response(presenting.describe(changing.delete(capture)))


lambda_handler = app.handler
