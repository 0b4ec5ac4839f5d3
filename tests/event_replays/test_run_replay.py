"""The worker of event replays: architecture.md §5, trust.md F7 to F11, product.md decision 29."""

from __future__ import annotations

from tests.event_replays.stage import (
    Sink,
    create,
    destination,
    is_exact,
    kinds,
    one,
    put,
    sink,
)
from tests.harness import System

__all__ = ["sink"]


def test_what_matches_is_sent_in_receive_order_and_nothing_else(system: System, sink: Sink) -> None:
    put(system, 1, 2, 3)
    put(system, 4, name="lost")
    put(system, 5, 6)
    replay_id = create(system, destination(system), query="client.metadata.event_name:paid")
    put(system, 7)  # after its creation: `onetime` stops at the head the collection had then
    assert one(system, replay_id)["state"] == "pending"
    system.drain()
    assert sink.numbers == [1, 2, 3, 5, 6]
    shown = one(system, replay_id)
    assert (shown["state"], shown["status"], shown["latency_ms"]) == ("completed", "ok", 7)
    assert is_exact(shown, 5)
    assert shown["progress"]["looked_at"] == shown["progress"]["until"] == shown["progress"]["position"] == 6
    assert kinds(system, replay_id) == ["created", "started", "completed"]
    assert [each.number for each in sink.took] == [0, 1, 2, 4, 5]
    assert all(each.key == f"{replay_id}:{each.event.id}" for each in sink.took)
