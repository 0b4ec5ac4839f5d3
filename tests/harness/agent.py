"""What agents, applications and readers do with events, in one line each."""

from __future__ import annotations

import random
from typing import Any

from tapedeck.environments.model import Environment
from tests.harness.gateway import Response
from tests.harness.system import System
from tests.harness.world import World


def bucket_url(environment: Environment, rest: str = "") -> str:
    """A path in an environment's bucket."""
    return f"/api/bucket/{environment.bucket_id}{rest}"


def ingest(system: System, world: World, body: Any, *, to: Environment | None = None, by: str = "member", **options: Any) -> Response:
    """POST records into a bucket (the first environment's); `body` is JSON-able, or bytes as they are."""
    url = bucket_url(to or world.web, "/data/events/ingest")
    sent = {"body": body} if isinstance(body, bytes) else {"json": body}
    return system.request("POST", url, token=world.token(by), **sent, **options)


def put(system: System, world: World, *records: Any, to: Environment | None = None) -> list[str]:
    """Put records into a bucket and answer their ids."""
    answer = ingest(system, world, list(records), to=to)
    assert answer.status == 200, answer
    ids: list[str] = answer.json()["ids"]
    return ids


def collect(system: System, token: str | None, body: Any, *, headers: dict[str, str] | None = None) -> Response:
    """POST payloads into a collection with its ingest token."""
    sent = {"body": body} if isinstance(body, bytes) else {"json": body}
    return system.request("POST", "/v1/collect", headers={**({"Batch-Token": token} if token else {}), **(headers or {})}, **sent)


def retrieve(system: System, world: World, name: str, *, by: str = "member", of: Environment | None = None, **asked: Any) -> Response:
    """POST a question for a page of events."""
    return system.request("POST", bucket_url(of or world.web, "/data/events"), json={"event_name": name, **asked}, token=world.token(by))


def events(system: System, world: World, name: str, **asked: Any) -> list[dict[str, Any]]:
    """A page of events."""
    answer = retrieve(system, world, name, **asked)
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json()
    return found


def histogram(system: System, world: World, name: str, *, by: str = "member", **asked: Any) -> Response:
    """POST a question for a histogram."""
    return system.request("POST", bucket_url(world.web, "/data/events/stats"), json={"event_name": name, **asked}, token=world.token(by))


def keys(system: System, world: World, *, of: Environment | None = None) -> list[dict[str, Any]]:
    """The names of events, by application."""
    answer = system.request("GET", bucket_url(of or world.web, "/data/eventsKeysByApp"), token=world.token("member"))
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json()
    return found


def record(name: str = "paid", *, app: str = "shop", server: str = "web-1", at: float | None = None, **data: Any) -> dict[str, Any]:
    """A record as an agent sends it; `at` in seconds."""
    said = {"name": name, "data": data, "process": {"name": app, "server": server, "pm_id": 0, "rev": None}}
    return said if at is None else {**said, "at": int(at * 1000)}


def noise(seed: int, size: int = 500) -> str:
    """A text that no compression makes smaller than half of it."""
    return random.Random(seed).randbytes(size // 2).hex()
