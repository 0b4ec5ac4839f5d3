"""Fan-out: a search that is divided among workers answers what it answers undivided, or 503, and nothing in between (issue 8)."""

from __future__ import annotations

import json
import random
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tapedeck import objects
from tapedeck.session_replays import merging, store
from tapedeck.session_replays.blocks import fanning, gathering, manifest
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.search.language import EVERYTHING
from tapedeck.session_replays.search.planning import Period
from tests.harness import System, cloud
from tests.harness.gateway import Response
from tests.harness.template import ROOT
from tests.session_replays import test_compact_replays
from tests.session_replays.test_compact_replays import SORTS, Library, settled

small = test_compact_replays.small  # blocks of six rows

PATHS = (
    *(("replays/", [("sort", sort), ("per_page", "7"), ("offset", offset)]) for sort in SORTS for offset in ("0", "5", "21")),
    *(("replays/", [("query", query), ("sort", "-duration"), ("per_page", "100")]) for query in test_compact_replays.QUERIES),
    ("tags/", []),
    *((f"tags/{key}/values/", [("sort", "-count")]) for key in ("a", "user.email", "url", "transaction")),
    ("replay-selectors/", []),
    *(("replay-count/", [("query", "transaction:[x, y, nothing]"), *ids]) for ids in ([], [("returnIds", "true")])),
)


@pytest.fixture
def library(system: System) -> Library:
    """Cold replays in several blocks, and some that are hot."""
    found = Library(system, 40)
    for _ in range(4):
        found.begin(8)
        for _ in range(4):
            found.late()
        settled(found)
    for what in (found.late, found.watch, found.delete, found.begin):
        what()  # stand for their copies, or are in no block
    system.skip(1)
    assert len(manifest.read(found.organization)) >= 5
    return found


