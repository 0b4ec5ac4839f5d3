"""POST /v1/destination/{id}/test: one test event, and how it fared in the four members of the description."""

from __future__ import annotations

import json

from tests.event_replays.destinations.asking import ask, make
from tests.event_replays.destinations.kinds.test_sqs import queue, received
from tests.event_replays.destinations.sink import Sink, says
from tests.event_replays.test_create_collection import create
from tests.harness import System


def test_a_test_event_is_sent_and_its_outcome_is_the_health(local: System, sink: Sink) -> None:
    made = make(local, metadata={"url": sink.url, "headers": {"Authorization": "Bearer one-long-token"}})
    for status, said in ((200, ("ok", "")), (404, ("error", "received non-2xx response (404)")), (503, ("error", "received non-2xx response (503)"))):
        sink.then = says(status)
        block = ask(local, "POST", f"/{made['id']}/test").json()[made["id"]]
        assert (block["status"], block["message"], block["last_checked_at"]) == (*said, int(local.now))
        assert isinstance(block["latency_ms"], int)
        assert local.request("GET", f"/v1/health/destination/{made['id']}", token=local.acme.token("member")).json() == {made["id"]: block}
    data = json.loads(sink.asked[0].body)
    assert data == {"type": "tapedeck.test", "destination_id": made["id"], "sent_at": "2026-03-05T10:00:00.000000Z"}
    assert sink.asked[0].headers["authorization"] == "Bearer one-long-token"
    assert len({asked.headers["idempotency-key"] for asked in sink.asked}) == 3


def test_nobody_there_is_said_in_batchs_words(local: System) -> None:
    made = make(local, metadata={"url": "http://127.0.0.1:9/"})
    assert ask(local, "POST", f"/{made['id']}/test").json() == {
        made["id"]: {"latency_ms": 0, "status": "error", "message": "Failed to connect", "last_checked_at": int(local.now)}
    }


def test_it_does_not_lead_back_here(local: System) -> None:
    """trust.md T22."""
    answer = ask(local, "POST", json={"name": "loop", "type": "http", "metadata": {"url": "https://tapedeck01.execute-api.us-east-1.amazonaws.com/v/v1/collect"}})
    assert answer.json()["errors"][0]["field"] == "metadata.url"


def test_other_kinds_are_sent_to_as_well(system: System) -> None:
    url = queue(system, "tapedeck-dest-orders")
    made = make(system, type="sqs", metadata={"aws_account_id": "123456789012", "queue_name": "tapedeck-dest-orders"})
    assert ask(system, "POST", f"/{made['id']}/test").json()[made["id"]]["status"] == "ok"
    assert json.loads(received(system, url)[0]["Body"])["type"] == "tapedeck.test"
    copies = create(system, name="copies").json()["id"]
    made = make(system, type="collection", metadata={"collection_id": copies})
    assert ask(system, "POST", f"/{made['id']}/test").json()[made["id"]]["status"] == "ok"


def test_what_is_listened_to_cannot_be_sent_to(system: System) -> None:
    made = make(system, type="listen", metadata={})
    block = ask(system, "POST", f"/{made['id']}/test").json()[made["id"]]
    assert block == {"latency_ms": 0, "status": "pending", "message": "", "last_checked_at": 0}


def test_when_secrets_cannot_be_opened_nothing_is_sent(local: System, sink: Sink) -> None:
    """trust.md F24: fail closed, 503."""
    made = make(local, metadata={"url": sink.url, "headers": {"Authorization": "Bearer one-long-token"}})
    for at in range(9):
        with local.cloud.watch() as calls, local.cloud.fault("refused", at):
            answer = ask(local, "POST", f"/{made['id']}/test")
        if calls and calls[-1].operation == "Decrypt":
            assert answer.status == 503
            assert sink.asked == []
            return
    raise AssertionError("no secret was opened")
