"""POST /v1/replay: a new event replay, or what it would send."""

from __future__ import annotations

from typing import Any

from tapedeck.api.request import Request
from tapedeck.api.resolver import Api
from tapedeck.event_replays import asking, planning
from tapedeck.event_replays.steering import Desk

app = Api()


@app.post("/v1/replay")
def create_replay(request: Request) -> dict[str, Any]:
    """The pending replay of `{name, collection_id, destination_id, query, type}`; the same request under one `Idempotency-Key` makes one.

    With `dry_run=true` nothing is made: `{"matched", "sample", "estimate"}`.
    """
    desk = Desk.of(request.who, request.organization, "event:write")
    wanted = asking.wanted(request.json(), request.organization.team_id)
    planned = planning.plan(desk.organization, desk.environments, wanted)
    if request.query.one("dry_run") == "true":
        return planning.dry_run(desk.organization, planned)
    return desk.show(planning.create(desk.organization, request.who, planned, key=request.headers.get("idempotency-key")))


lambda_handler = app.handler
