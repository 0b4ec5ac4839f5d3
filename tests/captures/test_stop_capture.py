"""POST /api/captures/{id}/stop: contract §2.2, decisions 14 and 15."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tapedeck.captures import store
from tapedeck.captures.model import Status
from tests.captures.test_create_capture import CAPTURES, at, created, running, shown
from tests.harness import System
from tests.harness.gateway import Response


def stop(system: System, capture_id: Any, *, by: str = "member") -> Response:
    """POST to stop a capture."""
    return system.request("POST", f"{CAPTURES}/{capture_id}/stop", token=system.acme.token(by))


def force(system: System, capture_id: int, status: Status) -> None:
    """Let a capture be in a status, however it came into it."""
    known = store.read(system.acme.id, capture_id)
    item = store._row(known, replace(known, status=status, version=known.version + 1))
    system.client("dynamodb").put_item(TableName=item["TableName"], Item=item["Item"])


def test_a_running_capture_is_stopped_and_its_window_ends_now(system: System) -> None:
    """§2.5: 200 with the capture; `end` is written when STOPPING begins."""
    made = running(system)
    system.skip(100)
    answer = stop(system, made)
    assert (answer.status, answer.json()) == (200, {**shown(system, made), "status": "STOPPING", "end": at(system)})
    ended = at(system)
    system.skip(100)
    system.drain()
    done = shown(system, made)
    assert (done["status"], done["end"]) == ("DONE", ended)
    assert done["collectionId"]


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        ("SCHEDULED", 501, "A scheduled capture cannot be stopped: delete it, or change when it starts."),
        ("STARTED", 409, "The capture is being started: try again soon."),
        ("STARTING", 409, "The capture is being started: try again soon."),
        ("STOPPING", 409, "The capture has been stopped already."),
        ("DONE", 409, "The capture has been stopped already."),
        ("FAILED", 409, "The capture has failed."),
    ],
)
def test_the_table_of_stopping(system: System, status: Status, code: int, message: str) -> None:
    """§2.2, decision 15: 200 only when RUNNING; a scheduled one is still scheduled."""
    made = created(system)["id"]
    force(system, made, status)
    before = shown(system, made)
    answer = stop(system, made)
    assert (answer.status, answer.json()) == (code, {"code": code, "message": message})
    assert shown(system, made) == before


def test_a_capture_that_should_have_stopped_ends_when_it_should_have(system: System) -> None:
    made = running(system, duration=60)
    ended = at(system, 60)
    system.skip(100)
    assert stop(system, made).json()["end"] == ended


def test_named_in_the_query(system: System) -> None:
    """Decision 14."""
    made = running(system)
    url, token = f"{CAPTURES}/stop", system.acme.token("member")
    assert system.request("POST", url, token=token, query={"id": "99"}).status == 404
    assert system.request("POST", url, token=token, query={"id": "x"}).status == 404
    answer = system.request("POST", url, token=token)
    assert (answer.status, answer.json()) == (400, [{"message": '"id" is required', "path": ["id"]}])
    assert system.request("POST", url, token=token, query={"id": made}).json()["status"] == "STOPPING"


def test_a_schedule_that_is_not_needed_any_more_is_taken_away(system: System) -> None:
    made = running(system, duration=3600)
    assert [each["Name"] for each in system.client("scheduler").list_schedules()["Schedules"]] == [f"cap-{made}-stop"]
    stop(system, made)
    system.drain()
    assert system.client("scheduler").list_schedules()["Schedules"] == []
