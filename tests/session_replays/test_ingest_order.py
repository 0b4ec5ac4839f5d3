"""Out of order, twice, at once or late: the same segments give the same row (trust.md F3, contract §6.5)."""

from __future__ import annotations

import itertools
import random
from functools import partial
from typing import Any

import pytest

from tests.harness import System, envelopes
from tests.harness.sdk import index, read, send, shown
from tests.session_replays.test_ingest_faults import whole

EVENTS = ("1" * 32, "2" * 32)


def messages(system: System, replay_id: str) -> list[bytes]:
    """Four segments and two events of one replay, which overlap in everything that is merged."""
    now = system.now
    at = [now - 30, now - 20, now - 10, now - 5]
    clicks: list[list[dict[str, Any]]] = [
        [envelopes.click(1, at=now - 28, id="buy")],
        [envelopes.slow_click(1, at=now - 28, clicks=5), envelopes.click(2, at=now - 21)],
        [],
        [envelopes.click(2, at=now - 21, text="again")],
    ]
    fields: list[dict[str, Any]] = [
        {"urls": ["/a", "/b"], "tags": {"plan": "free", "t": "1"}, "release": "1", "user": None},
        {"urls": ["/a"], "tags": {"plan": "paid"}, "release": "2", "user": {"id": "u-1", "email": "ann@example.com"}},
        {"urls": [], "error_ids": ["a" * 32], "trace_ids": ["b" * 32, "c" * 32], "user": {"id": "u-2"}},
        {"urls": ["/c"], "error_ids": ["a" * 32, "d" * 32], "trace_ids": ["c" * 32], "environment": "staging"},
    ]
    segments = [
        envelopes.segment(replay_id, n, at=at[n], started=now - 31 + n, events=[*envelopes.page(n, at=at[n]), *clicks[n]], **fields[n])
        for n in range(4)
    ]
    return [
        *segments,
        envelopes.error_event(replay_id, event_id=EVENTS[0], at=now - 12),
        envelopes.error_event(replay_id, event_id=EVENTS[1], level="warning", by="tag", at=now - 2),
    ]


def row_after(system: System, order: list[int]) -> Any:
    """What a reader sees after these messages came in this order."""
    replay_id = envelopes.new_id()
    bodies = messages(system, replay_id)
    for number in order:
        answer = send(system, system.acme.web, bodies[number])
        assert answer.status == 200, answer
    return whole(system, replay_id)


def calm(system: System) -> Any:
    """What a reader sees when everything came once and in order."""
    expected = row_after(system, list(range(6)))
    assert expected[0]["count_segments"] == 4
    assert (expected[0]["count_errors"], expected[0]["count_warnings"]) == (1, 1)
    assert (expected[0]["count_dead_clicks"], expected[0]["count_rage_clicks"]) == (1, 1)
    return expected


@pytest.mark.parametrize("first", range(4))
def test_every_order_gives_the_same_row(system: System, first: int) -> None:
    expected = calm(system)
    for rest in itertools.permutations(number for number in range(4) if number != first):
        assert row_after(system, [first, *rest, 5, 4]) == expected, (first, rest)


@pytest.mark.parametrize("seed", range(4))
def test_every_repetition_gives_the_same_row(system: System, seed: int) -> None:
    expected = calm(system)
    dice = random.Random(seed)
    for _ in range(4):
        order = [*range(6), *dice.choices(range(6), k=4)]
        dice.shuffle(order)
        assert row_after(system, order) == expected, order


@pytest.mark.parametrize("pair", [(0, 1), (1, 0), (0, 0), (2, 3), (3, 4), (4, 5), (0, 4)])
def test_two_at_once_give_the_same_row_wherever_they_cross(system: System, pair: tuple[int, int]) -> None:
    """The second message runs completely just before the k-th call of the first, for every k."""
    expected, web = calm(system), system.acme.web
    for k in itertools.count():
        replay_id = envelopes.new_id()
        bodies = messages(system, replay_id)
        for number in set(range(6)) - set(pair):
            assert send(system, web, bodies[number]).status == 200
        statuses: list[int] = []
        with system.cloud.between(k, partial(_and_note, statuses, system, bodies[pair[1]])):
            _and_note(statuses, system, bodies[pair[0]])
        if len(statuses) == 1:
            break
        assert statuses == [200, 200], (pair, k)
        assert whole(system, replay_id) == expected, (pair, k)
    assert k >= 2, "a message makes at least two calls"


def _and_note(statuses: list[int], system: System, body: bytes) -> None:
    statuses.append(send(system, system.acme.web, body).status)


def test_a_segment_that_comes_a_day_late_is_merged(system: System) -> None:
    replay_id = envelopes.new_id()
    bodies = messages(system, replay_id)
    for number in (0, 1, 3):
        send(system, system.acme.web, bodies[number])
    system.skip(86400)
    assert send(system, system.acme.web, bodies[2]).status == 200
    assert shown(system, system.acme, system.acme.web, replay_id)["count_segments"] == 4


def test_until_segment_0_is_there_a_replay_is_invisible_and_its_segments_are_listable(system: System) -> None:
    """§6.5."""
    replay_id, web = envelopes.new_id(), system.acme.web
    bodies = messages(system, replay_id)
    send(system, web, bodies[1])
    assert read(system, system.acme, web, replay_id).status == 404
    assert index(system, system.acme).json()["data"] == []
    url = f"/api/0/projects/acme/web/replays/{replay_id}/recording-segments/"
    listed = system.request("GET", url, token=system.acme.token("member")).json()["data"]
    assert [segment["segmentId"] for segment in listed] == [1]
    send(system, web, bodies[0])
    assert index(system, system.acme).json()["data"][0]["id"] == replay_id
    assert shown(system, system.acme, web, replay_id)["count_segments"] == 2


def test_a_start_that_moves_back_moves_the_replay_in_the_list(system: System) -> None:
    """A late first segment began earlier than what came before it: the order is that of beginnings."""
    web, now = system.acme.web, system.now
    early, late = envelopes.new_id(), envelopes.new_id()
    send(system, web, envelopes.segment(late, 0, at=now - 5, started=now - 50))
    send(system, web, envelopes.segment(early, 0, at=now - 5, started=now - 10))
    assert [row["id"] for row in index(system, system.acme).json()["data"]] == [early, late]
    send(system, web, envelopes.segment(early, 1, at=now - 4, started=now - 100))
    assert [row["id"] for row in index(system, system.acme).json()["data"]] == [late, early]
    assert len(index(system, system.acme).json()["data"]) == 2
