"""The lake holds one line of each finished replay, whatever is packed, woken, deleted and erased, and whoever dies (docs/lake.md)."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest

from tapedeck import clock, errors, objects
from tapedeck.erasure import Subject
from tapedeck.session_replays import erasing, merging, store
from tapedeck.session_replays.blocks import compacting, manifest
from tapedeck.session_replays.lake import landing, leaving, lines, places
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.store import Hot, ReplayId, Version
from tests.harness import Killed, System
from tests.session_replays import test_compact_replays
from tests.session_replays.test_compact_replays import Library

small = test_compact_replays.small
DEATHS = ("killed-before", "killed-after", "answer-lost")


class Lake(Library):
    """A library whose lake is looked at: what was erased, and what has once had a line that stays."""

    def __init__(self, system: System, seed: int) -> None:
        super().__init__(system, seed)
        self.gone: set[str] = set()
        self.landed: set[ReplayId] = set()

    def erase(self) -> None:
        self.erase_one(self.replays[self.dice.randrange(len(self.replays))])

    def erase_one(self, replay: ReplayId) -> None:
        subject = Subject(replay.organization_id, replay.project_id, "nobody", clock.now())
        erasing.Sessions().erase(subject, [replay.key])
        self.forget(replay)

    def forget(self, replay: ReplayId) -> None:
        """It has been erased."""
        self.replays.remove(replay)
        self.landed.discard(replay)
        self.gone.add(replay.key)

    def lines(self) -> Iterator[tuple[str, ReplayId, dict[str, Any]]]:
        """(key, whose, what) of every line that there is."""
        for key in objects.keys_under("lake/"):
            body = objects.get(key)
            assert body
            for said in gzip.decompress(body).splitlines(keepends=True):
                told = orjson.loads(said)
                project = int(told["project_id"])
                assert key.startswith(f"lake/replays/org={self.organization}/project={project}/day={told['started_at'][:10]}/")
                yield key, ReplayId(self.organization, project, told["id"]), told

    def holds(self) -> None:
        """What is so at every moment: rows know of every line, who has landed has one, and of who was erased there is nothing."""
        announced = {key for pack in manifest.under_way(self.organization) for key in pack.object_keys}
        rows = {replay: store.read(replay, consistent=True) for replay in self.replays}
        having = set()
        for key, replay, told in self.lines():
            assert replay.key not in self.gone, key
            cold = rows[replay].cold
            assert cold
            assert key in {places.object_key(self.organization, replay.project_id, place) for place in cold.places}
            assert told["version"] < rows[replay].number
            having.add(replay)
            if key not in announced:
                self.landed.add(replay)
        self.landed -= {replay for replay in self.landed if merging.is_archived(rows[replay].row)}
        assert self.landed <= having

    def is_exact(self) -> None:
        """What is so when all is quiet: one line for each replay that is not deleted, and it says what the replay says. One that has expired
        may have a line until its day goes."""
        self.holds()
        expected, expired = {}, set()
        for replay in self.replays:
            version = store.read(replay, consistent=True)
            if version.row and not merging.is_kept(version.row, clock.now(), store.oldest()):
                expired.add(replay)
            elif version.row and merging.is_visible(version.row) and not merging.is_archived(version.row):
                said = lines.line(version.row, self.organization, replay.project_id, replay.key, 0)
                expected[replay] = orjson.loads(said)
            assert version.cold is None or version.cold.older == ()
        found = list(self.lines())
        assert len(found) == len({replay for _, replay, _ in found}), "two lines of one replay"
        assert {replay: {**told, "version": 0} for _, replay, told in found if replay not in expired} == expected
        assert manifest.under_way(self.organization) == []

    def settle(self) -> None:
        """Time goes by, and the compactor comes."""
        for wait in (*[130] * 8, 600, 600):
            self.system.skip(wait)
            self.compact()


@pytest.mark.parametrize("seed", range(int(os.environ.get("LIBRARIES", "2"))))
def test_one_line_of_each_replay_whatever_happens(system: System, seed: int) -> None:
    lake = Lake(system, 100 + seed)
    lake.begin(3)
    for _ in range(30):
        lake.step()
        lake.holds()
    lake.settle()
    lake.is_exact()
    lake.agrees(thoroughly=True)


@pytest.mark.parametrize("kind", DEATHS)
def test_a_compactor_may_die_at_any_call(system: System, kind: Any) -> None:
    """At every call of a run that takes lines out of older objects, puts new ones and cools others; then another one is erased."""
    lake = Lake(system, 9)
    at, happened = 0, True
    while happened:
        lake.begin(2)
        lake.late()
        system.skip(130)
        with system.cloud.fault(kind, at) as fault, suppress(Killed, Exception):
            lake.compact()
        happened = fault.happened
        lake.holds()
        if at % 5 == 0:
            lake.erase()
            lake.holds()
        system.skip(61)
        lake.compact()
        lake.holds()
        at += 1 if os.environ.get("LIBRARIES") else 7
    assert at > 20
    lake.settle()
    lake.is_exact()


@pytest.mark.parametrize("happening", range(5))
def test_whatever_happens_between_two_calls_of_the_compactor(system: System, happening: int) -> None:
    lake = Lake(system, 20 + happening)
    for at in range(0, 60, 1 if os.environ.get("LIBRARIES") else 12):
        lake.begin(2)
        lake.late()
        system.skip(130)

        def happens() -> None:
            system.cloud.function = None  # not the compactor's doing
            [lake.late, lake.delete, lake.erase, lake.compact, lake.watch][happening]()
            lake.holds()

        with system.cloud.between(at, happens):
            lake.compact()
        lake.holds()
        system.skip(65)
        lake.compact()
        lake.holds()
    lake.settle()
    lake.is_exact()


def _prepared(lake: Lake) -> ReplayId:
    """A replay with a line that is to be taken out, and one under way, beside others in the same objects."""
    lake.begin(3)
    for _ in range(3):
        lake.system.skip(130)
        lake.compact()
    replay = lake.replays[-1]
    lake.segment(replay, 1)
    lake.segment(lake.replays[-2], 1)
    lake.system.skip(130)
    return replay


@pytest.mark.parametrize("kind", DEATHS)
@pytest.mark.parametrize("packed", [True, False])
def test_an_eraser_may_die_at_any_call(system: System, kind: Any, packed: bool) -> None:
    """With two lines there, or one; who takes over finishes it, and nothing of the person is left in any object."""
    lake, at, happened = Lake(system, 40), 0, True
    eraser = system.template.function_at("deletion_jobs/run_erasure")
    while happened:
        replay = _prepared(lake)
        if packed:
            lake.compact()
        with system.cloud.invoking(eraser), system.cloud.fault(kind, at) as fault, suppress(Killed, Exception):
            subject = Subject(replay.organization_id, replay.project_id, "nobody", clock.now())
            erasing.Sessions().erase(subject, [replay.key])
        happened = fault.happened
        lake.erase_one(replay)
        lake.holds()
        at += 1 if os.environ.get("LIBRARIES") else 5
    assert at > 9
    assert not system.cloud.denied
    lake.settle()
    lake.is_exact()


@pytest.mark.parametrize("compactors", [1, 2])
def test_whatever_a_compactor_does_between_two_calls_of_an_eraser(system: System, compactors: int) -> None:
    """It packs what is being erased, or takes its line out of the object that the eraser is writing again."""
    lake = Lake(system, 50)
    eraser = system.template.function_at("deletion_jobs/run_erasure")
    for at in range(0, 26, 1 if os.environ.get("LIBRARIES") else 5):
        replay = _prepared(lake)

        def happens() -> None:
            system.cloud.function = None
            for _ in range(compactors):
                lake.compact()
                system.skip(61)

        with system.cloud.invoking(eraser), system.cloud.between(at, happens):
            lake.erase_one(replay)
        lake.holds()
    lake.settle()
    lake.is_exact()


@pytest.mark.parametrize("stopped", ["announce", "commit"])
def test_a_pack_that_had_named_its_places_may_go_on_at_any_moment_of_an_erasure(system: System, monkeypatch: pytest.MonkeyPatch, stopped: str) -> None:
    """The row tells the eraser of a place where nothing is yet: what is put there later is never committed, or is found."""
    lake = Lake(system, 55)
    eraser = system.template.function_at("deletion_jobs/run_erasure")
    for at in range(0, 24, 1 if os.environ.get("LIBRARIES") else 4):
        replay = _prepared(lake)
        reached, go, there = threading.Event(), threading.Event(), getattr(manifest, stopped)

        def waits(*args: Any, reached: Any = reached, go: Any = go, there: Any = there, **named: Any) -> Any:
            reached.set()
            go.wait(60)
            return there(*args, **named)

        with monkeypatch.context() as patch:
            patch.setattr(manifest, stopped, waits)
            pack = threading.Thread(target=compacting.pack, args=(lake.organization, lake.projects), daemon=True)
            pack.start()
            assert reached.wait(20)

        def happens(go: threading.Event = go, pack: threading.Thread = pack) -> None:
            system.cloud.function = None
            go.set()
            pack.join()

        with system.cloud.invoking(eraser), system.cloud.between(at, happens):
            lake.erase_one(replay)
        happens()
        lake.holds()
    lake.settle()
    lake.is_exact()


def test_what_a_compactor_puts_of_the_erased_before_it_dies_is_swept(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row tells of it any more: the manifest does."""
    lake = Lake(system, 65)
    replay = _prepared(lake)

    def dies(wanted: dict[str, list[bytes]], put: Any = landing.put) -> None:
        lake.erase_one(replay)
        put(wanted)
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(landing, "put", dies)
        compacting.pack(lake.organization, lake.projects)
    assert replay in {whose for _, whose, _ in lake.lines()}
    system.skip(compacting.LEFT + 1)
    lake.compact()
    lake.holds()
    lake.settle()
    lake.is_exact()


