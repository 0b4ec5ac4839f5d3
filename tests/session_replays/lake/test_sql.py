"""The queries of docs/lake.md, on what was landed: where there is DuckDB (`pip install duckdb`), which is not needed otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tapedeck import objects
from tapedeck.session_replays import merging, store
from tapedeck.session_replays.envelope import ReplayEvent
from tapedeck.session_replays.store import ReplayId
from tests.harness import System
from tests.harness.template import ROOT
from tests.session_replays import test_compact_replays
from tests.session_replays.lake.test_lines import columns
from tests.session_replays.test_compact_replays import Library

duckdb = pytest.importorskip("duckdb")
small = test_compact_replays.small
PLANS = ("free", "pro", "free")


def segment(replay: ReplayId, number: int, at: float, plan: str) -> None:
    said = ReplayEvent(replay.key, number, at, at - 3, {"user.id": plan, "browser.name": "Chrome"}, [], [], [], None, {"plan": plan})
    store.commit(replay, merging.segment_delta(said))
    store.commit(replay, merging.link_delta(test_compact_replays.EventLink("e" * 32, replay.key, "error", at, "Oh")))


def kind_of(hive: str) -> str:
    """DuckDB's name of a Hive type."""
    if hive.startswith("array<"):
        return kind_of(hive[6:-1]) + "[]"
    if hive.startswith("map<"):
        key, _, value = hive[4:-1].partition(",")
        return f"MAP({kind_of(key)}, {kind_of(value)})"
    if hive.startswith("struct<"):
        return f"STRUCT({', '.join(f'{name} {kind_of(kind)}' for name, kind in (each.split(':') for each in hive[7:-1].split(',')))})"
    return {"string": "VARCHAR"}.get(hive, hive.upper())


def asked(folder: Path) -> list[list[tuple[Any, ...]]]:
    """What each query of the page answers."""
    connection = duckdb.connect()
    types = ", ".join(f"{name}: '{kind_of(kind)}'" for name, kind in columns().items())
    parts = "hive_types = {'org': VARCHAR, 'project': VARCHAR, 'day': VARCHAR}"
    files = f"read_json('{folder}/lake/replays/*/*/*/*.ndjson.gz', format = 'newline_delimited', columns = {{{types}}}, hive_partitioning = true, {parts})"
    connection.execute(f"CREATE VIEW replays AS SELECT * FROM {files}")
    queries = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/lake.md").read_text(), re.DOTALL)
    spelt = [query.replace("element_at(tags, 'plan')", "tags['plan']") for query in queries]  # Athena's fails where there is no such key
    return [connection.execute(query).fetchall() for query in spelt]


def test_the_page_s_queries_answer(system: System, tmp_path: Path) -> None:
    library = Library(system, 1)
    replays = [ReplayId(system.acme.id, 1, f"{number:032x}") for number in range(3)]
    assert system.acme.web.project_id == 1
    for replay, plan in zip(replays, PLANS, strict=True):
        segment(replay, 0, system.now, plan)
    for wait in (130, 130):
        system.skip(wait)
        library.compact()
    segment(replays[2], 1, system.now, "free")
    system.skip(130)
    library.compact()
    for key in objects.keys_under("lake/"):
        (tmp_path / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(objects.get(key) or b"")
    rage, plans, newest = asked(tmp_path)
    assert [(row[0], row[1]) for row in rage] == [("Chrome", 4)], "one of them has two lines"
    assert plans == [("free", 1, 3), ("pro", 1, 1)]
    assert sorted(row[0] for row in newest) == [replay.key for replay in replays]
    assert {row[0]: row[3] for row in newest}[replays[2].key] > 100, "the newer of the two"
