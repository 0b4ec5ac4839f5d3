"""Finding events in chunks: events a second beside a naive evaluator and DuckDB's `read_ndjson`, with the same events and equal answers.

All three begin with the bytes of chunks, under zstd, and end with the ids of what they found.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.figures import Figure
from bench.timing import one_core

JUDGED = 1_000_000  # the size at which the targets are
OURS, NAIVE, DUCKDB = "ours", "every line parsed", "DuckDB, read_ndjson"
OVER_NAIVE = 1 / 8
ROUNDS = 3


@dataclass(frozen=True)
class Shape:
    """A query, and what it is in SQL."""

    name: str
    query: str
    sql: str


SHAPES = (
    Shape("term", "type:payment.failed", "data.type = 'payment.failed'"),
    Shape("and", "type:payment.failed AND status:[500 TO 599]", "data.type = 'payment.failed' AND data.status BETWEEN 500 AND 599"),
    Shape(
        "complex",
        "(type:payment.* OR type:order.cancelled) AND amount:>=100 AND NOT user.country:us",
        "(data.type LIKE 'payment.%' OR data.type = 'order.cancelled') AND data.amount >= 100 AND NOT data.user.country = 'us'",
    ),
    Shape(
        "phrase",
        'message:"connection refused" AND svc.name:billing',
        "data.message ILIKE '%connection refused%' AND data.svc.name = 'billing'",
    ),
    Shape("wild", "user.email:*@example7.com", "data.user.email ILIKE '%@example7.com'"),
    Shape(
        "free",
        "deadlock AND NOT timeout",
        r"regexp_matches(lower(data.message), '\bdeadlock\b') AND NOT regexp_matches(lower(data.message), '\btimeout\b')",
    ),
)


def measure(size: int, *, fetch: bool) -> list[Figure]:
    """The ratios; lower is quicker."""
    from bench.replay import material
    from bench.search import engines

    missing = engines.install(fetch=fetch)
    print(f"  {size:,} events …", file=sys.stderr, flush=True)
    bodies = material.bodies(size)
    took: dict[str, dict[str, float]] = {}
    with one_core(), TemporaryDirectory() as folder:
        duckdb = None if missing else _duckdb(bodies, Path(folder))
        gc.collect()
        gc.freeze()  # a function of Lambda holds none of this: its collector must not walk over it
        for shape in SHAPES:
            took[shape.name] = _seconds(shape, bodies, duckdb)
        gc.unfreeze()
    print(_table(size, took), end="\n\n", flush=True)
    return _figures(size, took, missing)


def _seconds(shape: Shape, bodies: Sequence[bytes], duckdb: Callable[[str], list[str]] | None) -> dict[str, float]:
    """CPU seconds of each way, after they were seen to find the same."""
    from bench.replay import naive
    from tapedeck.events import chunks, lucene
    from tapedeck.events.lucene import language

    def ours() -> list[str]:
        query = lucene.compile(shape.query, team_id="bench")
        return [event.id for body in bodies for _, event in query.select(chunks.lines(body))]

    def plain() -> list[str]:
        query = language.parse(shape.query)
        return [line["id"] for body in bodies for line in naive.select(query, chunks.lines(body))]

    ways: dict[str, Callable[[], list[str]]] = {OURS: ours, NAIVE: plain}
    if duckdb is not None:
        ways[DUCKDB] = lambda: duckdb(shape.sql)
    found: dict[str, list[str]] = {}
    took: dict[str, float] = {}
    for name, way in ways.items():
        for _ in range(1 if name == NAIVE else ROUNDS):
            before = time.process_time()
            found[name] = way()
            took[name] = min(took.get(name, 1e9), time.process_time() - before)
    for name in ways:
        assert sorted(found[name]) == sorted(found[OURS]), f"{name} finds something else for {shape.query}"
    assert found[OURS], f"{shape.query} finds nothing"
    return took


def _duckdb(bodies: Sequence[bytes], folder: Path) -> Callable[[str], list[str]]:
    """Ask DuckDB, in one thread, of the same lines under the same compression."""
    import zstandard

    from tapedeck.events import chunks

    path = folder / "events.ndjson.zst"
    with zstandard.open(path, "wb", cctx=zstandard.ZstdCompressor(level=3)) as file:
        for body in bodies:
            file.write(chunks.lines(body))
    connection: Any = importlib.import_module("duckdb").connect(config={"threads": 1})
    return lambda sql: [name for (name,) in connection.execute(f"SELECT id FROM read_ndjson('{path}') WHERE {sql}").fetchall()]


def _mean(ratios: Sequence[float]) -> float:
    return exp(sum(map(log, ratios)) / len(ratios))


def _figures(size: int, took: Mapping[str, Mapping[str, float]], missing: str) -> list[Figure]:
    judged = size >= JUDGED
    mean = {name: _mean([times[name] for times in took.values()]) * 1000 for name in next(iter(took.values()))}
    figures = [
        Figure(f"{size:,} events, mean of 6 queries: CPU over a naive evaluator", mean[OURS], mean[NAIVE], OVER_NAIVE if judged else None)
    ]
    if missing:
        return [*figures, Figure(f"{size:,} events: CPU over DuckDB", None, note=missing)]
    slower = sum(times[OURS] > times[DUCKDB] for times in took.values())
    return [
        *figures,
        Figure(f"{size:,} events, mean of 6 queries: CPU over DuckDB's read_ndjson", mean[OURS], mean[DUCKDB]),
        Figure(f"{size:,} events: queries of 6 that DuckDB answers quicker", slower, target=2 if judged else None, unit=""),
    ]


def _table(size: int, took: Mapping[str, Mapping[str, float]]) -> str:
    """Thousands of events a second, a line a query."""
    names = list(next(iter(took.values())))
    lines = [["", *names, *(f"ours / {name}" for name in names[1:])]]
    for shape, times in took.items():
        speeds = [f"{size / times[name] / 1000:,.0f} k/s" for name in names]
        lines.append([shape, *speeds, *(f"{times[name] / times[OURS]:.1f}" for name in names[1:])])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
