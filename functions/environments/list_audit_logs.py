"""GET /api/0/organizations/{org}/audit-logs/: who erased, deleted or changed what."""

from __future__ import annotations

from tapedeck.api import paging
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.environments import trail

app = Api()


@app.get("/api/0/organizations/{org}/audit-logs/")
def list_audit_logs(request: Request) -> Response:
    """`{"rows": [order…]}`, newest first, with its `Link` header; `event` and `actor` (a person's number) choose among them."""
    at, query = paging.window(request.query), request.query
    rows, more = trail.rows(request.organization, at.offset, at.limit, event=query.one("event"), actor=query.one("actor"))
    return Response({"rows": rows}, headers={"Link": paging.link(request, at, more=more)})


lambda_handler = app.handler
