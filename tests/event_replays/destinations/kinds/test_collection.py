"""collection destinations: copies in another collection, each once, whose they were, and never in a circle (F10, T22)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck.event_replays import ringing
from tapedeck.event_replays.destinations import sending, store
from tapedeck.event_replays.destinations.model import Delivery
from tapedeck.events import chunks
from tapedeck.events import store as events
from tapedeck.events.model import Event
from tapedeck.events.store import CollectionId
from tests.event_replays.destinations.asking import deliveries, make, opened
from tests.event_replays.test_create_collection import create
from tests.harness import KINDS, System
from tests.harness.cloud import Killed, Kind


def copies(system: System, to: str) -> list[Event]:
    """What is in a collection, the oldest first."""
    found = list(events.newest_first(CollectionId(system.acme.id, to)))
    return [event for chunk in reversed(found) for event in chunks.decode(events.body(chunk), received=chunk.received)]


def destination(system: System) -> tuple[str, dict[str, Any]]:
    """(the id of an empty collection, the destination that leads there)."""
    to: str = create(system, name="copies").json()["id"]
    return to, make(system, type="collection", metadata={"collection_id": to})


def test_a_copy_is_the_event_but_for_its_number_its_id_and_its_receive_time(system: System) -> None:
    to, made = destination(system)
    system.skip(60)
    sent = deliveries(b'{ "n": 12.50,\n "m": 1 }', 2, user="u1", pm_id=3, rev="abc")
    with opened(system, made) as sender:
        assert all(outcome.ok for outcome in sender.send(sent))
        assert sender.check().ok
    for original, copy in zip(sent, copies(system, to), strict=True):
        assert bytes(copy.data) == original.body
        for member in ("name", "app", "server", "at", "pm_id", "rev", "user"):
            assert getattr(copy, member) == getattr(original.event, member)
        assert (copy.hops, copy.received) == (1, int(system.now * 1000))
        assert copy.id != original.event.id
        assert copy.id[:8] == original.event.id[:8]


def test_what_is_sent_again_adds_nothing_and_what_is_cut_otherwise_has_equal_ids(system: System) -> None:
    to, made = destination(system)
    batch = deliveries(*range(20))
    for _ in range(3):
        with opened(system, made) as sender:
            assert all(outcome.ok for outcome in sender.send(batch))
    assert len(copies(system, to)) == 20
    with opened(system, made) as sender:
        sender.send(batch[5:15])
    assert len({copy.id for copy in copies(system, to)}) == 20


def test_after_three_replays_it_is_enough(system: System) -> None:
    to, made = destination(system)
    batch = [*deliveries(1, hops=2), *deliveries(2, hops=3), *deliveries(3, hops=9)]
    with opened(system, made) as sender:
        outcomes = sender.send([each._replace(key=f"{each.key}{index}") for index, each in enumerate(batch)])
    assert [(outcome.ok, outcome.retry) for outcome in outcomes] == [(True, False), (False, False), (False, False)]
    assert outcomes[1].message == "has come through 3 replays already"
    assert [copy.hops for copy in copies(system, to)] == [3]


def test_a_circle_of_collections_ends(system: System) -> None:
    """trust.md T22: what a collection has is copied into itself until nothing may be."""
    to, made = destination(system)
    with opened(system, made) as sender:
        sender.send(deliveries(*range(5)))
        for turn in range(6):
            found = copies(system, to)
            sender.send([Delivery(f"replay-{turn}:{event.id}", event, number) for number, event in enumerate(found)])
    assert {copy.hops for copy in copies(system, to)} == {1, 2, 3}
    before = len(copies(system, to))
    with opened(system, made) as sender:
        last = [each for each in copies(system, to) if each.hops == 3]
        assert not any(outcome.ok for outcome in sender.send([Delivery(f"again:{event.id}", event, 0) for event in last]))
    assert len(copies(system, to)) == before


def test_many_names_are_several_commits(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    to, made = destination(system)
    monkeypatch.setattr(events, "MOST_SUMMARY", 1500)
    batch = [each._replace(event=deliveries(1, name=f"name-{index}" * 10)[0].event, key=f"{each.key}-{index}") for index, each in enumerate(deliveries(*range(40)))]
    with opened(system, made) as sender:
        assert all(outcome.ok for outcome in sender.send(batch))
    assert len(copies(system, to)) == 40


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_anywhere_loses_nothing_and_doubles_nothing(system: System, kind: Kind) -> None:
    """trust.md F10: the batch is sent again until it is said to be there."""
    to, made = destination(system)
    pad = "x" * 9000  # a body of its own in the bucket
    for at in range(20):
        batch = [each._replace(key=f"{each.key}-{at}") for each in deliveries(pad, 2, 3)]
        before = len(copies(system, to))
        with system.cloud.fault(kind, at) as fault:
            try:
                with opened(system, made) as sender:
                    sender.send(batch)
            except Killed:
                system.cold()
            except (ClientError, BotoCoreError):  # opening reads our own tables: the failure is the worker's, and so is the retry
                assert kind in ("refused", "answers-lost")
        with opened(system, made) as sender:
            assert all(outcome.ok for outcome in sender.send(batch))
        assert len(copies(system, to)) == before + 3, (kind, at)
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")


def test_a_collection_that_is_another_organizations_or_gone_is_none(system: System) -> None:
    _, made = destination(system)
    foreign = replace(store.read(system.acme.id, made["id"]), metadata={"collection_id": system.globex.web.collection_id})
    with sending.open(foreign) as sender:
        [outcome] = sender.send(deliveries(1))
        assert (outcome.ok, outcome.retry, outcome.message) == (False, False, "there is no such collection")
        assert not sender.check().ok


def test_replays_that_go_on_with_that_collection_are_rung_for(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    to, made = destination(system)
    rung: list[CollectionId] = []
    monkeypatch.setattr(ringing, "events_came", rung.append)
    with opened(system, made) as sender:
        sender.send(deliveries(1, 2))
        sender.send(deliveries(3, hops=3))
    assert rung == [CollectionId(system.acme.id, to)]
