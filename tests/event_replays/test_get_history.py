"""GET /v1/replayer/history/{event_replay_id}: product.md decision 2."""

from __future__ import annotations

import pytest

from tests.event_replays.stage import GONE, OK, Sink, ask, create, destination, history, number_of, put, sink
from tests.harness import System

__all__ = ["sink"]


def test_it_is_an_object_by_entry_id_the_oldest_first_with_the_four_members_and_more(system: System, sink: Sink) -> None:
    put(system, 1, 2, 3)
    sink.says = lambda each: GONE if number_of(each) == 2 else OK
    replay_id = create(system, destination(system))
    system.skip(5)
    system.drain()
    said = ask(system, "GET", f"/v1/replayer/history/{replay_id}").json()
    assert all(len(entry_id) == 36 for entry_id in said)
    lines = list(said.values())
    every = {"latency_ms", "status", "message", "last_checked_at", "type", "sent", "failed", "matched", "at"}
    assert [set(line) - {"event_id"} for line in lines] == [every] * 4
    assert [line["type"] for line in lines] == ["created", "started", "delivery_error", "completed"]
    assert [line["at"] for line in lines] == sorted(line["at"] for line in lines)
    assert [(line["matched"], line["sent"], line["failed"]) for line in lines] == [(0, 0, 0), (0, 0, 0), (3, 2, 1), (3, 2, 1)]
    assert ask(system, "GET", f"/v1/replayer/history/{replay_id}").json() == said, "an entry's id never changes"


def test_it_has_nothing_of_anybody(system: System, sink: Sink) -> None:
    """trust.md T18: reasons and ids of events, never payloads."""
    put(system, 424242)
    sink.says = lambda _: GONE
    replay_id = create(system, destination(system))
    system.drain()
    kept = [item for item in system.items("ControlTable") if item["pk"]["S"].startswith("HISTORY#")]
    assert kept
    assert b"424242" not in b"".join(bytes(item["d"]["B"]) for item in kept)
    assert history(system, replay_id)


def test_a_page_leads_to_the_next(system: System, sink: Sink) -> None:
    put(system, *range(30))
    sink.says = lambda _: GONE
    replay_id = create(system, destination(system))
    system.drain()
    whole = ask(system, "GET", f"/v1/replayer/history/{replay_id}").json()
    paged: dict[str, object] = {}
    answer = ask(system, "GET", f"/v1/replayer/history/{replay_id}", query={"limit": "10"})
    while True:
        paged |= answer.json()
        if answer.links["next"]["results"] == "false":
            break
        answer = ask(system, "GET", answer.links["next"]["url"])
    assert list(paged.items()) == list(whole.items())
    assert len(whole) == 33


@pytest.mark.parametrize("by", ["outsider", "globex"])
def test_others_answer_like_unknown_ones(system: System, by: str) -> None:
    replay_id = create(system, destination(system))
    token = system.globex.token("owner") if by == "globex" else system.acme.token(by)
    answers = [system.request("GET", f"/v1/replayer/history/{each}", token=token) for each in (replay_id, "00000000-0000-4000-8000-000000000000")]
    assert (answers[0].status, answers[0].body) == (404, answers[1].body)
