"""What taking a batch of events costs, and what asking for them does when there are ten thousand of them, or a million."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from math import ceil
from typing import Any
from unittest.mock import patch

from bench import material, timing
from bench.figures import Figure

BATCH = 500
ROUNDS = 15
SIZES = (10_000, 1_000_000)
PAGE = 1024 * 1024  # bytes that one Query may read
UNIT = 4096  # bytes that a read unit reads, consistently
MOST_UNITS = 12  # what a scan of a few megabytes of events would cost many times over; minutes and names decide it, not events
DAYS = 2
NAMES = (("order:paid", "shop"), ("order:left", "shop"), ("user:login", "api"))


def measure() -> list[Figure]:
    """Batches through the whole of ingest; the questions against chunks that the real compactor has merged."""
    return [_taking(), *_asking()]


def _taking() -> Figure:
    import boto3
    import orjson
    import zstandard

    from tapedeck import aws, tombstones
    from tapedeck.events import ingesting, store

    bodies = [_body(seed) for seed in range(20)]
    material.stand_in(b"")
    head = {name: {"N": "0"} for name in ("next", "generation", "received", "erasures")}
    material.answer(aws.client("dynamodb"), {"GetItem": lambda _: orjson.dumps({"Item": head})})
    stock = boto3.client("s3")
    material.answer(stock, {"PutObject": lambda _: b""})
    collection = store.CollectionId(1, "c")

    def ours() -> None:
        for body in bodies:
            assert len(ingesting.take_records(collection, 1, body, idempotency_key=None).ids) == BATCH

    def theirs() -> None:
        for number, body in enumerate(bodies):
            orjson.loads(body)
            stock.put_object(Bucket="events", Key=str(number), Body=zstandard.ZstdCompressor(level=3).compress(body))

    with patch.object(tombstones, "of_users", return_value={}), timing.one_core():  # looked up once in a container's life
        mine, plain = (seconds / len(bodies) * 1000 for seconds in timing.best_cpu([ours, theirs], rounds=ROUNDS))
    return Figure("take 500 events: CPU over orjson + zstd + one put_object", mine, plain, 3)


def _body(seed: int) -> bytes:
    chance = random.Random(seed)
    return json.dumps([_record(chance, int(material.AT * 1000)) for _ in range(BATCH)]).encode()


def _record(chance: random.Random, at: int) -> dict[str, Any]:
    name, app = chance.choice(NAMES)
    data = {"user": {"id": str(chance.randrange(10_000))}, "amount": chance.randrange(10_000) / 100, "note": chance.randbytes(40).hex()}
    return {"name": name, "data": data, "at": at, "process": {"name": app, "server": "web-1", "pm_id": 0, "rev": "1.4.2"}}


def _asking() -> Iterator[Figure]:
    from tapedeck.events import asking, retrieving, store

    collection, now = store.CollectionId(1, "c"), material.AT + DAYS * 86400
    units: dict[int, float] = {}
    for size in SIZES:
        shelf = Shelf(size)
        with shelf.instead_of_the_store():
            asked = asking.distribution(b'{"event_name":"order:paid"}', now=now)
            points = retrieving.distribution(collection, asked)
            assert sum(count for _, count in points) == shelf.paid, "every event is counted once"
            units[size] = shelf.bytes_read / UNIT
            yield Figure(f"histogram of 2 days by minute, {size:,} events: round trips", ceil(shelf.bytes_read / PAGE), target=1, unit="")
            for offset in (0, 100_000):
                if offset < shelf.paid:
                    shelf.opened = 0
                    page = retrieving.retrieve(collection, asking.retrieval(json.dumps({"event_name": "order:paid", "offset": offset})))
                    assert len(page) == 100
                    yield Figure(f"a page at offset {offset:,} of {size:,} events: chunks opened", shelf.opened, target=2, unit="")
    for size in SIZES:
        yield Figure(f"histogram of 2 days by minute, {size:,} events: read units", units[size], target=MOST_UNITS, unit="")


class Shelf:
    """What stands in for the table: `size` events of two days, taken in batches and merged by the real compactor."""

    def __init__(self, size: int) -> None:
        from tapedeck.events import chunks as bodies
        from tapedeck.events import compacting, parsing, store, summaries

        self.chunks: list[Any] = []
        self.paid = self.bytes_read = self.opened = 0
        chance = random.Random(size)
        for number in range(size // BATCH):
            start = int(material.AT * 1000) + number * BATCH * (DAYS * 86_400_000 // size)
            records = [_record(chance, start + place * (DAYS * 86_400_000 // size)) for place in range(BATCH)]
            self.paid += sum(record["name"] == "order:paid" for record in records)
            events = parsing.bucket_records(json.dumps(records).encode(), now=material.AT + DAYS * 86400, unique=f"{number:010x}")
            body = bodies.encode(events)
            summary = summaries.encode(summaries.summarise(events))
            self.chunks.append(store.Chunk(0, number * BATCH, BATCH, start, start, len(body), summary, body))
            if number % 64 == 63 or number == size // BATCH - 1:  # the compactor comes once a minute
                with self.instead_of_the_store():
                    while compacting.merge_once(store.CollectionId(1, "c"), 0):
                        pass

    def instead_of_the_store(self) -> Any:
        """Let the events package read from here, and count what it reads."""
        from tapedeck.events import store

        return patch.multiple(
            store,
            newest_first=self._newest_first,
            oldest_first=self._oldest_first,
            is_there=lambda *_: True,  # by the clock of this machine all of it has expired
            body=self._body,
            owners_of=lambda *_: b"",
            merge=self._merge,
        )

    def _newest_first(self, _: Any) -> Iterator[Any]:
        self.bytes_read = 0
        for chunk in reversed(self.chunks):
            inline = len(chunk.body) if chunk.size <= 8_000 else 60
            self.bytes_read += len(chunk.summary) + inline + 150
            yield chunk

    def _oldest_first(self, *_: Any, **__: Any) -> Iterator[Any]:
        yield from list(self.chunks)

    def _body(self, chunk: Any) -> bytes:
        self.opened += 1
        return bytes(chunk.body)

    def _merge(self, _: Any, parts: Any, batch: Any) -> bool:
        from dataclasses import replace

        at = self.chunks.index(parts[0])
        whole = replace(parts[0], count=sum(part.count for part in parts), size=len(batch.body), summary=batch.summary, body=batch.body)
        self.chunks[at : at + len(parts)] = [whole]
        return True
