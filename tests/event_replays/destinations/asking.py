"""What people do with destinations, in one line each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import orjson

from tapedeck.event_replays.destinations import sending, store
from tapedeck.event_replays.destinations.model import Delivery
from tapedeck.events.model import Event
from tests.harness.gateway import Response
from tests.harness.system import System

REPLAY = "0b1e6c7a-6c1f-4d0e-9a3b-2f5d8c7e1a90"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BEARER = "Bearer canary-3f9a-7c21-secret"
HTTP = {"name": "hook", "type": "http", "metadata": {"url": "https://hooks.example/in", "headers": [{"Authorization": BEARER}], "signing_secret": SECRET}}


def ask(system: System, method: str, rest: str = "", *, by: str = "member", **options: Any) -> Response:
    """A request about acme's destinations."""
    return system.request(method, f"/v1/destination{rest}", token=system.acme.token(by), **options)


def make(system: System, **body: Any) -> dict[str, Any]:
    """A new destination, an http one unless said."""
    answer = ask(system, "POST", json={**HTTP, **body})
    assert answer.status == 200, answer
    made: dict[str, Any] = answer.json()
    return made


def refused(answer: Response) -> dict[str, str]:
    """The fields of a 422 and what is wrong with them."""
    assert answer.status == 422, answer
    return {each["field"]: each["message"] for each in answer.json()["errors"]}


@contextmanager
def opened(system: System, made: dict[str, Any]) -> Iterator[sending.Sender]:
    """The sender of a destination, with no more rights than the worker of replays has."""
    with system.cloud.invoking(system.template.function_at("event_replays/run_replay")), sending.open(store.read(system.acme.id, made["id"])) as sender:
        yield sender


def deliveries(*data: Any, hops: int = 0, **members: Any) -> list[Delivery]:
    """Events of one replay on their way, numbered from 7 on; data are bytes as they are, or JSON-able."""
    found = []
    for index, each in enumerate(data):
        text = each if isinstance(each, bytes) else orjson.dumps(each)
        event_id = f"69a95ce0{'0' * 10}{index:06x}"
        told = {"name": "paid", "app": "shop", "server": "web-1", "at": 1_772_704_800_000, "received": 1_772_704_800_001, **members}
        found.append(Delivery(f"{REPLAY}:{event_id}", Event(id=event_id, data=msgspec.Raw(text), hops=hops, **told), 7 + index))
    return found
