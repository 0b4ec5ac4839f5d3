"""What the tests of event replays stand on: a destination that keeps what it is sent, and who asks for replays in one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest

from tapedeck import ids
from tapedeck.event_replays import ringing, running, shapes, store
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome
from tests.harness import System, agent
from tests.harness.cloud import Killed
from tests.harness.gateway import Response

OK = Outcome(True, status=200, latency_ms=7)
DOWN = Outcome(False, True, None, None, "Failed to connect", 3)
GONE = Outcome(False, False, None, 404, "received non-2xx response (404)", 5)


@dataclass
class Sink:
    """A destination in memory. `says` decides what becomes of a delivery; the worker dies before or after the `dies_at`-th send."""

    says: Callable[[Delivery], Outcome] = lambda _: OK
    batch: int = 1
    took: list[Delivery] = field(default_factory=list)
    tried: list[Delivery] = field(default_factory=list)
    dies_at: tuple[str, int] | None = None
    takes: float = 0.0  # seconds of the clock that a send lasts
    system: System | None = None
    during: Callable[[int], None] = lambda _: None
    sends: int = 0
    checked: Outcome = OK

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One outcome for each."""
        number, self.sends = self.sends, self.sends + 1
        self.during(number)
        if self.dies_at == ("before", number):
            raise Killed
        if self.system and self.takes:
            self.system.skip(self.takes)
        outcomes = [self.says(each) for each in deliveries]
        self.tried += deliveries
        self.took += [each for each, outcome in zip(deliveries, outcomes, strict=True) if outcome.ok]
        if self.dies_at == ("after", number):
            raise Killed
        return outcomes

    def check(self) -> Outcome:
        """What a check of the destination finds."""
        return self.checked

    @property
    def numbers(self) -> list[int]:
        """The `n` of the events that it took, in the order in which they came."""
        return [number_of(each) for each in self.took]

    @property
    def keys(self) -> list[str]:
        """The keys of the events that it took."""
        return [each.key for each in self.took]


def beside(_: object, call: Callable[[], Any]) -> Future[Any]:
    """What goes on beside something else is done at once, so that a test is the same each time."""
    done: Future[Any] = Future()
    done.set_result(call())
    return done


@pytest.fixture
def sink(system: System, monkeypatch: pytest.MonkeyPatch) -> Sink:
    """Whatever is sent by a worker goes here."""
    made = Sink(system=system)

    @contextmanager
    def opened(_: Destination) -> Iterator[Sink]:
        yield made

    monkeypatch.setattr(running.sending, "open", opened)
    monkeypatch.setattr(running, "start", beside)
    ringing.forget()
    return made


def number_of(delivery: Delivery) -> int:
    """The `n` of an event."""
    found: int = orjson.loads(bytes(delivery.event.data))["n"]
    return found


def destination(system: System, *, kind: str = "http", **fields: Any) -> str:
    """A destination of acme's."""
    metadata = {"url": "https://example.com/hook"} if kind == "http" else {}
    said = {"type": kind, "name": "there", "notes": "", "metadata": metadata, **fields}
    made = Destination(system.acme.id, ids.random_uuid(), created_at=system.now, updated_at=system.now, **said)
    return destinations.save(made).id


def put(system: System, *numbers: int, name: str = "paid") -> list[str]:
    """Events with these `n`, in one request."""
    return agent.put(system, system.acme, *(agent.record(name, n=n) for n in numbers))


def wish(system: System, to: str, **fields: Any) -> dict[str, Any]:
    """A body for POST /v1/replay."""
    said = {"name": "again", "collection_id": system.acme.web.collection_id, "destination_id": to, "query": "*", "type": "onetime"}
    return {**said, **fields}


def create(system: System, to: str, **fields: Any) -> str:
    """A new replay's id."""
    answer = ask(system, "POST", "/v1/replay", json=wish(system, to, **fields))
    assert answer.status == 200, answer
    [replay_id] = answer.json()
    return str(replay_id)


def ask(system: System, method: str, path: str, *, by: str = "owner", **options: Any) -> Response:
    """What a person of acme's is answered."""
    return system.request(method, path, token=system.acme.token(by), **options)


def one(system: System, replay_id: str, method: str = "GET", rest: str = "", **options: Any) -> dict[str, Any]:
    """The replay that is the answer's only member."""
    answer = ask(system, method, f"/v1/replay/{replay_id}{rest}", **options)
    assert answer.status == 200, answer
    shapes.EventReplays.model_validate_json(answer.body)
    [(key, shown)] = answer.json().items()
    assert key == shown["id"]
    found: dict[str, Any] = shown
    return found


def toggle(system: System, replay_id: str, **options: Any) -> dict[str, Any]:
    """Pause or resume."""
    return one(system, replay_id, "PUT", "/toggle-pause", **options)


def history(system: System, replay_id: str, **options: Any) -> list[dict[str, Any]]:
    """Its lines, oldest first."""
    answer = ask(system, "GET", f"/v1/replayer/history/{replay_id}", **options)
    assert answer.status == 200, answer
    shapes.ReplayHistory.model_validate_json(answer.body)
    return list(answer.json().values())


def kinds(system: System, replay_id: str) -> list[str]:
    """What its history tells, in words."""
    return [line["type"] for line in history(system, replay_id)]


def pass_time(system: System, seconds: float = 180) -> None:
    """Time goes by, a minute at a time: whoever is due is rung for and comes."""
    for _ in range(int(seconds // 60)):
        system.advance(60)
        system.drain()


def row(system: System, replay_id: str) -> Any:
    """The replay as it is kept."""
    return store.read(system.acme.id, replay_id)


def is_exact(shown: dict[str, Any], matched: int) -> bool:
    """Conservation (trust.md §7): what matched was sent, or is listed as failed."""
    progress = shown["progress"]
    return bool(progress["matched"] == matched == progress["sent"] + progress["failed"])
