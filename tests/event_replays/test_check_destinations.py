"""The schedule: every live destination is checked each five minutes, and is not changed by it."""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from tapedeck.event_replays.destinations import checking, store
from tapedeck.event_replays.destinations.model import Outcome
from tests.event_replays.destinations.asking import make
from tests.event_replays.destinations.kinds.test_sqs import queue, received
from tests.event_replays.destinations.sink import Asked, Sink, says
from tests.event_replays.test_create_collection import create
from tests.harness import KINDS, System
from tests.harness.cloud import Killed, Kind

CHECK = "event_replays/check_destinations"


def health(system: System, destination_id: str) -> tuple[str, str, int]:
    """(status, message, when)"""
    found = store.read(system.acme.id, destination_id).health
    return found.status, found.message, found.checked_at


def test_each_is_asked_whether_it_is_there_once_in_five_minutes(local: System, sink: Sink) -> None:
    made = make(local, metadata={"url": sink.url})["id"]
    assert local.invoke(CHECK) == {"checked": 1, "failing": 0}
    assert health(local, made) == ("ok", "", int(local.now))
    assert local.invoke(CHECK) == {"checked": 0, "failing": 0}
    local.skip(store.EVERY)
    sink.then = says(404)
    assert local.invoke(CHECK) == {"checked": 1, "failing": 1}
    assert health(local, made) == ("error", "received non-2xx response (404)", int(local.now))
    local.skip(store.EVERY)
    sink.then = lambda connection, _: False
    local.invoke(CHECK)
    assert health(local, made)[:2] == ("error", "Failed to connect")
    assert {asked.line.split()[0] for asked in sink.asked} == {"HEAD"}
    local.advance(store.EVERY)
    assert health(local, made)[2] > int(local.now) - store.EVERY, "the schedule runs by itself"


def test_a_delivery_counts_as_a_check(local: System, sink: Sink) -> None:
    made = store.read(local.acme.id, make(local, metadata={"url": sink.url})["id"])
    store.note_health(made, Outcome(True))
    assert local.invoke(CHECK) == {"checked": 0, "failing": 0}


def test_a_round_ends_in_time_and_the_next_begins_with_who_has_waited_longest(local: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "AT_ONCE", 2)

    def slowly(connection: socket.socket, asked: Asked) -> bool:
        local.now += 25
        return says(200)(connection, asked)

    sink.then = slowly
    made = []
    for _ in range(5):
        made.append(make(local, metadata={"url": sink.url})["id"])
        local.skip(1)
    assert local.invoke(CHECK) == {"checked": 4, "failing": 0}
    assert [health(local, each)[0] for each in made] == ["ok"] * 4 + ["pending"]
    assert local.invoke(CHECK) == {"checked": 1, "failing": 0}


def test_other_kinds_are_looked_at_and_nothing_is_put_there(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders")
    system.client("s3").create_bucket(Bucket="tapedeck-dest-archive")
    copies = create(system, name="copies").json()["id"]
    made = [
        make(system, type="sqs", metadata={"aws_account_id": "123456789012", "queue_name": "tapedeck-dest-orders"}),
        make(system, type="sqs", metadata={"aws_account_id": "123456789012", "queue_name": "tapedeck-dest-gone"}),
        make(system, type="s3", metadata={"bucket": "tapedeck-dest-archive"}),
        make(system, type="collection", metadata={"collection_id": copies}),
        make(system, type="listen", metadata={}),
    ]
    assert system.invoke(CHECK) == {"checked": 4, "failing": 1}
    assert [health(system, each["id"])[0] for each in made] == ["ok", "error", "ok", "ok", "pending"]
    assert received(system, url) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_anywhere_and_the_next_round_makes_up_for_it(local: System, sink: Sink, kind: Kind) -> None:
    made = [make(local, metadata={"url": sink.url, "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})["id"] for _ in range(2)]
    for at in range(9):
        with local.cloud.fault(kind, at) as fault, suppress(Killed, Exception):
            local.invoke(CHECK)
        local.invoke(CHECK)
        assert {health(local, each) for each in made} == {("ok", "", int(local.now))}, (kind, at)
        local.skip(store.EVERY)
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")
