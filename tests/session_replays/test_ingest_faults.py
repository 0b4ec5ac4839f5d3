"""Every AWS call of ingest × every fault, then the client's retry: nothing lost, nothing twice, no object without a row (trust.md §6.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.harness import KINDS, System, envelopes
from tests.harness.cloud import Kind
from tests.harness.sdk import read, record, replay_url, send, shown

RETRIES = 3  # what the browser SDK does
EVENT = "e" * 32


def _first(system: System, replay_id: str) -> bytes:
    return envelopes.segment(replay_id, 0, at=system.now, events=[envelopes.click(4, at=system.now - 3)])


def _later(system: System, replay_id: str) -> bytes:
    record(system, system.acme.web, replay_id=replay_id)
    return envelopes.segment(replay_id, 1, at=system.now, urls=["/next"], events=[envelopes.slow_click(4, at=system.now - 3, clicks=5)])


def _anonymous(system: System, replay_id: str) -> bytes:
    return envelopes.segment(replay_id, 0, at=system.now, user=None, compress=False)


def _link(system: System, replay_id: str) -> bytes:
    record(system, system.acme.web, replay_id=replay_id)
    return envelopes.error_event(replay_id, event_id=EVENT, at=system.now)


def _both(system: System, replay_id: str) -> bytes:
    """A segment and an event in one envelope."""
    event = {"event_id": EVENT, "level": "warning", "timestamp": system.now, "tags": {"replayId": replay_id}}
    return _first(system, replay_id) + envelopes.envelope({}, ({"type": "event"}, event)).split(b"\n", 1)[1]


SCENARIOS: dict[str, Callable[[System, str], bytes]] = {
    "the first segment": _first,
    "a later segment": _later,
    "a segment of nobody, plain": _anonymous,
    "an error event": _link,
    "a segment with an event": _both,
}


def whole(system: System, replay_id: str) -> tuple[dict[str, Any], Any]:
    """What a reader sees of a replay, without its id."""
    row = shown(system, system.acme, system.acme.web, replay_id)
    url = replay_url(system.acme, system.acme.web, replay_id, "recording-segments/")
    events = system.request("GET", url, query={"download": ""}, token=system.acme.token("member")).json()
    return {**row, "id": None}, events


def audit(system: System) -> None:
    """S3 against DynamoDB: every recording has a row that names it, and every row's recording is there."""
    rows = {item["object_key"]["S"] for item in system.items("ReplaysTable") if item["sk"]["S"].startswith("S#")}
    objects = set(system.objects(prefix="rec/"))
    assert objects - rows == set(), "recordings that no row knows"
    assert rows - objects == set(), "rows whose recording is not there"


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "side by side the other way round"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", SCENARIOS)
def test_nothing_is_lost_and_nothing_is_there_twice_after_a_retry(system: System, what: str, kind: Kind, backwards: bool) -> None:
    prepare, web = SCENARIOS[what], system.acme.web
    is_cold = what == "the first segment"  # one scenario is enough to fail the reads of the directory
    system.cloud.backwards = backwards
    calm = envelopes.new_id()
    body = prepare(system, calm)
    record(system, web)
    if is_cold:
        system.cold()
    with system.cloud.watch() as calls:
        assert send(system, web, body).status == 200
    assert len(calls) >= 2
    expected = whole(system, calm)
    for k in range(len(calls)):
        replay_id = envelopes.new_id()
        body = prepare(system, replay_id)
        if is_cold:
            system.cold()
        with system.cloud.fault(kind, k) as fault:
            answer = send(system, web, body)
        assert fault.happened, (k, str(calls[k]))
        for _ in range(RETRIES):
            if answer.status == 200:
                break
            assert answer.status in (502, 503), (k, str(calls[k]), answer)
            answer = send(system, web, body)
        assert answer.status == 200, (k, str(calls[k]), answer)
        assert whole(system, replay_id) == expected, (k, str(calls[k]))
    system.advance(20 * 60)
    audit(system)
    assert whole(system, calm) == expected, "the janitor leaves what has a row"


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "side by side the other way round"])
@pytest.mark.parametrize("what", ["the first segment", "a later segment"])
def test_a_client_that_never_comes_back_leaves_no_object_without_a_row(system: System, what: str, backwards: bool) -> None:
    prepare, web = SCENARIOS[what], system.acme.web
    system.cloud.backwards = backwards
    body = prepare(system, envelopes.new_id())
    system.cold()
    with system.cloud.watch() as calls:
        send(system, web, body)
    acknowledged: dict[str, int] = {}
    for kind in ("killed-before", "killed-after", "refused", "answers-lost"):
        for k in range(len(calls)):
            replay_id = envelopes.new_id()
            body = prepare(system, replay_id)
            system.cold()
            with system.cloud.fault(kind, k):
                acknowledged[replay_id] = send(system, web, body).status
    orphans = len(system.objects(prefix="rec/"))
    system.advance(45 * 60)
    swept = system.objects(prefix="rec/")
    rows = {item["object_key"]["S"] for item in system.items("ReplaysTable") if item["sk"]["S"].startswith("S#")}
    assert set(swept) <= rows
    assert len(swept) < orphans, "some fault must have left an orphan, or this test shows nothing"
    for replay_id, status in acknowledged.items():
        assert status != 200 or read(system, system.acme, web, replay_id).status == 200


@pytest.mark.parametrize("pause", [20 * 60, 61 * 60, 26 * 3600], ids=["after the janitor", "in another hour", "on another day"])
@pytest.mark.parametrize("kind", ["killed-before", "killed-after"])
def test_a_late_retry_finds_its_way_whatever_the_janitor_did_meanwhile(system: System, kind: Kind, pause: float) -> None:
    web = system.acme.web
    with system.cloud.watch() as calls:
        send(system, web, _first(system, envelopes.new_id()))
    bodies: dict[str, bytes] = {}
    for backwards in (False, True):
        system.cloud.backwards = backwards
        for k in range(len(calls)):
            replay_id = envelopes.new_id()
            bodies[replay_id] = _first(system, replay_id)
            system.cold()
            with system.cloud.fault(kind, k):
                send(system, web, bodies[replay_id])
    system.advance(pause)
    for replay_id, body in bodies.items():
        answer = send(system, web, body)
        assert answer.status == 200, answer
        assert len(whole(system, replay_id)[1]) == 1
    system.advance(45 * 60)
    audit(system)


def test_the_janitor_comes_in_between_at_every_call_of_a_retry(system: System) -> None:
    """The interleaving that single faults do not show (trust.md M7): a retry under way while the orphan of its first attempt is swept."""
    web = system.acme.web
    system.cloud.backwards = False
    with system.cloud.watch() as calls:
        send(system, web, _first(system, envelopes.new_id()))
    bodies: dict[str, tuple[int, bytes]] = {}
    for k in range(len(calls) + 1):
        replay_id = envelopes.new_id()
        bodies[replay_id] = k, _first(system, replay_id)
        with system.cloud.fault("killed-after", 0):  # the object is there, its row is not
            send(system, web, bodies[replay_id][1])
    system.now += 15 * 60  # old enough to be swept; the schedule has not fired
    for replay_id, (k, body) in bodies.items():
        with system.cloud.between(k, lambda: system.invoke("session_replays/sweep_orphans") and None):
            answer = send(system, web, body)
        assert answer.status in (200, 503), answer
        assert send(system, web, body).status == 200
        assert len(whole(system, replay_id)[1]) == 1, k
        assert whole(system, replay_id)[1] != [[]], f"the janitor at call {k} took the recording of an accepted segment"
    audit(system)
