"""GET /v1/replay/{event_replay_id}: product.md decision 1; others' replays answer like unknown ones."""

from __future__ import annotations

import pytest

from tests.event_replays.stage import Sink, ask, create, destination, one, put, sink
from tests.harness import System

__all__ = ["sink"]


def test_it_has_one_member(system: System) -> None:
    replay_id = create(system, destination(system))
    assert one(system, replay_id)["id"] == replay_id
    assert list(ask(system, "GET", f"/v1/replay/{replay_id.replace('-', '').upper()}").json()) == [replay_id], "with or without dashes"


def test_an_archived_one_can_be_read(system: System) -> None:
    """Decision 5."""
    replay_id = create(system, destination(system))
    ask(system, "DELETE", f"/v1/replay/{replay_id}")
    assert one(system, replay_id)["archived"] is True


@pytest.mark.parametrize("rest", ["", "/toggle-pause", "/redo"])
@pytest.mark.parametrize("by", ["outsider", "globex"])
def test_others_answer_like_unknown_ones(system: System, rest: str, by: str) -> None:
    """trust.md T26."""
    replay_id = create(system, destination(system))
    token = system.globex.token("owner") if by == "globex" else system.acme.token(by)
    method = "PUT" if rest else "GET"
    answers = [system.request(method, f"/v1/replay/{each}{rest}", token=token) for each in (replay_id, "00000000-0000-4000-8000-000000000000", "x" * 2000)]
    assert [answer.status for answer in answers] == [404, 404, 404]
    assert len({answer.body for answer in answers}) == 1
    assert one(system, replay_id)["state"] == "pending"


def test_progress_has_a_rate_and_says_how_long_it_will_take(system: System, sink: Sink) -> None:
    put(system, *range(40))
    sink.takes = 2.0
    replay_id = create(system, destination(system))
    sink.during = lambda number: ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause") and None if number == 19 else None
    system.drain()
    shown = one(system, replay_id)["progress"]
    assert (shown["looked_at"], shown["sent"], shown["until"]) == (20, 20, 40)
    assert 0.4 < shown["rate"] <= 0.5
    assert 40 <= shown["eta"] <= 46
