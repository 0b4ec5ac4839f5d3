"""http: one POST an event, its body the event's data byte for byte, through the check of `egress`.

An event is known by its `Idempotency-Key`, the same at every attempt, and says in `X-Replay-Hops` how many replays it has come through.
With a signing secret each request is signed as Standard Webhooks, under that key. 2xx is delivered; 408, 425, 429, 5xx and what never
became an answer may pass; anything else, redirects too, is final.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

from tapedeck import clock
from tapedeck.event_replays import signing
from tapedeck.event_replays.destinations import surroundings
from tapedeck.event_replays.destinations.egress import Line, Refused, Reply, Target, target
from tapedeck.event_replays.destinations.model import MOST_WAIT, Delivery, Outcome, later, never

AGENT = "Tapedeck/0.1"
FAILED = "Failed to connect"
_MAY_PASS = (408, 425, 429)
_THERE = (405, 501)  # what an endpoint that only knows POST says to a HEAD


class Sender:
    """Connections to one URL. May be used by several threads."""

    batch = 1
    _line: Line | None
    _head: bytes  # what is the same in every request
    _refused: str  # why nothing is sent

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        here = surroundings.here()
        self._secret: str | None = metadata.get("signing_secret")
        try:
            where = target(metadata["url"], local=here.local, own=here.own)
        except Refused as why:  # it was not, when it was saved
            self._line, self._refused = None, str(why)
        else:
            self._line, self._head = Line(where, local=here.local), _head(where, metadata.get("headers", ()))

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """POST each of them, one after the other."""
        return [self.post(each.body, each.key, {"X-Replay-Hops": str(each.hops)}) for each in deliveries]

    def post(self, body: bytes, key: str, headers: Mapping[str, str]) -> Outcome:
        """POST a body under a key."""
        told = {"Content-Length": str(len(body)), "Idempotency-Key": key, **headers}
        if self._secret:
            told |= signing.headers(self._secret, key, body, clock.now())
        return self._outcome("POST", told, body)

    def check(self) -> Outcome:
        """Whether the endpoint answers: a HEAD, which changes nothing there."""
        outcome = self._outcome("HEAD", {}, b"")
        return Outcome(True, status=outcome.status, latency_ms=outcome.latency_ms) if outcome.status in _THERE else outcome

    def close(self) -> None:
        """Hang up."""
        if self._line:
            self._line.close()

    def _outcome(self, method: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        if self._line is None:
            return never(f"{FAILED}: the URL {self._refused}")
        own = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")
        line = f"{method} {self._line.target.path} HTTP/1.1\r\n".encode("ascii")
        try:
            return judge(self._line.ask(line + self._head + own + b"\r\n", body, method=method), now=clock.now())
        except Refused as why:
            return never(f"{FAILED}: {why}")
        except TimeoutError:
            return later(f"{FAILED}: timed out")
        except (OSError, HTTPException, socket.gaierror, UnicodeError):
            return later(FAILED)


def _head(where: Target, headers: Sequence[Mapping[str, str]]) -> bytes:
    configured = [(name, value) for header in headers for name, value in header.items()]
    names = {name.lower() for name, _ in configured}
    usual = {"User-Agent": AGENT, "Content-Type": "application/json", "Accept": "*/*", "Accept-Encoding": "identity"}
    said = [("Host", where.authority), *((name, value) for name, value in usual.items() if name.lower() not in names)]
    return "".join(f"{name}: {value}\r\n" for name, value in [*said, *configured]).encode("latin-1")


def judge(reply: Reply, *, now: float) -> Outcome:
    """What an answer means for the delivery."""
    if 200 <= reply.status < 300:
        return Outcome(True, status=reply.status, latency_ms=reply.latency_ms)
    message = f"received non-2xx response ({reply.status})"
    if reply.status in _MAY_PASS or reply.status >= 500:
        wait = _wait(reply.retry_after, now)
        return later(message, latency_ms=reply.latency_ms, retry_after=wait, status=reply.status)
    return never(message, latency_ms=reply.latency_ms, status=reply.status)


def _wait(retry_after: str | None, now: float) -> float | None:
    """Seconds until a destination wants to hear from us again, of a number of them or a date: an hour at the most."""
    if retry_after is None:
        return None
    said = retry_after.strip()
    if said.isascii() and said.isdigit():
        return min(float(said[:10]), MOST_WAIT)
    try:
        at = parsedate_to_datetime(said)
    except ValueError:
        return None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.fromtimestamp(now, UTC)
    return min(max(seconds.total_seconds(), 0.0), MOST_WAIT)
