"""What an SDK and a reader do with a running system, in one line each."""

from __future__ import annotations

from typing import Any

from tapedeck.environments.model import Environment
from tests.harness import envelopes
from tests.harness.gateway import Response
from tests.harness.system import System
from tests.harness.world import World


def send(system: System, environment: Environment, body: bytes, *, key: str | None = None, **options: Any) -> Response:
    """What the browser SDK gets for an envelope: the public key in the query, no Content-Type of its own."""
    query = {"sentry_version": "7", "sentry_key": key or environment.public_key, "sentry_client": "sentry.javascript.browser/10.0.0"}
    headers = {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": envelopes.CHROME, **options.pop("headers", {})}
    return system.request("POST", f"/api/{environment.project_id}/envelope/", query=query, headers=headers, body=body, **options)


def record(system: System, project: Environment, /, *, segments: int = 1, replay_id: str | None = None, **fields: Any) -> str:
    """Record a replay of some segments, 5 seconds apart and ending now, and answer its id."""
    replay_id = replay_id or envelopes.new_id()
    end = fields.pop("at", system.now)
    started = fields.pop("started", end - 5 * segments)
    for number in range(segments):
        at = end - 5 * (segments - 1 - number)
        answer = send(system, project, envelopes.segment(replay_id, number, at=at, started=started, **fields))
        assert answer.status == 200, answer
    return replay_id


def replay_url(world: World, environment: Environment, replay_id: str, rest: str = "") -> str:
    """The project form of a replay's path."""
    return f"/api/0/projects/{world.slug}/{environment.slug}/replays/{replay_id}/{rest}"


def read(system: System, world: World, environment: Environment, replay_id: str, *, by: str = "member", **options: Any) -> Response:
    """GET one replay."""
    return system.request("GET", replay_url(world, environment, replay_id), token=world.token(by), **options)


def index(system: System, world: World, *, by: str = "member", **query: Any) -> Response:
    """GET the organization's replays."""
    return system.request("GET", f"/api/0/organizations/{world.slug}/replays/", query=query, token=world.token(by))


def shown(system: System, world: World, environment: Environment, replay_id: str) -> dict[str, Any]:
    """One replay, which must be there."""
    answer = read(system, world, environment, replay_id)
    assert answer.status == 200, answer
    data: dict[str, Any] = answer.json()["data"]
    return data
