"""What happens around a capture: bells, sweeps, events that come and go; and what it is found to hold."""

from __future__ import annotations

import json
from typing import Any

from tapedeck.captures.model import GRACE
from tapedeck.environments import store as environments
from tapedeck.events import chunks, collections, compacting, spans
from tapedeck.events import store as events
from tapedeck.events.store import CollectionId
from tests.harness import System
from tests.harness.agent import bucket_url, put, record


def deliver(system: System) -> None:
    """The messages of the captures' queue reach the worker; looking into all the others takes most of a test's time."""
    [mapping] = [each for name, each in system.template.of_type("AWS::Lambda::EventSourceMapping") if name.startswith("TurnCapture")]
    while system._deliver(mapping["Properties"]):
        pass


def ring(system: System, capture_id: int) -> None:
    """Let a bell ring: whoever rang it, the worker is told the same."""
    system.invoke("captures/turn_capture", {"Records": [{"body": _bell(system, capture_id)}]})


def send(system: System, capture_id: int) -> None:
    """Put a bell into the queue."""
    system.client("sqs").send_message(QueueUrl=system.template.physical_id("CaptureBells"), MessageBody=_bell(system, capture_id))


def _bell(system: System, capture_id: int) -> str:
    return json.dumps({"organization_id": system.acme.id, "capture_id": capture_id})


def lose(system: System) -> None:
    """No schedule ever fires, and no message arrives."""
    scheduler = system.client("scheduler")
    for each in scheduler.list_schedules()["Schedules"]:
        scheduler.delete_schedule(Name=each["Name"], GroupName=each["GroupName"])
    sqs, url = system.client("sqs"), system.template.physical_id("CaptureBells")
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def sweep(system: System, times: int = 1) -> None:
    """The sweeper comes, every five minutes, and the worker after it."""
    for _ in range(times):
        system.skip(300)
        system.invoke("captures/sweep_captures")
        deliver(system)


def quiet(system: System) -> None:
    """Whatever is still to be cleaned up, is."""
    deliver(system)
    system.skip(GRACE / 1000)
    sweep(system)


def held(system: System, capture: dict[str, Any]) -> list[str]:
    """The names of the events that a capture's collection has, as any reader of collections reads them."""
    organization = environments.organization(system.acme.id)
    assert organization
    span = collections.span(organization, collections.one(organization, organization.environments, capture["collectionId"]))
    return [
        chunks.event_of(line).name
        for chunk in spans.chunks_of(span)
        for number, line in chunks.numbered(chunks.lines(events.body(chunk)), chunk.first)
        if span.first <= number and (span.end is None or number < span.end)
    ]


def bucket(system: System) -> CollectionId:
    """The collection that acme/web has from its birth."""
    return CollectionId(system.acme.id, system.acme.web.collection_id)


def empty(system: System) -> None:
    """Delete everything of the bucket."""
    answer = system.request("DELETE", bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token("owner"))
    assert answer.status == 200, answer


def merge(system: System) -> None:
    """Merge what can be merged."""
    while compacting.merge_once(bucket(system), events.head_of(bucket(system)).generation):
        pass


class Story:
    """Events come and go while a capture is made; `received` is what the model knows: each event's name, by its receive time in ms."""

    def __init__(self, system: System) -> None:
        self.system, self.received, self.made = system, dict[str, int](), 0

    def put(self, count: int = 1) -> None:
        """A request of so many events, all received at one moment."""
        names = [f"e{len(self.received) + index}" for index in range(count)]
        put(self.system, self.system.acme, *map(record, names))
        self.received |= dict.fromkeys(names, events.head_of(bucket(self.system)).received)

    def happen(self, what: str) -> None:
        """One thing."""
        if what == "put":
            self.put()
        elif what == "many":
            for _ in range(8):
                self.put(2)
        elif what == "empty":
            empty(self.system)
        elif what == "merge":
            merge(self.system)
        elif what == "sweep":
            compacting.sweep()
        else:
            ring(self.system, self.made)

    def expected(self, begins: int, ends: int) -> list[str]:
        """What the window holds."""
        return [name for name, received in self.received.items() if begins <= received < ends]
