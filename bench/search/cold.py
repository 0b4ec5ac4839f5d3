"""The cold tier by itself: the same replays in blocks, served from memory, inflated anew for every search, beside the same engines.

What a search reads of S3 and DynamoDB is counted. A million replays are forty thousand sessions, told twenty-five times one after another
under other ids, each time in a twenty-fifth of the period: generating them all would take an hour.
"""

from __future__ import annotations

import gc
import importlib
import random
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from bench import search
from bench.figures import Figure
from bench.search import engines, replays, shapes
from bench.search.replays import Session
from bench.search.shapes import Shape
from bench.timing import one_core
from tapedeck import aws, clock, objects
from tapedeck.session_replays import searching, store
from tapedeck.session_replays.blocks import format, manifest, writing
from tapedeck.session_replays.blocks.manifest import Kept
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.store import Version

OURS, BARE = "blocks", "no blocks"
TOLD = 40_000  # sessions: of more than `GROUPED` the others are copies of these
GROUPED = 100_000  # the largest size at which segments are grouped: fifteen times as many rows
MOST_MEAN, MOST_ONE, MOST_PARQUET, MOST_GROUPED, MOST_BYTES, MOST_MEMORY = 0.25, 1.5, 0.15, 0.03, 0.8, 512
_SAMPLE = 20_000  # replays that are also written with every column, to weigh the index


def document(session: Session) -> Document:
    """The row of a session."""
    return Document(session.name.key, session.name.project_id, replays.row(session))


