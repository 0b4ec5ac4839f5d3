"""POST /v1/destination/{destination_id}/ack: what was pulled counts when it is acknowledged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_replays.stage import ask, create, destination, history, is_exact, one, put
from tests.event_replays.test_lease_events import ack, keys, lease
from tests.harness import KINDS, System
from tests.harness.cloud import Kind


def test_some_now_some_later_and_some_not_at_all(system: System) -> None:
    ids = put(system, *range(5))
    to = destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to)
    every = keys(handed)
    assert ack(system, to, handed["lease"], every[1], every[4]).json() == {"settled": 2}
    assert one(system, replay_id)["progress"]["sent"] == 2
    assert ack(system, to, handed["lease"], every[0], failed=[{"key": every[2], "message": "500 from localhost"}]).json() == {"settled": 2}
    assert one(system, replay_id)["state"] == "running"
    assert ack(system, to, handed["lease"], every[3]).json() == {"settled": 1}
    shown = one(system, replay_id)
    assert (shown["state"], is_exact(shown, 5), shown["progress"]["failed"]) == ("completed", True, 1)
    [line] = [line for line in history(system, replay_id) if line["type"] == "delivery_error"]
    assert (line["event_id"], line["message"]) == (ids[2], "500 from localhost")


def test_what_was_settled_ahead_is_not_handed_out_again(system: System) -> None:
    put(system, *range(4))
    to = destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to)
    ack(system, to, handed["lease"], keys(handed)[2])
    system.skip(60)
    again = lease(system, to)
    assert [each["number"] for each in again["events"]] == [0, 1, 3]
    ack(system, to, again["lease"], *keys(again))
    assert is_exact(one(system, replay_id), 4)


def test_what_is_given_back_is_handed_out_at_once(system: System) -> None:
    put(system, *range(4))
    to = destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to)
    said = {"lease": handed["lease"], "done": keys(handed)[:1], "release": True}
    assert [ask(system, "POST", f"/v1/destination/{to}/ack", json=said).json()["settled"] for _ in range(2)] == [1, 0]
    again = lease(system, to)
    assert [each["number"] for each in again["events"]] == [1, 2, 3]
    assert keys(again) == keys(handed)[1:], "under the same keys"
    ack(system, to, again["lease"], *keys(again))
    assert is_exact(one(system, replay_id), 4)
    wrong = ask(system, "POST", f"/v1/destination/{to}/ack", json={"lease": "x", "release": "yes"})
    assert (wrong.status, wrong.json()["errors"][0]["field"]) == (422, "release")


def test_the_same_again_settles_nothing(system: System) -> None:
    put(system, 1, 2)
    to = destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to)
    first, *_ = keys(handed)
    assert [ack(system, to, handed["lease"], first).json()["settled"] for _ in range(2)] == [1, 0]
    assert [ack(system, to, handed["lease"], *keys(handed)).json()["settled"] for _ in range(2)] == [1, 0]
    assert is_exact(one(system, replay_id), 2)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_anywhere_nothing_is_lost_or_counted_twice(system: System, kind: Kind) -> None:
    put(system, *range(4))
    to = destination(system, kind="listen")
    with system.cloud.watch() as calls:
        create(system, to)
        handed = lease(system, to)
        ack(system, to, handed["lease"], *keys(handed))
    own = sum(call.function in ("LeaseEvents", "AckEvents") for call in calls)
    for k in range(own):
        system.cold()
        replay_id = create(system, to)
        taken: set[str] = set()
        with system.cloud.fault(kind, k):
            listen(system, to, taken)
        for _ in range(5):
            system.skip(46)
            listen(system, to, taken)
        assert len(taken) == 4
        shown = one(system, replay_id)
        assert (shown["state"], is_exact(shown, 4)) == ("completed", True), k


def listen(system: System, to: str, taken: set[str]) -> None:
    """One round of a listener, whatever comes of it."""
    answer = ask(system, "POST", f"/v1/destination/{to}/lease", by="member", json={"limit": 3})
    handed: Any = answer.json() if answer.status == 200 else {"lease": None}
    if handed["lease"]:
        taken |= set(keys(handed))
        ack(system, to, handed["lease"], *keys(handed))


@pytest.mark.parametrize("body", [{}, {"lease": 7}, {"lease": "x", "done": "all"}, {"lease": "x", "failed": [{"message": "?"}]}, {"lease": "x", "done": [7]}])
def test_what_cannot_be_is_a_422(system: System, body: Any) -> None:
    assert ask(system, "POST", f"/v1/destination/{destination(system, kind='listen')}/ack", json=body).status == 422


def test_an_unknown_lease_is_a_404_or_a_409(system: System) -> None:
    put(system, 1)
    to, other = destination(system, kind="listen"), destination(system, kind="listen")
    replay_id = create(system, to)
    handed = lease(system, to)
    assert ack(system, to, "nonsense").status == 404
    assert ack(system, to, f"{replay_id}.nonsense").status == 409
    assert ack(system, other, handed["lease"], *keys(handed)).status == 404
    assert ask(system, "POST", f"/v1/destination/{to}/ack", by="outsider", json={"lease": handed["lease"]}).status == 404
