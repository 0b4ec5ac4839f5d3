"""Notices that a replay is over: to whoever asked, signed as Standard Webhooks, safe to be told twice."""

from __future__ import annotations

import json

import pytest

from tapedeck.event_replays.destinations import notifying, store
from tests.event_replays.destinations.asking import REPLAY, SECRET, ask, make
from tests.event_replays.destinations.sink import Sink, says
from tests.event_replays.destinations.test_signing import verify
from tests.harness import System

NOTICE = {"id": REPLAY, "name": "again", "state": "completed"}


def test_who_asked_is_told_and_nobody_else(local: System, sink: Sink) -> None:
    made = make(local, metadata={"url": sink.url, "signing_secret": SECRET}, notifications=["replay.completed"])
    make(local, metadata={"url": sink.url}, notifications=["replay.failed"])
    make(local, metadata={"url": sink.url})
    gone = make(local, metadata={"url": sink.url}, notifications=["replay.completed"])
    ask(local, "DELETE", f"/{gone['id']}")
    for _ in range(2):
        assert notifying.tell(local.acme.id, "replay.completed", NOTICE)
    first, second = sink.asked
    assert json.loads(first.body) == {"type": "replay.completed", "timestamp": "2026-03-05T10:00:00.000000Z", "data": NOTICE}
    assert verify(SECRET, first.headers, first.body, now=local.now)
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"{REPLAY}:completed"
    assert store.read(local.acme.id, made["id"]).health.status == "ok"
    assert notifying.tell(local.globex.id, "replay.completed", NOTICE)
    assert len(sink.asked) == 2, "another organization's replays are not theirs to hear of"


@pytest.mark.parametrize(("status", "told"), [(204, True), (404, True), (410, True), (302, True), (500, False), (503, False), (429, False)])
def test_what_may_pass_is_told_again_later(local: System, sink: Sink, status: int, told: bool) -> None:
    sink.then = says(status)
    make(local, metadata={"url": sink.url}, notifications=["replay.failed", "replay.aborted"])
    assert notifying.tell(local.acme.id, "replay.failed", NOTICE) is told
    assert notifying.tell(local.acme.id, "replay.aborted", NOTICE) is told


def test_one_that_is_down_does_not_keep_it_from_the_others(local: System, sink: Sink) -> None:
    make(local, metadata={"url": "http://127.0.0.1:9/"}, notifications=["replay.failed"])
    make(local, metadata={"url": sink.url}, notifications=["replay.failed"])
    assert not notifying.tell(local.acme.id, "replay.failed", NOTICE)
    assert len(sink.asked) == 1


def test_other_kinds_of_news_are_no_news(local: System) -> None:
    assert notifying.tell(local.acme.id, "replay.started", NOTICE)
