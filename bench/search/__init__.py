"""What a search costs: round trips and read units, and CPU beside ClickHouse and DuckDB, with the same replays and the same answers."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from math import exp, log
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from bench.figures import Figure
from bench.timing import one_core

SIZES = (1_000, 10_000)  # of `make bench`; the largest is `make bench-search`'s
HOT = 50_000  # the largest list that is measured row by row: more are in blocks
ALL_SIZES = (*SIZES, HOT, 100_000)
TRIPS = 4
JUDGED = 10_000  # the size at which the target is
MOST_ROUNDS = 25  # of one way to answer a search; the first only warms
ENOUGH = 300.0  # milliseconds of CPU after which a way is not tried again
EVALUATED, DECODED, WHOLE = "evaluated", "decoded", "whole"
OURS = {
    EVALUATED: "query parsed, conditions, order: rows decoded already",
    DECODED: "the same from the stored bytes on, as theirs is",
    WHOLE: "the same from DynamoDB's answers on",
}


def measure(sizes: Sequence[int] = SIZES, *, fetch: bool = False) -> list[Figure]:
    """The figures, a table of milliseconds printed before. `fetch` installs what we are compared with, where it is missing."""
    from bench.search import engines, replays
    from tapedeck import clock

    missing = engines.install(fetch=fetch)
    figures: list[Figure] = []
    with patch.object(clock, "now", lambda: replays.NOW), one_core():
        for size in sizes:
            if size <= HOT:
                figures += _measure(size, missing)
    if fetch:
        from bench.search import cold

        figures += cold.measure([size for size in sizes if size >= JUDGED and size != HOT])
    return figures


def _measure(size: int, missing: str) -> list[Figure]:
    from bench.search import dynamodb, engines, replays, shapes
    from tapedeck.session_replays import store
    from tapedeck.session_replays.search.document import Document

    print(f"  {size:,} replays …", file=sys.stderr, flush=True)
    index = dynamodb.Index(replays.sessions(size))
    index.serve()
    asked = shapes.of(index.documents)
    figures = []
    with ExitStack() as stack:
        others: Mapping[str, engines.Engine] = {}
        if not missing:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            others = stack.enter_context(engines.Engines(replays.sessions(size), folder)).engines
        gc.collect()
        gc.freeze()  # a function of Lambda holds none of this: its collector must not walk over it
        stack.callback(gc.unfreeze)
        took: dict[str, dict[str, float]] = {}
        for shape in asked:
            with index.metered() as meter:
                found = shape.find()
            told = f"{meter.queries} Queries, {meter.units:,.1f} read units"
            assert meter.trips, "the stand-in was not asked"
            figures.append(Figure(f"{size:,} replays, {shape.name}: round trips", meter.trips, target=TRIPS, unit="", note=told))
            for name, engine in others.items():
                assert engine(shape) == found, f"{name} answers {shape.name} differently"

            def ours(read: Callable[[dynamodb.Entry], Document], shape: shapes.Shape = shape) -> object:
                with patch.object(store, "list_page", index.list_page(read)):
                    return shape.find()

            ways: dict[str, Callable[[], object]] = {
                EVALUATED: partial(ours, dynamodb.decoded),
                DECODED: partial(ours, dynamodb.decode),
                WHOLE: shape.find,
                **{name: partial(engine, shape) for name, engine in others.items()},
            }
            took[shape.name] = _cpu(ways)
    print(_milliseconds(size, took, "" if missing else engines.versions()), end="\n\n", flush=True)
    return figures + _ratios(size, took, missing)


def _cpu(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of CPU, all threads together: the best round of each, in turn with the others."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(MOST_ROUNDS):
        for name, way in ways.items():
            if number < 2 or sum(took[name][1:]) < ENOUGH:
                before = time.process_time()
                way()
                took[name].append((time.process_time() - before) * 1000)
    return {name: min(times[1:]) for name, times in took.items()}


def _mean(took: Mapping[str, Mapping[str, float]], name: str) -> float:
    """The geometric mean over the searches: ratios of it are means of ratios."""
    return exp(sum(log(times[name]) for times in took.values()) / len(took))


def _ratios(size: int, took: Mapping[str, Mapping[str, float]], missing: str) -> list[Figure]:
    from bench.search import engines

    means = f"{size:,} replays, mean of 10 searches"
    if missing:
        return [Figure(f"{means}, {way}: CPU", _mean(took, way), note=f"compared with nothing: {missing}") for way in OURS]
    figures = []
    for name in engines.NAMES:
        for way in OURS:
            target = 1 if size == JUDGED and name == engines.NAMES[0] and way == EVALUATED else None
            note = OURS[way] if size == JUDGED and name == engines.NAMES[0] else ""
            figures.append(Figure(f"{means}, {way}: CPU over {name}", _mean(took, way), _mean(took, name), target, note=note))
    return figures


def _milliseconds(size: int, took: Mapping[str, Mapping[str, float]], versions: str) -> str:
    """A line for each search: what each way takes, and what ours are of the others'."""
    from bench.search import engines

    names = list(next(iter(took.values())))
    others = [name for name in engines.NAMES if name in names]
    pairs = [(way, name) for name in others for way in (EVALUATED, DECODED)]
    took = {**took, "geometric mean": {name: _mean(took, name) for name in names}}
    head = ["", *names, *(f"{way} / {name}" for way, name in pairs)]
    lines = [
        [shape, *(f"{times[name]:.2f}" for name in names), *(f"{times[way] / times[name]:.2f}" for way, name in pairs)]
        for shape, times in took.items()
    ]
    keys = [chr(ord("A") + i) for i in range(len(head) - 1)]
    widths = [max(len(line[0]) for line in lines), *(max(8, *(len(line[i]) for line in lines)) for i in range(1, len(head)))]
    return "\n".join(
        [
            f"{size:,} replays, milliseconds of CPU" + (f" ({versions})" if versions else ""),
            *(f"  {key}  {title}" + (f": {OURS[title]}" if title in OURS else "") for key, title in zip(keys, head[1:], strict=True)),
            *("  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in (["", *keys], *lines)),
        ]
    )
