"""GET /api/0/organizations/{org}/keys/: the organization's live keys."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.environments import keys, presenting

app = Api()


@app.get("/api/0/organizations/{org}/keys/")
def list_keys(request: Request) -> dict[str, Any]:
    """What each key may do and until when: never the token."""
    return {"data": [presenting.key(each) for each in keys.of_organization(request.organization.id)]}


lambda_handler = app.handler
