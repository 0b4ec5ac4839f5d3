"""DELETE /api/0/organizations/{org}/keys/{key_id}/: the end of a key."""

from __future__ import annotations

from tapedeck import audit
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import keys

app = Api()


@app.delete("/api/0/organizations/{org}/keys/{key_id}/")
def revoke_key(request: Request, key_id: str) -> Response:
    """204. From now on the token is refused: at once where it could destroy or make keys, within a minute elsewhere."""
    key = keys.owned(key_id, request.who)
    audit.write(request.who, "key.revoke", key.id)
    keys.revoke(key)
    return Response(status=204)


lambda_handler = app.handler
