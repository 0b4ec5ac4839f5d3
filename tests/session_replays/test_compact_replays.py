"""Hot and cold: whatever is packed, merged, woken, deleted and erased, a search finds what the replays' own rows say (issue 8)."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tapedeck import objects
from tapedeck.session_replays import elements, merging, searching, store, tagging, tallying
from tapedeck.session_replays.blocks import compacting, erasing, locating, manifest
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.search import evaluating
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.planning import Period
from tapedeck.session_replays.searching import Search
from tapedeck.session_replays.store import ReplayId
from tests.harness import Killed, System

QUERIES = ("", "a:x", "!a:x", "has:a", "count_urls:>1", "url:*x*", "is_archived:true", "user.email:y OR !has:user.email", "click.id:x", "count_segments:2")
SORTS = ("-started_at", "started_at", "-duration", "count_urls", "-user.email", "finished_at", "-project_id")
WORDS = ("x", "y", "xy")


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few rows, so that there are many of them."""
    monkeypatch.setattr(compacting, "ENOUGH", 1)
    monkeypatch.setattr(compacting, "FAN_IN", 2)
    monkeypatch.setattr(compacting, "MOST_MERGED", 12)
    monkeypatch.setattr(form, "MOST_ROWS", 6)
    monkeypatch.setattr(form, "FEW", 2)
    monkeypatch.setattr(form, "PAGE", 200)


class Library:
    """Replays of two projects, written as an ingest writes them; what is known of them is asked of their own rows."""

    def __init__(self, system: System, seed: int) -> None:
        self.system, self.dice = system, random.Random(seed)
        self.projects = [system.acme.web.project_id, system.acme.shop.project_id]
        self.organization = system.acme.id
        self.replays: list[ReplayId] = []
        self.days: dict[int, int] = {}  # of the projects that have days of their own
        for project in self.projects:
            objects.put(f"rec/{self.organization}/{project}/2026030510/x", b"")

    def begin(self, count: int = 1) -> None:
        for _ in range(count):
            replay = ReplayId(self.organization, self.dice.choice(self.projects), f"{self.dice.getrandbits(128):032x}")
            self.replays.append(replay)
            self.segment(replay, 0)

    def segment(self, replay: ReplayId, number: int, *, earlier: float = 0) -> None:
        dice, at = self.dice, self.system.now
        started = at - dice.choice([0, 0, 1, 30]) - earlier
        scalars = {name: dice.choice(WORDS) for name in ("user.email", "browser.name", "environment") if dice.random() < 0.5}
        event = ReplayEvent(
            replay.key, number, at, started, scalars, [dice.choice(WORDS) for _ in range(dice.randrange(3))], [], [],
            None, {"a": dice.choice(WORDS), "transaction": dice.choice(WORDS)} if dice.random() < 0.6 else {},
        )  # fmt: skip
        click = Click(int(at), number, True, dice.random() < 0.5, tuple("x" if name in ("tag", "id") else "" for name in TEXTS))
        self.hear(replay, merging.segment_delta(event, [click] * dice.randrange(2)))

    def hear(self, replay: ReplayId, delta: Row) -> None:
        now = replace(replay, days=self.days.get(replay.project_id))
        store.commit(now, merging.expiring(delta, store.expires(now)))

    def late(self) -> None:
        replay = self.dice.choice(self.replays)
        self.segment(replay, self.dice.randrange(1, 4), earlier=self.dice.choice([0, 0, 100, 5_000]))

    def watch(self) -> None:
        store.commit(self.dice.choice(self.replays), merging.view_delta(self.dice.randrange(3)), begin=False)

    def link(self) -> None:
        event = EventLink(f"{self.dice.getrandbits(128):032x}", "", "error", self.system.now, "")
        self.hear(self.dice.choice(self.replays), merging.link_delta(event))

    def delete(self) -> None:
        store.commit(self.dice.choice(self.replays), merging.archive_delta())

    def decide(self) -> None:
        """An admin changes for how long a project keeps its replays."""
        self.days = {project: self.dice.choice([1, 3]) for project in self.projects if self.dice.random() < 0.5}

    def erase(self) -> None:
        replay = self.replays.pop(self.dice.randrange(len(self.replays)))
        store.delete_rows(store.holding(replay).keys)
        erasing.erase(self.organization, [replay])

    def compact(self) -> dict[str, int]:
        result: dict[str, int] = self.system.invoke("session_replays/compact_replays")
        return result

    def step(self) -> None:
        self.dice.choice([self.begin, partial(self.begin, 3), self.late, self.watch, self.link, self.delete, self.erase, self.decide, *[self.compact] * 3])()
        self.system.skip(self.dice.choice([0, 1, 10, 70, 130, 0, 1, 10, 70, 130, 86_400 * self.dice.choice([0.4, 0.9, 3])]))
        if not self.replays:
            self.begin()

    # What is known -------------------------------------------------------------------------------------------------------------------

    def documents(self) -> list[Document]:
        """All that is visible, by the rows themselves."""
        period, now = Period(self.organization, self.projects, 0, 4e9, self.days), self.system.now
        rows: list[tuple[ReplayId, Row | None]] = [(replay, store.read(replay, consistent=True).row) for replay in self.replays]
        return [
            Document(replay.key, replay.project_id, row)
            for replay, row in rows
            if row and merging.is_visible(row) and merging.started_at(row) is not None
            if period.keeps(Document(replay.key, replay.project_id, row), now)
        ]

    def agrees(self, *, thoroughly: bool = False) -> None:
        documents, dice = self.documents(), self.dice
        for query in QUERIES if thoroughly else dice.sample(QUERIES, 2):
            sort, offset, limit = dice.choice(SORTS), dice.choice([0, 0, 1, 5]), dice.choice([1, 4, 100])
            period = dice.choice([(0.0, 4e9), (self.system.now - dice.choice([50, 300]), self.system.now + 1)])
            projects = dice.choice([self.projects, self.projects[:1]])
            wanted = Search(Period(self.organization, projects, *period, self.days), (), searching.matching(query, 1), searching.order(sort))
            assert wanted.matches
            there = [
                one
                for one in documents
                if one.project_id in projects and int(period[0] * 1000) <= store.moment(store.place(one)) < int(period[1] * 1000)
            ]
            expected = sorted(filter(wanted.matches.test, there), key=evaluating.sort_key(sort), reverse=evaluating.is_descending(sort))
            page = searching.find(wanted, offset=offset, limit=limit)
            told = (query, sort, offset, limit, period, projects)
            assert [one.replay_id for one in page.replays] == [one.replay_id for one in expected[offset : offset + limit]], told
            assert page.more == (len(expected) > offset + limit), told
        if thoroughly:
            self.counts(documents)

    def counts(self, documents: list[Document]) -> None:
        wanted = Search(Period(self.organization, self.projects, 0, 4e9, self.days))
        assert sum(searching.gather(wanted, tagging.keys, tagging.keys_in_blocks), Counter()) == tagging.keys(documents)
        for key in ("a", "user.email", "url", "transaction", "nothing"):
            pages = searching.gather(wanted, lambda rows, key=key: tagging.values(rows, key), tagging.values_in_blocks(key))
            told = tagging.describe_values(pages, key, containing=None, sort="-last_seen")
            assert told == tagging.describe_values([tagging.values(documents, key)], key, containing=None, sort="-last_seen"), key
        rows = elements.describe(searching.gather(wanted, elements.count, elements.count_in_blocks), sort=None, matches=lambda _: True)
        assert rows == elements.describe([elements.count(documents)], sort=None, matches=lambda _: True)
        found = tallying.tally(wanted, "transaction", ["x", "y"])
        for value in ("x", "y"):
            having = {one.replay_id for one in documents if value in one.row.get("tags", {}).get("transaction", ())}
            assert set(found.get(value, ())) == having

    def copies(self) -> Counter[str]:
        """How many living copies there are of each replay, over all blocks."""
        found: Counter[str] = Counter()
        for block in manifest.read(self.organization, consistent=True):
            there = locating.whole(block)
            assert there
            found.update(there.row_id(row).hex() for row in form.rows_of(block.living, block.head.rows))
        return found


