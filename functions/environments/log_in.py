"""POST /api/users/login: a session for a browser."""

from __future__ import annotations

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import presenting, sessions

app = Api()


@app.post("/api/users/login")
def log_in(request: Request) -> Response:
    """The person whose `token` it is, and a cookie of two hours that no script can read. 403 for a token that does not open."""
    user, cookie = sessions.log_in(request.json())
    return Response(presenting.person(user), headers={"Set-Cookie": cookie, "Cache-Control": "no-store"})


lambda_handler = app.handler
