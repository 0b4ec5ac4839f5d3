"""POST /api/oauth/token: exchange a token for one that expires."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import exchanging

app = Api()


@app.post("/api/oauth/token")
def refresh_token(request: Request) -> dict[str, Any]:
    """`{access_token, refresh_token, expire_at, token_type}` for a user's token as `refresh_token` (decision 24)."""
    return exchanging.exchange(request.body())


lambda_handler = app.handler
