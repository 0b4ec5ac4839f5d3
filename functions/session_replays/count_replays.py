"""GET /api/0/organizations/{org}/replay-count/: how many replays there are of each of some transactions, issues or ids."""

from __future__ import annotations

from typing import Any

from tapedeck.api.projects import projects
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.session_replays import searching, tallying

app = Api()


@app.get("/api/0/organizations/{org}/replay-count/")
def count_replays(request: Request) -> dict[str, Any]:
    """`{value: count}`, or with `returnIds` `{value: [replay ids]}`: for the one list in `query`; counts end at 51."""
    query = request.query
    key, values = tallying.asked(query.one("query"), query.one("data_source"))
    wanted = searching.asked(request.organization.id, projects(request, "replay:read"), query)
    return tallying.describe(tallying.tally(wanted, key, values), ids=(query.one("returnIds") or "").lower() in ("true", "1"))


lambda_handler = app.handler
