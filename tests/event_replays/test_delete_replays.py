"""DELETE /v1/replay: product.md decision 5: for good, and never "all"."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_replays.stage import Sink, ask, create, destination, put, sink
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]


def left(system: System, *replay_ids: str) -> list[Any]:
    """Everything in the table that names one of these replays."""
    return [item for item in system.items("ControlTable") if any(each in item["pk"]["S"] + item["sk"]["S"] for each in replay_ids)]


@pytest.mark.parametrize("called", ["replay_id", "id"])
@pytest.mark.parametrize("several", [False, True])
def test_one_or_a_list_is_deleted_with_its_history(system: System, called: str, several: bool) -> None:
    to = destination(system)
    made, kept = [create(system, to) for _ in range(2 if several else 1)], create(system, to, type="continuous")
    answer = ask(system, "DELETE", "/v1/replay", json={called: made if several else made[0]})
    assert (answer.status, list(answer.json())) == (200, made)
    assert left(system, *made) == []
    assert ask(system, "GET", f"/v1/replay/{made[0]}").status == 404
    assert ask(system, "GET", f"/v1/replayer/history/{made[0]}").status == 404
    assert ask(system, "GET", f"/v1/replay/{kept}").status == 200
    assert ask(system, "DELETE", "/v1/replay", json={called: made}).status == 404


@pytest.mark.parametrize("body", [None, b"", b"{}", b'{"replay_id":""}', b'{"replay_id":[]}', b'{"id":null}'])
def test_nothing_said_is_a_400_and_nothing_happens(system: System, body: bytes | None) -> None:
    """Decision 5: empty or missing body → 400, never "all"."""
    create(system, destination(system))
    assert ask(system, "DELETE", "/v1/replay", body=body).status == 400
    assert len(ask(system, "GET", "/v1/replay").json()) == 1


@pytest.mark.parametrize("said", [7, [7], ["x"] * 101, {"all": True}])
def test_nonsense_is_a_422(system: System, said: Any) -> None:
    assert ask(system, "DELETE", "/v1/replay", json={"replay_id": said}).status == 422


def test_with_one_that_is_not_ones_own_none_is_touched(system: System) -> None:
    replay_id = create(system, destination(system))
    for by, ids in (("owner", [replay_id, "00000000-0000-4000-8000-000000000000"]), ("member", [replay_id]), ("outsider", [replay_id])):
        assert ask(system, "DELETE", "/v1/replay", by=by, json={"replay_id": ids}).status == 404, by
    assert ask(system, "GET", f"/v1/replay/{replay_id}").status == 200
    assert ask(system, "DELETE", "/v1/replay", by="admin", json={"replay_id": replay_id}).status == 200


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_killed_half_way_is_deleted_by_a_repetition(system: System, sink: Sink, kind: Kind) -> None:
    to = destination(system)
    put(system, 1)
    with system.cloud.watch() as calls:
        ask(system, "DELETE", "/v1/replay", json={"replay_id": create(system, to, type="continuous")})
    own = sum(call.function == "DeleteEventReplays" for call in calls)
    for k in range(own):
        system.cold()
        replay_id = create(system, to, type="continuous")
        with system.cloud.fault(kind, k):
            ask(system, "DELETE", "/v1/replay", json={"replay_id": replay_id})
        again = ask(system, "DELETE", "/v1/replay", json={"replay_id": replay_id})
        assert again.status in (200, 404)
        assert left(system, replay_id) == [], k
