"""PUT /api/captures/{id}: contract §2.2 and §2.5, decision 31."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.captures.model import Status
from tests.captures.test_create_capture import CAPTURES, at, created, running, shown
from tests.captures.test_stop_capture import force, stop
from tests.harness import System
from tests.harness.gateway import Response


def edit(system: System, capture_id: Any, *, by: str = "member", **changes: Any) -> Response:
    """PUT a change."""
    return system.request("PUT", f"{CAPTURES}/{capture_id}", json=changes, token=system.acme.token(by))


def schedules(system: System) -> dict[str, str]:
    """When which bell is set to ring."""
    scheduler = system.client("scheduler")
    listed = scheduler.list_schedules()["Schedules"]
    found = [scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"]) for each in listed]
    return {each["Name"]: each["ScheduleExpression"] for each in found}


@pytest.mark.parametrize("status", ["SCHEDULED", "STARTED", "STARTING", "RUNNING", "STOPPING", "FAILED"])
def test_the_name_at_any_time(system: System, status: Status) -> None:
    """§2.5: 200 with the capture."""
    made = created(system)["id"]
    force(system, made, status)
    answer = edit(system, made, name="another")
    assert (answer.status, answer.json()) == (200, {**shown(system, made), "name": "another"})
    created(system, name="the rush")


def test_a_capture_that_is_done_has_its_collection_renamed_with_it(system: System) -> None:
    made = running(system)
    stop(system, made)
    system.drain()
    edit(system, made, name="another")
    url = f"/v1/collection/{shown(system, made)['collectionId']}"
    assert system.request("GET", url, token=system.acme.token("member")).json()["name"] == "another"


def test_a_name_in_use_is_a_400_and_its_own_is_none(system: System) -> None:
    """Decision 31; §2.4, bug 2: duplicates are looked for in the capture's environment."""
    made = created(system)
    created(system, name="another")
    created(system, name="elsewhere", to=system.acme.shop)
    answer = edit(system, made["id"], name="another")
    assert (answer.status, answer.json()) == (
        400,
        [{"message": "The name is taken by another capture of this environment.", "path": ["name"]}],
    )
    assert edit(system, made["id"], name="the rush").json() == made
    assert edit(system, made["id"], name="elsewhere").status == 200


def test_the_window_of_a_scheduled_one(system: System) -> None:
    """§2.5: the schedules are made anew."""
    made = created(system, scheduledStart=at(system, 3600), duration=60)["id"]
    system.drain()
    assert schedules(system) == {f"cap-{made}-start": "at(2026-03-05T11:00:00)", f"cap-{made}-stop": "at(2026-03-05T11:01:00)"}
    changed = edit(system, made, scheduledStart=at(system, 7200.5), duration=120).json()
    assert (changed["scheduledStart"], changed["scheduledEnd"]) == (at(system, 7200.5), at(system, 7320.5))
    system.drain()
    assert schedules(system) == {f"cap-{made}-start": "at(2026-03-05T12:00:01)", f"cap-{made}-stop": "at(2026-03-05T12:02:01)"}
    assert edit(system, made, duration=60).json()["scheduledEnd"] == at(system, 7260.5)
    began = at(system, 7200.5)
    system.advance(7201)
    assert (shown(system, made)["status"], shown(system, made)["start"]) == ("RUNNING", began)


def test_a_start_that_is_moved_to_now_is_now(system: System) -> None:
    made = created(system, scheduledStart=at(system, 3600), duration=60)["id"]
    system.drain()
    system.skip(10)
    changed = edit(system, made, scheduledStart=at(system, 30))
    assert (changed.json()["status"], changed.json()["scheduledEnd"]) == ("STARTED", at(system, 90))
    began = at(system)
    system.drain()
    assert shown(system, made)["start"] == began
    system.advance(3600)
    assert shown(system, made)["status"] == "DONE", "and the bell of the old start rings for nothing"


@pytest.mark.parametrize("status", ["STARTED", "STARTING", "RUNNING", "STOPPING", "FAILED"])
@pytest.mark.parametrize("change", [{"duration": 600}, {"scheduledStart": 1_772_704_800_000 + 3_600_000}])
def test_the_window_of_any_other_is_as_it_is(system: System, status: Status, change: dict[str, Any]) -> None:
    made = created(system)["id"]
    force(system, made, status)
    before = shown(system, made)
    answer = edit(system, made, name="another", **change)
    assert (answer.status, answer.json()) == (
        409,
        {"code": 409, "message": "Only the name of a capture can be changed once it has been started."},
    )
    assert shown(system, made) == before, "and nothing of it"


def test_a_start_that_is_due_is_not_moved_however_late_its_bell(system: System) -> None:
    made = created(system, scheduledStart=at(system, 100))["id"]
    system.skip(100)
    assert edit(system, made, scheduledStart=at(system, 3600)).status == 409


@pytest.mark.parametrize(
    ("change", "failures"),
    [
        ({}, [('"name" is required', "name")]),
        ({"envId": 2, "status": "DONE"}, [('"name" is required', "name")]),
        ({"name": None}, [('"name" is required', "name")]),
        (
            {"name": "abc", "duration": 5, "scheduledStart": "1999-01-01"},
            [
                ('"name" must be 4 to 25 characters long', "name"),
                ('"scheduledStart" must be in the future', "scheduledStart"),
                ('"duration" must be at least 60 seconds', "duration"),
            ],
        ),
    ],
)
def test_what_is_no_change_is_a_400(system: System, change: dict[str, Any], failures: list[tuple[str, str]]) -> None:
    made = created(system)["id"]
    answer = edit(system, made, **change)
    assert (answer.status, answer.json()) == (400, [{"message": message, "path": [field]} for message, field in failures])


def test_named_in_the_query(system: System) -> None:
    """Decision 14."""
    made = created(system)["id"]
    token = system.acme.token("member")
    answer = system.request("PUT", CAPTURES, json={"name": "another"}, token=token, query={"id": made})
    assert answer.json()["name"] == "another"
    assert system.request("PUT", CAPTURES, json={"name": "another"}, token=token).status == 400