class Tier:
    """Blocks, and what a search reads of them."""

    def __init__(self, told: Iterator[Session]) -> None:
        self.kept: list[Kept] = []
        self.objects: dict[str, bytes] = {}
        self.count = self.gets = self.read = self.trips = 0
        self.empty = False
        self.sample: list[Document] = []
        while batch := [document(session) for session in islice(told, format.MOST_ROWS)]:
            self.sample = self.sample or batch
            self.add(writing.columns_of(batch))

    def add(self, columns: writing.Columns) -> None:
        """Another block."""
        data, head = writing.write(columns)
        kept = manifest.new(replays.ORGANIZATION, 0, head, name=f"{len(self.kept):016x}")
        self.kept.append(kept)
        self.objects[kept.object_key] = data
        self.count += head.rows

    def spread(self, times: int, file: Path) -> None:
        """Tell the one block so many times, each in its part of the period; and tell `file`, for the engines, which replays these are."""
        pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        dice, whole = random.Random(times), writing.columns_of(self.sample)
        bases = [name.hex() for name in whole.ids]
        period = int(90 * replays.DAY * 1000)
        first, durations = int(replays.NOW * 1000) - period, [int(each or 0) // 1000 for each in whole.numbers["duration"]]
        told: dict[str, list[Any]] = {"base": [], "id": [], "started_at": [], "finished_at": []}
        self.kept, self.objects, self.count, at = [], {}, 0, first
        for copy in range(times):
            columns = replace(whole, began=[], ids=[dice.randbytes(16) for _ in bases], numbers=dict(whole.numbers))
            for began in whole.began:
                at = max(at + 1, first + (copy * period + began - first) // times)
                columns.began.append(at)
            ended: list[int | None] = [began // 1000 + duration for began, duration in zip(columns.began, durations, strict=True)]
            columns.numbers |= dict.fromkeys(("finished_at", writing.ENDED, writing.LAST), ended)
            self.add(columns)
            told["base"] += bases
            told["id"] += [name.hex() for name in columns.ids]
            told["started_at"] += columns.began
            told["finished_at"] += ended
        parquet.write_table(pyarrow.table(told), file)

    @property
    def size(self) -> int:
        """Bytes of all blocks."""
        return sum(map(len, self.objects.values()))

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Searches in here read these blocks. A document that is answered is one that nothing is asked of."""
        items = [manifest.item(kept) for kept in self.kept]
        plain = {"started": 0.0, "finished": 4e9, "seen": "1"}

        def listed() -> list[Kept]:
            return [] if self.empty else [manifest.kept(replays.ORGANIZATION, item) for item in items]

        def get_range(key: str, first: int, length: int) -> bytes:
            self.gets += 1
            self.read += length
            trip(None)
            return self.objects[key][first : first + length]

        def trip(answer: Any) -> Any:
            self.trips += 1
            return answer

        def together(*calls: Callable[[], Any]) -> list[Any]:
            begun = deepest = self.trips
            results = []
            for call in calls:  # side by side: as many trips as the longest of them
                self.trips = begun
                results.append(call())
                deepest = max(deepest, self.trips)
            self.trips = deepest
            return results

        with ExitStack() as stack:
            for where, name, instead in (
                (objects, "get_range", get_range),
                (aws, "together", together),
                (manifest, "read", lambda *_, **__: trip(listed())),
                (store, "moved", lambda _: trip([])),
                (store, "list_page", lambda *_, **__: trip(([], None))),
                (store, "read_many", lambda several: trip([Version(plain, 1) for _ in several])),
                (searching, "_is_in", lambda *_: True),
                (searching, "_filtered", lambda several, _: several),
            ):
                stack.enter_context(patch.object(where, name, instead))
            yield

    def bare(self, shape: Shape) -> list[str]:
        """The same search where there are no blocks: reading what is asked, both lists, and the answer."""
        self.empty = True
        try:
            return shape.find()
        finally:
            self.empty = False


def measure(sizes: Sequence[int]) -> list[Figure]:
    """The figures at these sizes; what they are compared with must be installed."""
    missing = engines.install(fetch=True)
    if missing:
        return [Figure("blocks", None, note=f"not measured: {missing}")]
    figures: list[Figure] = []
    with patch.object(clock, "now", lambda: replays.NOW), one_core():
        for size in sizes:
            figures += _measure(size)
    return figures


def _measure(size: int) -> list[Figure]:
    print(f"  {size:,} replays in blocks …", file=sys.stderr, flush=True)
    times = -(-size // TOLD) if size > GROUPED else 1
    tier = Tier(replays.sessions(size // times))
    asked = shapes.of(tier.sample)
    figures, took = [], dict[str, dict[str, float]]()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        them = stack.enter_context(engines.Engines(replays.sessions(size // times), folder, grouped=times == 1))
        if times > 1:
            tier.spread(times, folder / "copies.parquet")
            them.spread(folder)
        others = them.engines
        stack.enter_context(tier.serving())
        gc.collect()
        gc.freeze()
        stack.callback(gc.unfreeze)
        most_memory = 0.0
        for shape in asked:
            tier.trips = tier.gets = tier.read = 0
            tracemalloc.start()
            found = shape.find()
            most_memory = max(most_memory, tracemalloc.get_traced_memory()[1] / 1e6)
            tracemalloc.stop()
            note = f"{tier.gets} GETs, {tier.read / 1e6:.2f} MB"
            figures.append(Figure(f"{size:,} in blocks, {shape.name}: round trips", tier.trips, target=4, unit="", note=note))
            for name, engine in others.items():
                assert engine(shape) == found, f"{name} answers {shape.name} differently"
            ways: dict[str, Callable[[], object]] = {OURS: shape.find}
            for name, engine in others.items():
                ways[name] = partial(engine, shape)
                ways.setdefault(BARE, partial(tier.bare, shape))  # between two engines, as ours is: neither finds its own caches warm
            took[shape.name] = search._cpu(ways)
        figures.append(Figure(f"{size:,} in blocks: memory of a search beyond what is kept", most_memory, target=MOST_MEMORY, unit="MB"))
    print(_lines(size, took), flush=True)
    return figures + _ratios(size, took) + [_weight(tier, size)]


def _ratios(size: int, took: Mapping[str, Mapping[str, float]]) -> list[Figure]:
    figures, names = [], list(next(iter(took.values())))
    flat, parquet, grouped = engines.NAMES[1], engines.NAMES[3], engines.NAMES[0]
    targets = {flat: MOST_MEAN, parquet: MOST_PARQUET, grouped: MOST_GROUPED if size == GROUPED else None}
    for name in names:
        if name not in (OURS, BARE):
            ours, theirs = search._mean(took, OURS), search._mean(took, name)
            figures.append(Figure(f"{size:,} in blocks, mean of 10 searches: CPU over {name}", ours, theirs, targets.get(name)))
    bare = f"{size:,} in blocks, mean of 10 searches that find no blocks: CPU over {parquet}"
    note = "what is asked, both lists and the answer: the floor, whatever blocks are"
    figures.append(Figure(bare, search._mean(took, BARE), search._mean(took, parquet), note=note))
    worst = max(took, key=lambda shape: took[shape][OURS] / took[shape][flat])
    figures.append(Figure(f"{size:,} in blocks, worst ({worst[:3]}): CPU over {flat}", took[worst][OURS], took[worst][flat], MOST_ONE))
    return figures


def _weight(tier: Tier, size: int) -> Figure:
    """Bytes of the index, beside a Parquet file of the same columns under zstd."""
    parquet = importlib.import_module("pyarrow.parquet")
    sample = tier.sample[:_SAMPLE]
    ours, _ = writing.write(writing.columns_of(sample))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "all.parquet"
        parquet.write_table(_table(sample), file, compression="zstd")
        theirs = file.stat().st_size / len(sample)
    name = f"{size:,} in blocks: bytes a replay over zstd Parquet"
    note = f"{tier.size / tier.count:.0f} bytes a replay at {size:,}; the same {len(sample):,} replays and columns"
    return Figure(name, len(ours) / len(sample), theirs, MOST_BYTES, "B", note)


def _table(sample: list[Document]) -> Any:
    """All that a block has a column of: ids as sixteen bytes, clicks as texts."""
    pyarrow = importlib.import_module("pyarrow")
    ids = pyarrow.binary(16)
    columns: dict[str, Any] = {"id": pyarrow.array([bytes.fromhex(one.replay_id) for one in sample], ids)}
    for sort in fields.SORTS:
        if sort.name in ("started_at", "finished_at", "project_id"):
            columns[sort.name] = pyarrow.array([sort.read(one) for one in sample])
    for field in fields.FIELDS:
        values = [field.read(one) for one in sample]
        if field.type.kept == "references" and field.name != "id":
            columns[field.name] = pyarrow.array([[bytes.fromhex(each) for each in several] for several in values], pyarrow.list_(ids))
        elif field.kept_in == field.name != "id":
            columns[field.name] = pyarrow.array([value if field.type.single else list(value) for value in values])
    for key in sorted({key for one in sample for key in one.row.get("tags", {})}):
        columns[f"tags.{key}"] = pyarrow.array([list(one.row.get("tags", {}).get(key, ())) for one in sample])
    clicks = []
    for one in sample:
        slow = one.row.get("slow", {})
        told = one.row.get("clicks", {}).items()
        clicks.append(["\x1f".join([str(slow.get(identity, 0)), *texts]) for identity, (_, _, texts) in told])
    return pyarrow.table(columns | {"clicks": pyarrow.array(clicks)})


def _lines(size: int, took: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(took.values())))
    lines = [f"{size:,} replays in blocks, milliseconds of CPU: {', '.join(names)}; of {engines.NAMES[1]}"]
    for shape, times in {**took, "geometric mean": {name: search._mean(took, name) for name in names}}.items():
        lines.append(f"  {shape:48s}" + "".join(f"{times[name]:10.2f}" for name in names) + f"{times[OURS] / times[engines.NAMES[1]]:8.2f}")
    return "\n".join(lines) + "\n"