@contextmanager
def divided(rows: int = 1, answers: int = fanning.MOST_ANSWER, questions: int = fanning.MOST_QUESTION) -> Iterator[None]:
    """Searches in here are divided among workers, each of which looks at so many rows, and is told and answers at most so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "most_rows", lambda: rows)
        patch.setattr(fanning, "MOST_ANSWER", answers)
        patch.setattr(fanning, "MOST_QUESTION", questions)
        yield


def ask(library: Library, path: str, query: list[tuple[str, str]]) -> Response:
    acme = library.system.acme
    url = f"/api/0/organizations/{acme.slug}/{path}"
    return library.system.request("GET", url, query=[("statsPeriod", "30d"), *query], token=acme.token("member"))


def said(answer: Response) -> tuple[Any, ...]:
    link = re.sub(r"<[^>]*>", "", answer.headers.get("link", ""))
    return answer.status, answer.json(), answer.headers.get("x-replays-looked-at"), link


@pytest.mark.parametrize(("rows", "answers"), [(1, fanning.MOST_ANSWER), (13, fanning.MOST_ANSWER), (13, 60), (1, 0)])
def test_a_divided_search_answers_the_same(library: Library, rows: int, answers: int) -> None:
    """Order, ties, pages, whether there is more, and how many were looked at; also where answers are too large for Lambda."""
    undivided = []
    for path, query in PATHS:
        whole = said(ask(library, path, query))
        assert whole[0] == 200, whole
        with divided(rows, answers), library.system.cloud.watch() as calls:
            assert said(ask(library, path, query)) == whole, (path, query)
        if not any(call.service == "lambda" for call in calls):
            undivided.append(query)
    assert [query for ((_, query), *_) in undivided] == ["is_archived:true"], "heads say that no block has any"


def test_questions_that_are_too_long_are_halved(library: Library) -> None:
    """Thousands of rows that are masked; a single block that is too many is looked at by who asks."""
    blocks = manifest.read(library.organization)
    wanted = gathering.Wanted(Period(library.organization, library.projects, 0, 4e9), EVERYTHING)
    longest = max(len(fanning._packed(wanted, [block], ("best", ["duration", 8, True]))) for block in blocks)
    for path, query in PATHS[:6]:
        whole = said(ask(library, path, query))
        for most in (longest + 600, 0):
            with divided(rows=13, questions=most), library.system.cloud.watch() as calls:
                assert said(ask(library, path, query)) == whole, (path, query, most)
            assert any(call.service == "lambda" for call in calls) == bool(most)


@pytest.mark.parametrize("seed", [41, 42])
def test_divided_searches_find_what_the_rows_say_whatever_happens(system: System, seed: int) -> None:
    library = Library(system, seed)
    library.begin(3)
    for number in range(24):
        library.step()
        with divided(seed % 2 * 12 + 1):
            library.agrees(thoroughly=number % 12 == 11)


def test_a_divided_search_takes_four_round_trips_and_its_workers_one(library: Library) -> None:
    """The lists; the workers, which read their blocks; ids; documents."""
    ask(library, "replays/", [])  # reads who calls
    with divided(), library.system.cloud.watch() as calls:
        assert ask(library, "replays/", [("sort", "-duration")]).status == 200
    trips = {name: len({call.trip for call in calls if call.function == name}) for name in {call.function for call in calls}}
    assert trips == {"ListReplays": 4, "SearchBlocks": 1}
    assert library.system.cloud.trips == 5, "one after another"
    assert {str(call) for call in calls if call.function == "SearchBlocks"} == {"s3:GetObject"}


@pytest.mark.parametrize("kind", cloud.KINDS)
def test_a_divided_search_is_whole_or_fails(library: Library, kind: cloud.Kind) -> None:
    """Whatever call fails, of the caller's or of a worker's."""
    asked = ("replays/", [("sort", "-duration"), ("query", "count_urls:>0")])
    whole = said(ask(library, *asked))
    with divided(rows=13):
        with library.system.cloud.watch() as calls:
            assert said(ask(library, *asked)) == whole
        failed = set()
        for at in range(len(calls)):
            with library.system.cloud.fault(kind, at) as fault:
                answer = ask(library, *asked)
            assert fault.happened
            assert answer.status >= 500 or said(answer) == whole, (kind, at)
            assert answer.status == 200 or fault.function != "SearchBlocks", "a worker that fails is asked once more"
            failed.add(fault.function)
        assert failed == {"ListReplays", "SearchBlocks"}


def test_a_worker_that_fails_twice_fails_the_search(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 and not a part of the answer; a bulk deletion goes on later."""
    def fails(_: Any) -> Any:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(fanning, "answer", fails)
    with divided(), library.system.cloud.watch() as calls:
        answer = ask(library, "replays/", [])
    assert answer.status == 503
    invoked = sum(call.service == "lambda" for call in calls)
    assert invoked == 2 * len(manifest.read(library.organization))


