"""http destinations: what is sent, byte for byte, and what every answer means (contract §1.4, trust.md F9, F10)."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tapedeck.event_replays.destinations import egress
from tapedeck.event_replays.destinations.model import Outcome
from tests.event_replays.destinations.asking import BEARER, REPLAY, SECRET, deliveries, make, opened
from tests.event_replays.destinations.sink import OK, Sink, says
from tests.event_replays.destinations.test_egress import resolver
from tests.event_replays.destinations.test_signing import verify
from tests.harness import System


def send(system: System, sink: Sink, *data: Any, hops: int = 0, **metadata: Any) -> list[Outcome]:
    """What became of these events."""
    made = make(system, metadata={"url": sink.url, **metadata})
    with opened(system, made) as sender:
        assert sender.batch == 1, "contract §1.4: one POST per event, never batched"
        return [outcome for each in deliveries(*data, hops=hops) for outcome in sender.send([each])]


@pytest.mark.parametrize(
    "data", [b'{ "sum" : 12.50,\n\t"name":"\\u00e9\xc3\xa9" }', b'"text"', b"12345678901234567890.0", b"[1,\n2]", b"null", b"{}", b'{"a":"' + b"x" * 1_000_000 + b'"}']
)
def test_an_event_is_one_post_and_its_body_is_what_was_collected_to_the_byte(local: System, sink: Sink, data: bytes) -> None:
    [outcome] = send(local, sink, data, headers=[{"Authorization": BEARER}, {"X-Env": "prod"}])
    assert (outcome.ok, outcome.status, outcome.message) == (True, 200, "")
    [asked] = sink.asked
    assert (asked.line, asked.body) == ("POST /hook?of=tests HTTP/1.1", data)
    assert asked.headers == {
        "host": f"127.0.0.1:{sink.port}", "user-agent": "Tapedeck/0.1", "content-type": "application/json", "accept": "*/*", "accept-encoding": "identity",
        "authorization": BEARER, "x-env": "prod", "content-length": str(len(data)), "idempotency-key": f"{REPLAY}:69a95ce00000000000000000", "x-replay-hops": "1",
    }  # fmt: skip


def test_configured_headers_win_over_the_usual_ones(local: System, sink: Sink) -> None:
    send(local, sink, b"<xml/>", headers={"content-type": "text/xml", "User-Agent": "me"})
    assert (sink.asked[0].headers["content-type"], sink.asked[0].headers["user-agent"]) == ("text/xml", "me")


def test_keys_are_the_same_at_every_attempt_and_hops_are_counted(local: System, sink: Sink) -> None:
    for _ in range(2):
        send(local, sink, 1, 2, hops=2)
    assert [asked.headers["idempotency-key"][-1] for asked in sink.asked] == ["0", "1", "0", "1"]
    assert {asked.headers["x-replay-hops"] for asked in sink.asked} == {"3"}


def test_requests_are_signed_when_there_is_a_secret(local: System, sink: Sink) -> None:
    send(local, sink, {"a": 1}, signing_secret=SECRET)
    send(local, sink, {"a": 1})
    signed, plain = sink.asked
    assert verify(SECRET, signed.headers, signed.body, now=local.now)
    assert signed.headers["webhook-id"] == signed.headers["idempotency-key"]
    assert "webhook-signature" not in plain.headers


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        *((status, "X: y", Outcome(True, status=status)) for status in (200, 201, 202, 204, 299)),
        *((status, "X: y", Outcome(False, False, None, status, f"received non-2xx response ({status})")) for status in (301, 302, 304, 307, 400, 401, 403, 404, 409, 410, 422)),
        *((status, "X: y", Outcome(False, True, None, status, f"received non-2xx response ({status})")) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
        (429, "Retry-After: 7", Outcome(False, True, 7.0, 429, "received non-2xx response (429)")),
        (503, "Retry-After: 99999999999999", Outcome(False, True, 3600.0, 503, "received non-2xx response (503)")),
        (503, "Retry-After: Thu, 05 Mar 2026 10:00:30 GMT", Outcome(False, True, 30.0, 503, "received non-2xx response (503)")),
        (503, "Retry-After: Thu, 05 Mar 2026 09:00:00 GMT", Outcome(False, True, 0.0, 503, "received non-2xx response (503)")),
        (503, "Retry-After: Fri, 06 Mar 2026 10:00:00 GMT", Outcome(False, True, 3600.0, 503, "received non-2xx response (503)")),
        (503, "Retry-After: soon", Outcome(False, True, None, 503, "received non-2xx response (503)")),
        (503, "Retry-After: -5", Outcome(False, True, None, 503, "received non-2xx response (503)")),
        (503, "Retry-After: ", Outcome(False, True, None, 503, "received non-2xx response (503)")),
    ],
)  # fmt: skip
def test_what_every_answer_means(local: System, sink: Sink, status: int, header: str, expected: Outcome) -> None:
    """trust.md F9, T23: 4xx is final but for 408, 425 and 429; we wait as long as we are asked to, an hour at the most."""
    sink.then = says(status, header)
    [outcome] = send(local, sink, {})
    assert outcome._replace(latency_ms=0) == expected


def test_what_never_became_an_answer_may_pass(local: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract §1.2: the words are those that were seen of Batch."""
    sink.script = [lambda connection, _: False, OK]
    first, second = send(local, sink, 1, 2)
    assert (first.ok, first.retry, first.message) == (False, True, "Failed to connect")
    assert second.ok, "the next has a connection of its own"
    made = make(local, metadata={"url": "http://127.0.0.1:9/"})
    with opened(local, made) as sender:
        assert sender.send(deliveries(1))[0]._replace(latency_ms=0) == Outcome(False, True, message="Failed to connect")
    made = make(local, metadata={"url": "http://nowhere.invalid/"})
    with opened(local, made) as sender:
        assert sender.send(deliveries(1))[0].retry
    monkeypatch.setattr(egress, "TOTAL", 0.05)
    sink.then = lambda connection, _: bool(__import__("time").sleep(0.2))
    [outcome] = send(local, sink, 1)
    assert (outcome.retry, outcome.message) == (True, "Failed to connect: timed out")


