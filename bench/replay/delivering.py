"""Delivering what a replay finds: the worker beside a bare loop that does nothing but POST the same bodies at the same concurrency.

Both talk to a sink in a process of its own on this machine. The loop has its bodies in memory, a kept-alive `http.client` connection for
each of its threads, and nobody to account to. The worker begins with a chunk's bytes, evaluates the query, and writes its checkpoints, each
of which takes as long as DynamoDB does.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from bench.figures import Figure
from bench.replay import material
from tapedeck.events import chunks

EVENTS = 10_000
CONCURRENCIES = (1, 8, 32)
ROUNDS = 5
CHECKPOINT = 0.005  # seconds
MOST_OVER = 1 / 0.8  # the loop's speed may be so many times ours
LAMBDA_MB = 256
HEAVY = 20 * 1024 * 1024  # bytes of a chunk's lines


def measure() -> list[Figure]:
    """Milliseconds for a thousand events, the best of some rounds taken in turn; and the worker's memory."""
    found = []
    with _sink() as port:
        for concurrency in CONCURRENCIES:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(_took(lambda concurrency=concurrency: replay(port, concurrency)))
                theirs.append(_took(lambda concurrency=concurrency: post(port, concurrency)))
            each = 1_000_000 / EVENTS
            name = f"deliver 1,000 events over HTTP, {concurrency} at a time (a bare loop)"
            found.append(Figure(name, min(ours) * each, min(theirs) * each, MOST_OVER))
    return [*found, Figure("peak memory: the worker of event replays, on a chunk of 20 MB", _peak(), target=LAMBDA_MB, unit="MB")]


def replay(port: int, concurrency: int) -> None:
    """Let a worker replay a chunk to the sink."""
    from tapedeck.event_replays.destinations.kinds import http

    os.environ |= {"STAGE": "local", "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/bench"}  # a destination may be this machine
    sender = http.Sender({"url": f"http://127.0.0.1:{port}/"})
    sent = _worked(_chunk(EVENTS), sender, concurrency, checkpoint=CHECKPOINT)
    sender.close()
    assert sent == EVENTS, sent


def post(port: int, concurrency: int) -> None:
    """POST the same bodies from so many threads."""
    bodies = iter(_bodies())
    lock = threading.Lock()

    def work() -> None:
        connection = HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                body = next(bodies, None)
            if body is None:
                break
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def remember(path: str) -> None:
    """Replay the heaviest chunk there is to nobody, with everything loaded that a worker needs."""
    from tapedeck import aws
    from tapedeck.event_replays.destinations.model import Outcome

    for service in ("dynamodb", "s3", "sqs", "kms"):
        aws.client(service)

    class Nobody:
        batch = 1

        def send(self, deliveries: Sequence[Any]) -> list[Outcome]:
            return [Outcome(True)] * len(deliveries)

    chunk = Path(path)
    size = int(chunk.suffix[1:])
    assert _worked((chunk.read_bytes(), size), Nobody(), 8, checkpoint=0) == size
    print(_resident())


def _resident() -> float:
    """The most megabytes that this process ever held. `ru_maxrss` would begin with what its parent held when it was forked."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _peak() -> float:
    """Megabytes that a process of its own holds at most, interpreter and libraries included."""
    size = EVENTS * -(-HEAVY // len(chunks.lines(_chunk(EVENTS)[0])))
    body, _ = _chunk(size)
    assert len(chunks.lines(body)) >= HEAVY
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"chunk.{size}"
        path.write_bytes(body)
        program = f"from bench import material; material.settle(); from bench.replay import delivering; delivering.remember({str(path)!r})"
        ran = subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
        )
    return float(ran.stdout.splitlines()[-1])


def _worked(chunk: tuple[bytes, int], sender: Any, concurrency: int, *, checkpoint: float) -> int:
    """How many events a worker sends of a chunk, over stores that answer after `checkpoint` seconds."""
    from tapedeck.event_replays import feeding, running, store
    from tapedeck.event_replays.destinations import store as destinations
    from tapedeck.event_replays.destinations.model import Destination
    from tapedeck.event_replays.model import Progress, Replay
    from tapedeck.events import lucene, spans
    from tapedeck.events.spans import Span
    from tapedeck.events.store import Chunk, CollectionId

    body, size = chunk
    part = Chunk(0, 0, size, 1, 1, len(body), b"", body)
    query = lucene.compile("*", team_id="bench")
    row = Replay(1, "bench", "", "", "single", "*", "c", 1, "d", concurrency, 0.0, 0.0, Progress(0), size, state="running", owner="me")

    class Source:
        def places(self, progress: Progress) -> Any:
            return feeding.places(Span(CollectionId(1, "c")), query, progress, size)

        def goes_on(self, progress: Progress) -> bool:
            return progress.position < size

    def change(replay: Replay, step: Any) -> Replay:
        time.sleep(checkpoint)
        moved: Replay = step(replay)[0]
        return moved

    parts = patch.object(spans, "chunks_of", lambda _span, since=0: iter([part] if since < size else []))
    with patch.object(store, "change", change), patch.object(destinations, "note_health"), parts, ThreadPoolExecutor(1) as beside:
        to = Destination(1, "d", "http", "", "", {}, 0.0, 0.0)
        worker = running.Worker(row, "me", Source(), to, sender, beside)  # type: ignore[arg-type]
        return worker.work(lambda: 900.0).progress.sent


_made: dict[int, tuple[bytes, int]] = {}


def _chunk(size: int) -> tuple[bytes, int]:
    if size not in _made:
        _made[size] = chunks.encode(list(material.events(size))), size
    return _made[size]


def _bodies() -> list[bytes]:
    return [bytes(event.data) for event in chunks.decode(_chunk(EVENTS)[0])]


def _took(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@contextmanager
def _sink() -> Iterator[int]:
    """The port of a server in a process of its own that says 200 to whatever it is sent."""
    server = subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


_SINK = r"""
import asyncio

class Sink(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.got = transport, b""

    def data_received(self, data):
        self.got += data
        while True:
            head, found, rest = self.got.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if len(rest) < length:
                return
            self.got = rest[length:]
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

async def main():
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