def settled(library: Library) -> None:
    """Everything is packed, and has left the hot tier."""
    for _ in range(8):
        library.system.skip(130)
        library.compact()


@pytest.mark.parametrize("seed", range(int(os.environ.get("LIBRARIES", "2"))))
def test_searches_find_what_the_rows_say_whatever_happens(system: System, seed: int) -> None:
    library = Library(system, seed)
    library.begin(3)
    for number in range(40):
        library.step()
        library.agrees(thoroughly=number % 20 == 19)
    settled(library)
    library.agrees(thoroughly=True)
    assert list(store.hot(library.organization, library.projects)) == [], "nobody writes to it: all of it is cold"
    assert set(library.copies().values()) <= {1}, "no replay is in two blocks"


def test_small_blocks_become_large_ones_and_what_is_old_is_swept(system: System) -> None:
    library = Library(system, 7)
    for _ in range(9):
        library.begin(2)
        system.skip(130)
        library.compact()
    settled(library)
    blocks = manifest.read(library.organization)
    assert len(blocks) <= 5
    assert sum(block.head.rows for block in blocks) == 18
    system.skip(600)
    library.compact()
    assert set(objects.keys_under("blocks/")) == {block.object_key for block in manifest.read(library.organization)}
    library.agrees(thoroughly=True)


