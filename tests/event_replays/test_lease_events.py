"""POST /v1/destination/{destination_id}/lease: a destination that pulls."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.event_replays import model, shapes
from tests.event_replays.stage import ask, create, destination, kinds, one, put
from tests.harness import System
from tests.harness.gateway import Response


def lease(system: System, to: str, *, by: str = "member", **asked: Any) -> dict[str, Any]:
    """What is handed out."""
    answer = ask(system, "POST", f"/v1/destination/{to}/lease", by=by, json=asked)
    assert answer.status == 200, answer
    shapes.Lease.model_validate_json(answer.body)
    found: dict[str, Any] = answer.json()
    return found


def ack(system: System, to: str, leased: str, *done: str, failed: Any = ()) -> Response:
    """What is answered to an acknowledgement."""
    return ask(system, "POST", f"/v1/destination/{to}/ack", by="member", json={"lease": leased, "done": list(done), "failed": list(failed)})


def keys(handed: dict[str, Any]) -> list[str]:
    """The keys of what was handed out."""
    return [each["key"] for each in handed["events"]]


def test_the_next_events_are_handed_out_with_their_payloads_as_sent(system: System) -> None:
    ids = put(system, 1, 2, 3)
    to = destination(system, kind="listen")
    replay_id = create(system, to, query="n:>1")
    handed = lease(system, to)
    assert handed["replay_id"] == replay_id
    assert keys(handed) == [f"{replay_id}:{each}" for each in ids[1:]]
    first = handed["events"][0]
    assert (first["payload"], first["number"], first["event_name"]) == ('{"n":2}', 1, "paid")
    assert first["headers"] == {"Content-Type": "application/json", "Idempotency-Key": first["key"]}
    assert one(system, replay_id)["state"] == "running"
    assert ack(system, to, handed["lease"], *keys(handed)).json() == {"settled": 2}
    assert kinds(system, replay_id) == ["created", "started", "completed"]


def test_no_more_than_asked_for_and_one_reader_at_a_time(system: System) -> None:
    put(system, *range(5))
    to = destination(system, kind="listen")
    create(system, to)
    handed = lease(system, to, limit=2)
    assert [each["number"] for each in handed["events"]] == [0, 1]
    assert lease(system, to)["lease"] is None, "they are in other hands, and their order is kept"
    ack(system, to, handed["lease"], *keys(handed))
    assert [each["number"] for each in lease(system, to)["events"]] == [2, 3, 4]


def test_what_is_not_acknowledged_is_handed_out_again_under_equal_keys(system: System) -> None:
    put(system, 1, 2)
    to = destination(system, kind="listen")
    create(system, to)
    first = lease(system, to)
    system.skip(model.LEASE + 1)
    again = lease(system, to)
    assert (keys(again), again["lease"] != first["lease"]) == (keys(first), True)
    assert ack(system, to, first["lease"], *keys(first)).status == 409
    assert ack(system, to, again["lease"], *keys(again)).json() == {"settled": 2}


def test_the_oldest_replay_comes_first_and_then_the_next(system: System) -> None:
    put(system, 1)
    to = destination(system, kind="listen")
    old = create(system, to)
    system.skip(1)
    young = create(system, to)
    for replay_id in (old, young):
        handed = lease(system, to)
        assert handed["replay_id"] == replay_id
        ack(system, to, handed["lease"], *keys(handed))
    assert lease(system, to)["events"] == []


def test_it_waits_for_what_is_to_come(system: System) -> None:
    to = destination(system, kind="listen")
    create(system, to, type="continuous")
    before = system.now
    assert lease(system, to, wait=5)["lease"] is None
    assert 4 <= system.now - before <= 6
    put(system, 1)
    assert len(lease(system, to, wait=5)["events"]) == 1


def test_a_replay_of_nothing_is_completed_by_who_asks(system: System) -> None:
    put(system, 1)
    to = destination(system, kind="listen")
    replay_id = create(system, to, query="n:7")
    assert lease(system, to)["lease"] is None
    assert one(system, replay_id)["state"] == "completed"


def test_a_paused_one_hands_nothing_out(system: System) -> None:
    put(system, 1, 2)
    to = destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to, limit=1)
    ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause")
    assert ack(system, to, handed["lease"], *keys(handed)).json() == {"settled": 1}
    assert lease(system, to)["lease"] is None
    ask(system, "PUT", f"/v1/replay/{replay_id}/toggle-pause")
    assert [each["number"] for each in lease(system, to)["events"]] == [1]


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"wait": 21}, {"wait": -1}, {"wait": True}])
def test_what_cannot_be_is_a_422_on_its_field(system: System, asked: dict[str, Any]) -> None:
    answer = ask(system, "POST", f"/v1/destination/{destination(system, kind='listen')}/lease", json=asked)
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, next(iter(asked)))


def test_a_destination_that_is_sent_to_is_a_409_and_an_unknown_one_a_404(system: System) -> None:
    assert ask(system, "POST", f"/v1/destination/{destination(system)}/lease", json={}).status == 409
    assert ask(system, "POST", "/v1/destination/00000000-0000-4000-8000-000000000000/lease", json={}).status == 404


def test_who_has_no_role_is_handed_nothing(system: System) -> None:
    put(system, 1)
    to = destination(system, kind="listen")
    create(system, to)
    assert lease(system, to, by="outsider")["lease"] is None
