"""DELETE /api/captures/{id}: contract §2.2; §2.4, bug 7: no ghost is ever left."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.captures.model import GRACE, Status
from tests.captures.test_create_capture import CAPTURES, at, created, read, running, shown
from tests.captures.test_edit_capture import schedules
from tests.captures.test_list_captures import listed
from tests.captures.test_stop_capture import force, stop
from tests.harness import System
from tests.harness.gateway import Response


def delete(system: System, capture_id: Any, *, by: str = "member") -> Response:
    """DELETE a capture."""
    return system.request("DELETE", f"{CAPTURES}/{capture_id}", token=system.acme.token(by))


def left(system: System) -> list[str]:
    """Everything that is somewhere because of a capture."""
    rows = [item for table in ("ControlTable", "EventsTable") for item in system.items(table)]
    own = [item["pk"]["S"] + " " + item["sk"]["S"] for item in rows if item["pk"]["S"].startswith(("CAPTURE#", "K#", "P#"))]
    return [*own, *system.objects(prefix="captures/"), *schedules(system)]


def settle(system: System) -> None:
    """Let everything happen that still would."""
    system.drain()
    system.advance(GRACE / 1000 + 600)
    system.drain()


@pytest.mark.parametrize("status", ["SCHEDULED", "STARTED", "STARTING", "RUNNING", "STOPPING", "DONE", "FAILED"])
def test_it_answers_what_was_deleted_and_nothing_is_left(system: System, status: Status) -> None:
    """§2.5: 200 with the deleted capture; running ones are stopped first (§2.2)."""
    if status == "SCHEDULED":
        made = created(system, scheduledStart=at(system, 300), duration=300)["id"]
        system.drain()
    else:
        made = running(system, duration=300)
        if status in ("STOPPING", "DONE"):
            stop(system, made)
            if status == "DONE":
                system.drain()
        elif status != "RUNNING":
            force(system, made, status)
    before = shown(system, made)
    answer = delete(system, made)
    assert (answer.status, answer.json()) == (
        200,
        {**before, "status": "STOPPING", "end": at(system)} if status == "RUNNING" else before,
    )
    assert read(system, made).status == delete(system, made).status == stop(system, made).status == 404
    assert listed(system).json() == []
    if before["collectionId"]:
        assert system.request("GET", f"/v1/collection/{before['collectionId']}", token=system.acme.token("member")).status == 404
    settle(system)
    assert left(system) == []


def test_the_name_is_free_at_once(system: System) -> None:
    made = created(system)["id"]
    delete(system, made)
    again = created(system)
    assert (again["id"], again["name"]) == (made + 1, "the rush")
    settle(system)
    assert shown(system, again["id"])["status"] == "RUNNING", "cleaning up after the first leaves the second alone"


def test_a_bell_for_a_deleted_capture_is_nothing(system: System) -> None:
    """§2.4, bug 7: deleting a SCHEDULED capture leaves its timer, which later starts a ghost."""
    made = created(system, scheduledStart=at(system, 300), duration=60)["id"]
    system.drain()
    delete(system, made)
    for _ in range(2):  # before its bells are taken away, and after
        system.advance(400)
        for _ in range(3):
            system.invoke("captures/turn_capture", {"Records": [{"body": f'{{"organization_id":{system.acme.id},"capture_id":{made}}}'}]})
        assert read(system, made).status == 404
    settle(system)
    assert left(system) == []


def test_named_in_the_query(system: System) -> None:
    """Decision 14; without an id nothing is deleted."""
    made = created(system)
    token = system.acme.token("member")
    assert system.request("DELETE", CAPTURES, token=token).status == 400
    assert system.request("DELETE", CAPTURES, token=token, query={"id": made["id"]}).json() == made
    assert read(system, made["id"]).status == 404
