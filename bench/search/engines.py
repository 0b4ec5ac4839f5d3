"""What we are compared with: ClickHouse in this process (chdb), which is what Sentry searches replays with, and DuckDB; a thread each."""

from __future__ import annotations

import hashlib
import importlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from bench.search import replays, shapes
from bench.search.replays import Session
from bench.search.shapes import Shape
from tapedeck.session_replays.search.document import Document

ROOT = Path(__file__).resolve().parent.parent.parent
REQUIREMENTS = ROOT / "requirements" / "bench-search.txt"
NAMES = ("chdb, segments grouped", "chdb, a row a replay", "DuckDB, a row a replay", "DuckDB on Parquet")
Engine = Callable[[Shape], list[str]]

_TEXTS = {"browser_name": "browser.name", "os_name": "os.name", "environment": "environment", "user_email": "user.email"}
_NOBODY = "0" * 32
_NEVER = 2**63 - 1
_BATCH = 1000  # sessions whose rows are held at once


def install(*, fetch: bool) -> str:
    """Put both on the path: "", or why they are not there. With `fetch` they are installed first, in an environment of their own."""
    # Another interpreter or another pin is another folder: none is ever changed.
    pins = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = ROOT / ".venvs" / "bench" / f"{sys.version_info.major}.{sys.version_info.minor}-{pins}"
    if not (folder / "chdb").is_dir():
        if not fetch:
            return "not installed: `make bench-search` fetches chdb and DuckDB"
        print("  installing chdb and DuckDB: once, a minute or two", file=sys.stderr, flush=True)
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--root-user-action=ignore", "--no-deps"]
        wanted = ["--require-hashes", "--requirement", str(REQUIREMENTS), "--target", str(folder)]
        ran = subprocess.run([*pip, *wanted], check=False, capture_output=True, text=True)
        if ran.returncode:
            said = [line for line in ran.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
            return f"{REQUIREMENTS.name} cannot be installed here: {said[-1].removeprefix('ERROR: ')[:100]}"
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return ""


def versions() -> str:
    """Which ClickHouse and which DuckDB these are."""
    return f"ClickHouse {importlib.import_module('chdb').engine_version}, DuckDB {importlib.import_module('duckdb').__version__}"


class Engines:
    """Both engines with the same replays in them, and their four ways to search."""

    def __init__(self, sessions: Iterator[Session], folder: Path, *, grouped: bool = True) -> None:
        """Fill them, by way of Parquet files in `folder`; with `grouped` also with segments."""
        self._grouped = grouped
        _write(sessions, folder, grouped=grouped)
        self._chdb = importlib.import_module("chdb.session").Session(str(folder / "chdb"))
        self._duckdb = importlib.import_module("duckdb").connect(config={"threads": 1})
        self._fill_chdb(folder)
        self._fill_duckdb(folder)

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        self._chdb.close()
        self._duckdb.close()

    @property
    def engines(self) -> dict[str, Engine]:
        """By the names of `NAMES`."""
        ways: tuple[Engine, ...] = (
            lambda shape: self._ask_chdb(shape.grouped("bench.segments")),
            lambda shape: self._ask_chdb(shape.flat("bench.replays")),
            lambda shape: self._ask_duckdb(shape.flat("replays")),
            lambda shape: self._ask_duckdb(shape.flat("parquet")),
        )
        named = dict(zip(NAMES, ways, strict=True))
        return named if self._grouped else {name: way for name, way in named.items() if name != NAMES[0]}

    def _ask_chdb(self, sql: str) -> list[str]:
        # Without the condition cache, which answers a repeated query from its last run.
        answer = self._chdb.query(f"{sql} SETTINGS max_threads = 1, use_query_condition_cache = 0", "TabSeparated").bytes()
        return [f"{int(line):032x}" for line in answer.split()]

    def _ask_duckdb(self, sql: str) -> list[str]:
        sql = re.sub(r"arrayExists\(it -> (.*?), (\w+)\)", r"len(list_filter(\2, lambda it: \1)) > 0", sql)
        return [name.hex for (name,) in self._duckdb.execute(sql).fetchall()]

    def _fill_chdb(self, folder: Path) -> None:
        texts = ", ".join(f"{name} {'String' if name == 'user_email' else 'LowCardinality(String)'}" for name in _TEXTS)
        lists = "urls Array(String), tag_keys Array(String), tag_values Array(String), error_ids Array(UUID)"
        flat = "started_at UInt64, finished_at UInt32, duration UInt32, count_errors UInt32, count_rage_clicks UInt32"
        rows = "segment_id UInt16, timestamp UInt32, started_ms UInt64, error_events UInt8, rage_clicks UInt8, error_id UUID"
        key = "project_id, toStartOfDay(toDateTime(timestamp, 'UTC')), cityHash64(id), segment_id"  # as Sentry's table is ordered
        ask = self._chdb.query
        ask("CREATE DATABASE bench")
        for table, columns, order in (("replays", flat, "started_at, id"), ("segments", rows, key))[: 1 + self._grouped]:
            said = f"id UInt128, project_id UInt64, {columns}, {texts}, {lists}"
            ask(f"CREATE TABLE bench.{table} ({said}) ENGINE MergeTree ORDER BY ({order})")
            error_id = ", toUUID(error_id) AS error_id" if table == "segments" else ""
            ask(
                f"INSERT INTO bench.{table} SELECT * REPLACE (reinterpretAsUInt128(reverse(unhex(id))) AS id,"
                f" arrayMap(it -> toUUID(it), error_ids) AS error_ids{error_id}) FROM file('{folder / table}.parquet', Parquet)"
                " SETTINGS use_structure_from_insertion_table_in_table_functions = 0"
            )
            ask(f"OPTIMIZE TABLE bench.{table} FINAL")

    def spread(self, folder: Path) -> None:
        """Take, instead of the replays that are there, the copies of them that `copies.parquet` names."""
        copies, ask = f"'{folder / 'copies.parquet'}'", self._chdb.query
        told = ("id", "started_at", "finished_at")
        columns = ask("SELECT name FROM system.columns WHERE database = 'bench' AND table = 'replays'", "TabSeparated")
        same = [name for name in columns.bytes().decode().split() if name not in told]
        ask("CREATE TABLE bench.many AS bench.replays")
        ask(
            f"INSERT INTO bench.many ({', '.join((*told, *same))})"
            f" SELECT reinterpretAsUInt128(reverse(unhex(c.id))), c.started_at, c.finished_at, {', '.join(f'b.{name}' for name in same)}"
            f" FROM file({copies}, Parquet) AS c INNER JOIN bench.replays AS b ON b.id = reinterpretAsUInt128(reverse(unhex(c.base)))"
            " SETTINGS use_structure_from_insertion_table_in_table_functions = 0"
        )
        ask("OPTIMIZE TABLE bench.many FINAL")
        ask("EXCHANGE TABLES bench.many AND bench.replays")
        kept = folder / "many.parquet"
        theirs = "c.id::UUID AS id, c.started_at AS started_at, c.finished_at AS finished_at"
        joined = f"FROM {copies} AS c JOIN replays AS b ON b.id = c.base::UUID ORDER BY c.started_at"
        for statement in (
            f"CREATE TABLE many AS SELECT b.* REPLACE ({theirs}) {joined}",
            "DROP VIEW parquet",
            "DROP TABLE replays",
            "ALTER TABLE many RENAME TO replays",
            f"COPY replays TO '{kept}' (FORMAT parquet, COMPRESSION zstd)",
            f"CREATE VIEW parquet AS SELECT * FROM '{kept}'",
        ):
            self._duckdb.execute(statement)

    def _fill_duckdb(self, folder: Path) -> None:
        for macro in ("has(list, it) AS list_contains(list, it)", "toUUID(it) AS it::UUID", "indexOf(list, it) AS list_position(list, it)"):
            self._duckdb.execute(f"CREATE MACRO {macro}")
        source, kept = folder / "replays.parquet", folder / "duckdb.parquet"
        self._duckdb.execute(
            f"CREATE TABLE replays AS SELECT * REPLACE (id::UUID AS id, error_ids::UUID[] AS error_ids) FROM '{source}' ORDER BY started_at"
        )
        self._duckdb.execute(f"COPY replays TO '{kept}' (FORMAT parquet, COMPRESSION zstd)")
        self._duckdb.execute(f"CREATE VIEW parquet AS SELECT * FROM '{kept}'")


def _write(sessions: Iterator[Session], folder: Path, *, grouped: bool = True) -> None:
    """The same replays twice, as Parquet: a row a replay, and a row a segment or linked event, as Sentry has them."""
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    writers: dict[str, Any] = {}
    while batch := list(islice(sessions, _BATCH)):
        tables = {"replays": [_flat(session) for session in batch]}
        if grouped:
            tables["segments"] = list(chain.from_iterable(map(_segments, batch)))
        for name, rows in tables.items():
            table = arrow.Table.from_pylist(rows, schema=_schema(arrow, rows[0]))
            if name not in writers:
                writers[name] = parquet.ParquetWriter(str(folder / f"{name}.parquet"), table.schema)
            writers[name].write_table(table)
    for writer in writers.values():
        writer.close()


def _schema(arrow: Any, row: dict[str, Any]) -> Any:
    kinds = {int: arrow.int64(), str: arrow.string(), list: arrow.list_(arrow.string())}
    return arrow.schema([arrow.field(name, kinds[type(value)], nullable=False) for name, value in row.items()])


def _flat(session: Session) -> dict[str, Any]:
    document = Document(session.name.key, session.name.project_id, replays.row(session))
    first = session.events[0]
    return {
        "id": session.name.key,
        "project_id": session.name.project_id,
        **shapes.numbers(document),
        **{column: first.scalars.get(name, "") for column, name in _TEXTS.items()},
        "urls": [url for event in session.events for url in event.urls],
        "tag_keys": list(first.tags),
        "tag_values": list(first.tags.values()),
        "error_ids": [error for event in session.events for error in event.error_ids],
    }


def _segments(session: Session) -> Iterator[dict[str, Any]]:
    for event, clicks in zip(session.events, session.clicks, strict=True):
        yield {
            "id": session.name.key,
            "project_id": session.name.project_id,
            "segment_id": event.segment_id,
            "timestamp": int(event.timestamp),
            "started_ms": int(event.started * 1000),
            "error_events": 0,
            "rage_clicks": sum(click.rage for click in clicks),
            "error_id": _NOBODY,
            **{column: event.scalars.get(name, "") for column, name in _TEXTS.items()},
            "urls": event.urls,
            "tag_keys": list(event.tags),
            "tag_values": list(event.tags.values()),
            "error_ids": event.error_ids,
        }
    for link in session.links:
        yield {
            "id": session.name.key,
            "project_id": session.name.project_id,
            "segment_id": 65_535,  # none: the least of a replay's segments is asked for
            "timestamp": int(link.timestamp),
            "started_ms": _NEVER,
            "error_events": int(link.level == "error"),
            "rage_clicks": 0,
            "error_id": link.event_id if link.level == "error" else _NOBODY,
            **dict.fromkeys(_TEXTS, ""),
            "urls": [],
            "tag_keys": [],
            "tag_values": [],
            "error_ids": [],
        }
