"""DELETE /api/bucket/{id}/data/events/delete_all: decisions 19 and 20, contract §4.4."""

from __future__ import annotations

import pytest

from tests.harness import System
from tests.harness.agent import bucket_url, events, histogram, keys, noise, put, record
from tests.harness.gateway import Response


def delete(system: System, *, by: str = "admin") -> Response:
    """DELETE everything of acme/web."""
    return system.request("DELETE", bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token(by))


def test_it_answers_what_was_deleted_and_nothing_is_left(system: System) -> None:
    put(system, system.acme, record("paid"), record("left"))
    put(system, system.acme, record("kept"), to=system.acme.shop)
    before = keys(system, system.acme)
    answer = delete(system)
    assert (answer.status, answer.json()) == (200, before)
    assert keys(system, system.acme) == events(system, system.acme, "paid") == histogram(system, system.acme, "paid").json() == []
    assert delete(system).json() == []
    put(system, system.acme, record("again"))
    assert len(events(system, system.acme, "again")) == 1
    assert len(events(system, system.acme, "kept", of=system.acme.shop)) == 1


@pytest.mark.parametrize(("by", "status"), [("owner", 200), ("admin", 200), ("member", 403), ("outsider", 403)])
def test_admins_only(system: System, by: str, status: int) -> None:
    assert delete(system, by=by).status == status


def test_it_is_as_many_calls_for_one_event_as_for_many_and_the_rest_is_swept(system: System) -> None:
    put(system, system.acme, record())
    with system.cloud.watch() as few:
        delete(system)
    for n in range(10):
        put(system, system.acme, *(record(n=n, text=noise(n * 50 + m)) for m in range(50)))
    with system.cloud.watch() as many:
        delete(system)
    assert [call.operation for call in many] == [call.operation for call in few]
    assert len(system.objects(prefix="ev/")) == 10
    system.advance(31 * 60)
    assert system.objects(prefix="ev/") == {}
    assert [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#")] == []
