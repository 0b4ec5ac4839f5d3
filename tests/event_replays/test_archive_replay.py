"""DELETE /v1/replay/{event_replay_id}: product.md decision 5: archive, which stops it, hides it, and leaves it readable."""

from __future__ import annotations

import pytest

from tests.event_replays.stage import Sink, ask, create, destination, kinds, one, pass_time, put, row, sink
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

__all__ = ["sink"]


def test_what_is_over_is_hidden_and_what_is_not_is_aborted(system: System, sink: Sink) -> None:
    to = destination(system)
    done = create(system, to)
    system.drain()
    waiting = create(system, to)
    shown = {each: one(system, each, "DELETE") for each in (done, waiting)}
    assert [(shown[each]["state"], shown[each]["archived"]) for each in (done, waiting)] == [("completed", True), ("aborted", True)]
    assert kinds(system, done)[-1:] == ["archived"]
    assert kinds(system, waiting) == ["created", "aborted", "archived"]
    assert ask(system, "GET", "/v1/replay").json() == {}
    put(system, 1)
    system.drain()
    assert sink.took == []


def test_again_changes_nothing(system: System) -> None:
    replay_id = create(system, destination(system))
    one(system, replay_id, "DELETE")
    before = row(system, replay_id)
    assert one(system, replay_id, "DELETE")["archived"] is True
    assert row(system, replay_id) == before


def test_an_admin_of_the_environment_may_and_a_member_may_not(system: System) -> None:
    """trust.md §8.2: event:admin."""
    replay_id = create(system, destination(system))
    assert ask(system, "DELETE", f"/v1/replay/{replay_id}", by="member").status == 404
    assert one(system, replay_id)["archived"] is False
    assert ask(system, "DELETE", f"/v1/replay/{replay_id}", by="admin").status == 200


def test_nobody_rings_for_it_any_more(system: System, sink: Sink) -> None:
    replay_id = create(system, destination(system), type="continuous")
    system.drain()
    one(system, replay_id, "DELETE")
    pass_time(system)
    system.skip(60)
    put(system, 1)
    pass_time(system, 120)
    assert sink.took == []
    assert not [item for item in system.items("ControlTable") if item["sk"]["S"] == replay_id and "#" in item["pk"]["S"].removeprefix("REPLAY#")]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_anywhere_it_is_archived_by_a_repetition(system: System, sink: Sink, kind: Kind) -> None:
    to = destination(system)
    with system.cloud.watch() as calls:
        one(system, create(system, to), "DELETE")
    own = sum(call.function == "ArchiveEventReplay" for call in calls)
    for k in range(own):
        system.cold()
        replay_id = create(system, to)
        with system.cloud.fault(kind, k):
            ask(system, "DELETE", f"/v1/replay/{replay_id}")
        assert one(system, replay_id, "DELETE")["archived"] is True
        pass_time(system, 120)
        assert kinds(system, replay_id) in (["created", "aborted", "archived"], ["created", "started", "completed", "archived"])