def test_a_search_takes_four_round_trips(system: System) -> None:
    library = Library(system, 8)
    for _ in range(6):
        library.begin(5)
        system.skip(130)
        library.compact()
    settled(library)
    library.begin(2)
    system.skip(1)
    for at, (query, sort) in enumerate((("", "-duration"), ("a:x", "-duration"), ("", "-started_at"), ("has:user.email", "user.email"))):
        answer = system.request(
            "GET",
            f"/api/0/organizations/{system.acme.slug}/replays/",
            query=[("query", query), ("sort", sort), ("statsPeriod", "1d")],
            token=system.acme.token("member"),
        )
        assert answer.status == 200, answer
        assert answer.json()["data"]
        assert system.cloud.trips <= 4 or at == 0, "the first request also reads who calls"
        assert int(answer.headers["x-replays-looked-at"]) == 32


@pytest.mark.parametrize("kind", ["killed-before", "killed-after", "answer-lost"])
def test_a_compactor_may_die_at_any_call(system: System, kind: Any) -> None:
    library = Library(system, 9)
    for at in range(0, 36, 3 if kind == "killed-after" else 9):
        library.begin()
        library.late()
        system.skip(130)
        with system.cloud.fault(kind, at), suppress(Killed, Exception):
            library.compact()
        library.agrees()
        system.skip(61)
        library.compact()
        library.agrees()
    settled(library)
    library.agrees(thoroughly=True)
    assert set(library.copies().values()) <= {1}


def _everything(library: Library) -> list[Callable[[], Any]]:
    return [library.late, library.delete, library.erase, library.compact, partial(library.agrees, thoroughly=True), library.watch]


@pytest.mark.parametrize("happening", range(6))
def test_whatever_happens_between_two_calls_of_the_compactor(system: System, happening: int) -> None:
    library = Library(system, 10 + happening)
    for at in range(0, 36, 4):
        library.begin(2)
        library.late()
        system.skip(130)

        def happens() -> None:
            system.cloud.function = None  # not the compactor's doing
            _everything(library)[happening]()
            library.agrees()

        with system.cloud.between(at, happens):
            library.compact()
        library.agrees()
        system.skip(65)
        library.compact()
        library.agrees()
    settled(library)
    library.agrees(thoroughly=True)
    assert set(library.copies().values()) <= {1}


def _ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer
    return sorted(row["id"] for row in answer.json()["data"])


@pytest.mark.parametrize("sort", ["-started_at", "duration"])
def test_whatever_the_compactor_does_between_two_calls_of_a_search(system: System, sort: str) -> None:
    """No row lost, none twice: packing, leaving the hot tier, merging and late segments, before each call of a reader."""
    library = Library(system, 20)
    for at in range(8):
        for wait in (130, 61, 0):
            library.begin(2)
            system.skip(wait)
            library.late()
            system.skip(1)

            def happens() -> None:
                system.cloud.function = None  # not the reader's doing
                library.compact()
                library.watch()
                library.compact()

            ask = partial(
                system.request,
                "GET",
                f"/api/0/organizations/{system.acme.slug}/replays/",
                query=[("statsPeriod", "1d"), ("sort", sort), ("limit", "100")],
                token=system.acme.token("member"),
            )
            with system.cloud.between(at, happens):
                found = _ids(ask())
            assert found == sorted(one.replay_id for one in library.documents()), (at, wait)


def test_no_byte_of_an_erased_replay_stays_in_any_block(system: System) -> None:
    library = Library(system, 30)
    library.begin(9)
    replay = library.replays[4]
    marked = ReplayEvent(replay.key, 3, system.now, system.now, {"user.email": "MARKER"}, ["MARKER/x"], [], [], "MARKER", {"MARKER": "MARKER"})
    store.commit(replay, merging.segment_delta(marked))
    settled(library)

    def dump() -> bytes:
        found = b""
        for block in manifest.read(library.organization, consistent=True):
            there = locating.whole(block)
            assert there
            found += b"".join(key for key, _ in there.dictionary()) + b"".join(there.row_id(row) for row in range(there.rows))
            found += form.inflate(form.pack_head(block.head)) + repr(there.shown()).encode()
        return found

    assert b"MARKER" in dump()
    store.delete_rows(store.holding(replay).keys)
    erasing.erase(library.organization, [replay])
    library.replays.remove(replay)
    assert b"MARKER" not in dump()
    assert bytes.fromhex(replay.key) not in dump()
    assert set(objects.keys_under("blocks/")) == {block.object_key for block in manifest.read(library.organization)}
    library.agrees(thoroughly=True)


def test_what_is_past_its_retention_goes(system: System) -> None:
    library = Library(system, 31)
    library.begin(4)
    settled(library)
    system.skip(91 * 86400)
    assert searching.find(Search(Period(library.organization, library.projects, 0, 4e9)), limit=10).replays == []
    library.compact()
    assert manifest.read(library.organization) == []


def test_a_few_replays_are_no_block(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compacting, "ENOUGH", 5)
    library = Library(system, 32)
    library.begin(4)
    system.skip(130)
    assert library.compact()["packed"] == 0
    library.begin(1)
    system.skip(130)
    assert library.compact()["packed"] == 5