def test_an_address_inside_is_refused_for_good_at_each_send(local: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """trust.md §5.1: checked when it is sent, not only when it is saved."""
    made = make(local, metadata={"url": "http://metadata.example/latest/meta-data/"})
    monkeypatch.setattr(socket, "getaddrinfo", resolver(["169.254.169.254"]))
    with opened(local, made) as sender:
        for _ in range(2):
            [outcome] = sender.send(deliveries(1))
            assert (outcome.ok, outcome.retry, outcome.message) == (False, False, "Failed to connect: the name leads to an address that is not public")


def test_what_was_allowed_when_it_was_saved_and_is_not_now_fails_for_good(local: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(local, metadata={"url": "http://hooks.example/in"})
    monkeypatch.setenv("STAGE", "staging")
    with opened(local, made) as sender:
        [outcome] = sender.send(deliveries(1))
        assert (outcome.ok, outcome.retry, outcome.message) == (False, False, "Failed to connect: the URL must begin with https://")
        assert not sender.check().ok


def test_elsewhere_than_on_a_laptop_this_machine_is_not_reached(system: System, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    """product.md §6: the local stage alone lets http destinations reach 127.0.0.1."""
    monkeypatch.setattr(egress, "PORTS", (443, sink.port))
    made = make(system, metadata={"url": f"https://localhost:{sink.port}/"})
    with opened(system, made) as sender:
        [outcome] = sender.send(deliveries(1))
    assert (outcome.ok, outcome.retry, sink.connections) == (False, False, 0)


@pytest.mark.parametrize(("status", "ok"), [(200, True), (204, True), (405, True), (501, True), (404, False), (500, False), (401, False)])
def test_a_check_changes_nothing_there(local: System, sink: Sink, status: int, ok: bool) -> None:
    sink.then = says(status)
    with opened(local, make(local, metadata={"url": sink.url})) as sender:
        outcome = sender.check()
    assert (outcome.ok, outcome.message) == (ok, "" if ok else f"received non-2xx response ({status})")
    assert sink.asked[0].line.startswith("HEAD ")
