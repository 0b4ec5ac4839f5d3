"""GET /health: the stack answers."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api

app = Api()


@app.get("/health")
def get_health(request: Request) -> dict[str, str]:
    """Always the same, and without a call to any store: a monitor must not cost money."""
    return {"status": "ok"}


lambda_handler = app.handler
