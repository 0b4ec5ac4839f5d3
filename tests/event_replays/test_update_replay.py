"""PUT /v1/replay: product.md decision 6."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_replays.stage import Sink, ask, create, destination, one, put, row, sink, toggle
from tests.harness import System
from tests.harness.gateway import Response

__all__ = ["sink"]


def update(system: System, replay_id: str, **fields: Any) -> Response:
    """PUT a change."""
    return ask(system, "PUT", "/v1/replay", json={"replay_id": replay_id, **fields})


@pytest.mark.parametrize("called", ["replay_id", "id"])
def test_name_and_notes_can_be_changed_at_any_time(system: System, sink: Sink, called: str) -> None:
    replay_id = create(system, destination(system))
    for state in ("pending", "completed"):
        assert one(system, replay_id)["state"] == state
        answer = ask(system, "PUT", "/v1/replay", json={called: replay_id, "name": f"it is {state}", "notes": ""})
        assert answer.status == 200
        assert answer.json()[replay_id]["name"] == f"it is {state}"
        system.drain()


def test_what_is_not_said_stays(system: System) -> None:
    replay_id = create(system, destination(system), notes="mine")
    assert update(system, replay_id, name="other").json()[replay_id]["notes"] == "mine"
    before = row(system, replay_id)
    assert update(system, replay_id).status == 200
    assert row(system, replay_id) == before


def test_query_and_destination_only_while_pending_or_paused(system: System, sink: Sink) -> None:
    other = destination(system)
    put(system, 1, 2, 3)
    sink.takes = 1.0
    replay_id = create(system, destination(system))
    assert update(system, replay_id, query="n:>1", destination_id=other).status == 200
    seen: list[Response] = []
    sink.during = lambda number: seen.append(update(system, replay_id, query="n:>2")) if number == 0 else None
    system.drain()
    assert [answer.status for answer in seen] == [409]
    assert sink.numbers == [2, 3]
    shown = one(system, replay_id)
    assert (shown["state"], shown["destination"]["id"], shown["query"]) == ("completed", other, "n:>1")
    assert update(system, replay_id, query="*").status == 409
    assert update(system, replay_id, destination_id=other).status == 409


def test_a_worker_that_took_it_up_before_the_change_makes_way(system: System, sink: Sink) -> None:
    """Paused, changed and resumed while its worker was asleep in a send: the new query is another worker's."""
    put(system, *range(6))
    sink.takes = 0.2
    replay_id = create(system, destination(system))

    def meanwhile(number: int) -> None:
        if number == 1:
            toggle(system, replay_id)
            assert update(system, replay_id, query="n:5").status == 200
            toggle(system, replay_id)

    sink.during = meanwhile
    system.drain()
    assert sink.numbers == [0, 1, 5]
    assert one(system, replay_id)["state"] == "completed"


@pytest.mark.parametrize(("field", "value"), [("type", "continuous"), ("collection_id", "00000000-0000-4000-8000-000000000000"), ("query", "("), ("name", ""), ("destination_id", "x")])
def test_what_cannot_be_changed_or_used_is_a_422_on_its_field(system: System, field: str, value: str) -> None:
    replay_id = create(system, destination(system))
    before = row(system, replay_id)
    answer = update(system, replay_id, **{field: value})
    assert (answer.status, answer.json()["errors"][0]["field"]) == (422, field)
    assert row(system, replay_id) == before


@pytest.mark.parametrize("body", [{}, {"name": "x"}, {"replay_id": None}])
def test_without_an_id_it_is_a_422(system: System, body: Any) -> None:
    assert ask(system, "PUT", "/v1/replay", json=body).status == 422


def test_an_unknown_one_is_a_404(system: System) -> None:
    assert update(system, "00000000-0000-4000-8000-000000000000", name="x").status == 404
    assert update(system, ["x"], name="x").status == 404  # type: ignore[arg-type]
