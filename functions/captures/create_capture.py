"""POST /api/captures: a new capture, that begins now or later."""

from __future__ import annotations

from typing import Any

from tapedeck import clock
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.captures import asking, changing, presenting, reading

app = Api()


@app.post("/api/captures")
def create_capture(request: Request) -> dict[str, Any]:
    """The capture of `{"name", "envId", "status", "scheduledStart", "duration"}`, `duration` in seconds; for members of the environment.

    It is SCHEDULED with a `scheduledStart` more than a minute ahead, else STARTED. The same `Idempotency-Key` makes one capture.
    """
    wanted = asking.wanted(request.json(), clock.milliseconds())
    environment = reading.environment(request.organization, request.who, wanted.env_id, "capture:write")
    known_by = asking.digest(request.headers.get("idempotency-key"), request.who.user_id, request.body())
    return presenting.describe(changing.create(request.organization.id, environment, request.who, wanted, request=known_by))


lambda_handler = app.handler
