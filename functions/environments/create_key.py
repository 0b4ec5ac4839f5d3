"""POST /api/0/organizations/{org}/keys/: a new organization key, shown once."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import keys, presenting

app = Api()


@app.post("/api/0/organizations/{org}/keys/")
def create_key(request: Request) -> Response:
    """The key with its token: 201. A key may do no more than its maker; `expires_in` is in seconds."""
    wanted = keys.wanted(request.json(), request.who)
    token, key = keys.issue("tdo", request.organization.id, scopes=wanted.scopes, expires_at=wanted.expires_at, name=wanted.name)
    audit.write(request.who, "key.create", key.id, scopes=sorted(key.scopes))
    return Response({"data": {**presenting.key(key), "token": token}}, status=201)


lambda_handler = app.handler
