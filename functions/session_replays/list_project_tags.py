"""GET /api/0/projects/{org}/{project}/replays/tags/: the tags that a project's replays carry."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.session_replays import searching, tagging

app = Api()


@app.get("/api/0/projects/{org}/{project}/replays/tags/")
def list_project_tags(request: Request) -> list[dict[str, Any]]:
    """`[{key, name, totalValues}]` of the period, the most frequent first; `totalValues` counts a value once a replay."""
    wanted = searching.asked(request.organization.id, [request.environment], request.query)
    return tagging.describe_keys(searching.gather(wanted, tagging.keys, tagging.keys_in_blocks))


lambda_handler = app.handler