def test_a_replay_keeps_its_line_when_the_pack_that_was_to_replace_it_is_swept(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody packs it again, as there are not enough."""
    lake = Lake(system, 66)
    _prepared(lake)
    lake.holds()

    def dies(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        patch.setattr(manifest, "commit", dies)
        compacting.pack(lake.organization, lake.projects)
    assert len(list(lake.lines())) == 5, "three, and two anew"
    monkeypatch.setattr(compacting, "ENOUGH", 500)
    system.skip(compacting.LEFT + 1)
    lake.compact()
    lake.holds()
    assert len(list(lake.lines())) == 3


@pytest.mark.parametrize("kind", ["killed-before", "killed-after"])
def test_nothing_of_the_erased_is_left_by_a_compactor_that_was_at_work_and_dies(system: System, kind: Any) -> None:
    """Erased between any two calls of a compactor that dies at a later one: what it had put and not committed goes with the next sweep."""
    lake = Lake(system, 60)
    for at in range(6, 30, 1 if os.environ.get("LIBRARIES") else 8):
        for later in (1, 2, 3, 4) if os.environ.get("LIBRARIES") else (1 + at % 4,):
            replay = _prepared(lake)

            def happens(replay: ReplayId = replay) -> None:
                function, system.cloud.function = system.cloud.function, None
                lake.erase_one(replay)
                system.cloud.function = function

            with system.cloud.between(at, happens), system.cloud.fault(kind, at + later), suppress(Killed):
                lake.compact()
            if replay in lake.replays:  # it had fewer calls
                lake.erase_one(replay)
            system.skip(compacting.LEFT + 1)
            lake.compact()
            lake.holds()
    lake.settle()
    lake.is_exact()


def test_a_deleted_replay_leaves_the_lake_at_once_though_it_is_no_block_s_worth(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(system, 70)
    lake.begin(4)
    lake.settle()
    monkeypatch.setattr(compacting, "ENOUGH", 500)
    store.commit(lake.replays[0], merging.archive_delta())
    lake.begin(1)
    for _ in range(2):
        system.skip(300)
        lake.compact()
    assert {replay for _, replay, _ in lake.lines()} == set(lake.replays[1:4])
    assert [lake.compact()["packed"] for _ in range(3)] == [0, 0, 0], "and not again and again"
    lake.agrees(thoroughly=True)


def test_a_day_goes_when_it_is_past_its_retention_though_it_was_written_again(system: System) -> None:
    lake = Lake(system, 80)
    lake.begin(4)
    lake.settle()
    system.skip(89 * 86400)
    store.commit(lake.replays[0], merging.archive_delta())
    system.skip(130)
    lake.settle()
    assert len(list(lake.lines())) == 3
    system.now = (system.now // 86400 + 4) * 86400 + 7200
    assert lake.compact()["expired"] == 0, "in a day's first hour only"
    system.now += 86400 - 7000
    objects.delete_many(list(objects.keys_under("rec/")))  # nobody has recorded anything since
    assert lake.compact()["expired"] > 0
    assert list(lake.lines()) == []


def test_a_day_goes_when_it_is_past_the_days_of_its_environment(system: System) -> None:
    """An environment's own days hold for the lines that are there already, too."""
    lake = Lake(system, 83)
    lake.begin(6)
    lake.settle()
    short, long = sorted({replay.project_id for _, replay, _ in lake.lines()})
    told = {"retentionDays": 7}
    assert system.request("PUT", f"/api/environments/{short}", json=told, token=system.acme.token("owner")).status == 200
    system.now = (system.now // 86400 + 8) * 86400 + 60
    lake.compact()
    assert {replay.project_id for _, replay, _ in lake.lines()} == {short, long}, "the last of its days is not over for all"
    system.now += 3 * 86400
    assert lake.compact()["expired"] > 0
    assert {replay.project_id for _, replay, _ in lake.lines()} == {long}


def test_what_began_before_all_retention_is_not_landed(system: System) -> None:
    lake = Lake(system, 81)
    lake.begin(2)
    lake.segment(lake.replays[0], 1, earlier=93 * 86400)
    lake.settle()
    assert {replay for _, replay, _ in lake.lines()} == {lake.replays[1]}


def test_an_object_is_bounded_and_the_same_lines_are_the_same_bytes(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landing, "MOST_IN_ONE", 3_000)
    lake = Lake(system, 82)
    lake.begin(12)
    system.skip(130)
    due = list(store.hot(lake.organization, lake.projects))
    wanted = landing.plan("pack", due).objects(due)
    assert sum(map(len, wanted.values())) == 12
    assert len(wanted) > 2 * len(lake.projects)
    assert all(sum(map(len, said)) <= 3_000 for said in wanted.values())
    written = []
    for _ in range(2):
        landing.put(wanted)
        written.append([objects.get(key) for key in wanted])
        system.skip(1000)
    assert written[0] == written[1]


def _hot(number: int, *, older: tuple[str, ...] = (), days: int = 0) -> Hot:
    row = {"seen": "1", "started": clock.now() - 86400 * days, "finished": clock.now()}
    cold = store.Cold((1,), "b", 1, None, older) if older else None
    replay = ReplayId(1, 1, f"{number:032x}")
    return Hot(replay, Document(replay.key, 1, row), Version(row, 1, cold), clock.now())


def test_a_pack_takes_what_fits_and_always_something(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = [_hot(number) for number in range(9)]
    size = len(landing.plan("p", plain[:1]).lines[plain[0].replay])
    for name, limit, due, taken in (
        ("MOST_BYTES", 4 * size, plain, 4),
        ("MOST_BYTES", 1, plain, 1),
        ("MOST_OBJECTS", 3, [_hot(number, days=number) for number in range(9)], 3),
        ("MOST_OLDER", 4, [_hot(number, older=(f"2026-01-0{number + 1}/a-0", "2026-01-01/b-0")) for number in range(9)], 3),
        ("MOST_OLDER", 1, [_hot(0, older=("2026-01-01/a-0", "2026-01-01/b-0"))], 1),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(landing, name, limit)
            assert len(landing.plan("p", due).due) == taken, name
    assert len(landing.plan("p", plain).due) == 9


def test_replays_of_one_id_in_two_projects_are_two(system: System) -> None:
    """A line is taken out of the objects of its own project only."""
    lake = Lake(system, 83)
    lake.begin(1)
    other = next(project for project in lake.projects if project != lake.replays[0].project_id)
    lake.replays.append(replace(lake.replays[0], project_id=other))
    lake.segment(lake.replays[1], 0)
    lake.settle()
    lake.is_exact()
    lake.erase_one(lake.replays[0])
    assert [replay for _, replay, _ in lake.lines()] == lake.replays
    lake.gone.clear()
    lake.segment(lake.replays[0], 1)
    lake.settle()
    lake.is_exact()


def test_landing_writes_no_row_more(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row's two writes are those that packing takes anyway; the manifest has one for each pack, and a part of its transaction."""

    def written(without: bool) -> list[str]:
        lake = Lake(system, 84)
        with monkeypatch.context() as patch:
            if without:
                patch.setattr(landing, "_line", lambda hot: b"")
            lake.begin(6)
            with system.cloud.watch() as calls:
                for _ in range(4):
                    system.skip(130)
                    lake.compact()
        return sorted(f"{call} {call.params.get('Key', call.params.get('Item'))['pk']['S'][:2]}" for call in calls if str(call) in WRITES)

    bare, landed = written(without=True), written(without=False)
    assert bare.count("dynamodb:UpdateItem R#") == landed.count("dynamodb:UpdateItem R#") == 12
    assert [each for each in landed if each not in bare] == ["dynamodb:PutItem BL"]


WRITES = ("dynamodb:UpdateItem", "dynamodb:PutItem", "dynamodb:DeleteItem")


def test_two_who_take_lines_out_of_one_object_put_nothing_back(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has read before the other wrote is never written: neither when both write, nor when the other has left nothing."""
    lake = Lake(system, 86)
    for others in (1, 2):
        lake.begin(6)
        lake.settle()
        one, *rest = max((sorted(_neighbours(lake, replay), key=str) for replay in lake.replays), key=len)
        assert len(rest) >= 2
        wins = iter([True])

        def overtaken(*args: Any, going: list[ReplayId] = rest[:others], wins: Iterator[bool] = wins, put: Any = objects.put_over) -> Any:
            if next(wins, False):
                for replay in going:
                    lake.erase_one(replay)
            return put(*args)

        with monkeypatch.context() as patch:
            patch.setattr(objects, "put_over", overtaken)
            lake.erase_one(one)
        lake.holds()
        lake.is_exact()


def test_an_object_that_others_write_without_an_end_is_an_error(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = Lake(system, 85)
    lake.begin(3)
    lake.settle()
    monkeypatch.setattr(objects, "put_over", lambda *_: False)
    beside = next(replay for replay in lake.replays if len(_neighbours(lake, replay)) > 1)
    with pytest.raises(errors.Unavailable):
        leaving.erase([store.holding(beside)])


def _neighbours(lake: Lake, replay: ReplayId) -> set[ReplayId]:
    keys = {key for key, whose, _ in lake.lines() if whose == replay}
    return {whose for key, whose, _ in lake.lines() if key in keys}