def test_a_bulk_deletion_waits_for_workers(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    system, acme = library.system, library.system.acme
    order = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2099-01-01T00:00:00Z", "environments": [], "query": ""}
    jobs = f"/api/0/projects/{acme.slug}/{acme.web.slug}/replays/jobs/delete/"
    monkeypatch.setattr(gathering, "most_rows", lambda: 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanning, "answer", lambda _: 1 / 0)
        job = system.request("POST", jobs, json={"data": order}, token=acme.token("owner")).json()["data"]["id"]
        system.drain()
        told = system.request("GET", f"{jobs}{job}/", token=acme.token("owner")).json()["data"]
        assert told["status"] in ("pending", "in-progress"), told
    system.advance(1_500)
    system.drain()
    assert system.request("GET", f"{jobs}{job}/", token=acme.token("owner")).json()["data"]["status"] == "completed"
    assert not [one for one in library.documents() if one.project_id == acme.web.project_id and not merging.is_archived(one.row)]


def test_blocks_that_go_while_workers_look_for_them(library: Library) -> None:
    """A worker that misses its block says so, and the caller reads the list of blocks again."""
    asked = ("replays/", [("sort", "-duration"), ("per_page", "100")])
    whole = said(ask(library, *asked))
    with divided():
        with library.system.cloud.watch() as calls:
            ask(library, *asked)
        reads = [at for at, call in enumerate(calls) if call.function == "SearchBlocks"]

        def happens() -> None:
            library.system.cloud.function = None  # not the reader's doing
            for block in manifest.read(library.organization, consistent=True):
                name = manifest.fresh_name()
                moved = replace(block, id=name, object_key=f"{block.object_key}-{name}", number=1)
                body = objects.get(block.object_key)
                assert body is not None
                objects.put(moved.object_key, body)
                assert manifest.commit(library.organization, manifest.turn_of(library.organization), new=[moved], gone=[block])
                objects.delete(block.object_key)

        for at in (reads[0], reads[-1]):
            with library.system.cloud.between(at, happens):
                assert said(ask(library, *asked)) == whole


def test_shares_are_even_and_not_too_many(library: Library) -> None:
    blocks = manifest.read(library.organization) * 20
    total = sum(block.head.rows for block in blocks)
    for rows in (1, 13, 50, total // 2, total - 1):
        with divided(rows):
            shares = fanning._shares(blocks)
        assert [at for first, end in shares for at in range(first, end)] == list(range(len(blocks)))
        assert len(shares) == min(fanning.MOST_WORKERS, -(-total // rows))
        sizes = [sum(block.head.rows for block in blocks[first:end]) for first, end in shares]
        assert max(sizes) - min(sizes) <= 2 * 6, "blocks are not divided"


def test_where_one_function_suffices_nobody_else_is_asked(library: Library) -> None:
    rows = sum(block.head.rows for block in manifest.read(library.organization))
    with divided(rows), library.system.cloud.watch() as calls:
        assert ask(library, "replays/", []).status == 200
        assert ask(library, "tags/", []).status == 200
    assert not [call for call in calls if call.service == "lambda"]
    assert int(library.system.template.functions["ListReplays"].environment["FAN_OUT_ROWS"]) == 4_000_000


def test_half_a_million_candidates_are_an_answer() -> None:
    """What bounds an offset within one answer; beyond it, shares are halved."""
    dice, count = random.Random(50), 50_000
    packed = form.pack(
        fanning.Found(
            None,
            fanning._transposed(sorted(1000 * dice.randrange(3600) for _ in range(count))),
            fanning._transposed(1_765_000_000_000 + dice.randrange(90 * 86_400_000) for _ in range(count)),
            fanning._transposed(dice.randrange(62) for _ in range(count)),
            fanning._transposed(dice.randrange(65_536) for _ in range(count)),
            fanning._transposed(dice.choice([1, 2, 3]) for _ in range(count)),
        )
    )
    assert len(zlib.compress(packed, 1)) * 10 <= fanning.MOST_ANSWER
    assert fanning.MOST_ANSWER * 4 // 3 + 100 <= cloud.MOST_PAYLOAD


def test_the_example_event_is_a_question(system: System) -> None:
    event = json.loads((ROOT / "events/session_replays/search_blocks.json").read_text())
    assert system.invoke("session_replays/search_blocks", event) == {"gone": True}, "nobody has put that block"


def test_a_question_is_not_longer_than_lambda_takes(library: Library) -> None:
    """6 MB, in Base64: room for a share's heads, and for thousands of rows that are masked."""
    block = manifest.read(library.organization)[0]
    wanted = gathering.Wanted(Period(library.organization, library.projects, 0, 4e9), EVERYTHING, 1, [])
    heads = len(fanning._packed(wanted, [block] * 62, ("best", ["duration", 11, True])))
    assert heads < 62 * 2_000
    hidden = [each._replace(row={}, cold=(store.moment(store.place(each)),)) for each in library.documents()] * 300
    masks = len(fanning._packed(replace(wanted, masked=hidden), [block], ("best", ["duration", 11, True])))
    assert masks / len(hidden) < 60
