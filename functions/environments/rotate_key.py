"""POST /api/0/organizations/{org}/keys/{key_id}/rotate/: a successor, shown once; the old key lives for a grace period."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import keys, presenting

app = Api()


@app.post("/api/0/organizations/{org}/keys/{key_id}/rotate/")
def rotate_key(request: Request, key_id: str) -> Response:
    """The successor with its token: 201. `grace` seconds, a day unless said otherwise; 409 when it was rotated already."""
    key = keys.owned(key_id, request.who)
    grace = keys.grace(request.json())
    audit.write(request.who, "key.rotate", key.id, grace=grace)
    token, successor = keys.rotate(key, grace=grace)
    return Response({"data": {**presenting.key(successor), "token": token}}, status=201)


lambda_handler = app.handler
