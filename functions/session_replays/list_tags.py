"""GET /api/0/organizations/{org}/tags/: the tags that an organization's replays carry."""

from __future__ import annotations

from typing import Any

from tapedeck.api.projects import projects
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.session_replays import searching, tagging

app = Api()


@app.get("/api/0/organizations/{org}/tags/")
def list_tags(request: Request) -> list[dict[str, Any]]:
    """`[{key, name, totalValues}]` of the period, the most frequent first; of another `dataset` than replays there are none."""
    if request.query.one("dataset") not in (None, "replays"):
        return []
    wanted = searching.asked(request.organization.id, projects(request, "replay:read"), request.query)
    return tagging.describe_keys(searching.gather(wanted, tagging.keys, tagging.keys_in_blocks))


lambda_handler = app.handler
