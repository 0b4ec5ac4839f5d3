"""POST /api/captures: contract §2.2 and §2.5, decisions 14 and 31."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.captures.shapes import Capture
from tapedeck.environments.model import Environment
from tapedeck.events.model import iso
from tests.harness import System
from tests.harness.gateway import Response

CAPTURES = "/api/captures"


def create(system: System, *, by: str = "member", to: Environment | None = None, **changes: Any) -> Response:
    """POST a capture of acme/web, with some members changed; ... leaves one out."""
    body = {"name": "the rush", "envId": (to or system.acme.web).env_id, **changes}
    sent = {name: value for name, value in body.items() if value is not ...}
    return system.request("POST", CAPTURES, json=sent, token=system.acme.token(by))


def created(system: System, **changes: Any) -> dict[str, Any]:
    """A capture that could be created."""
    answer = create(system, **changes)
    assert answer.status == 200, answer
    made: dict[str, Any] = answer.json()
    return made


def at(system: System, seconds: float = 0) -> str:
    """A moment, as captures tell it: so many seconds from now."""
    return iso(int((system.now + seconds) * 1000))


def read(system: System, capture_id: int, rest: str = "", *, by: str = "member", **query: Any) -> Response:
    """GET a capture."""
    return system.request("GET", f"{CAPTURES}/{capture_id}{rest}", token=system.acme.token(by), query=query)


def shown(system: System, capture_id: int) -> dict[str, Any]:
    """A capture, which must be there, and have its shape."""
    answer = read(system, capture_id)
    assert answer.status == 200, answer
    Capture.model_validate(answer.json())
    found: dict[str, Any] = answer.json()
    return found


def running(system: System, **changes: Any) -> int:
    """A capture that runs."""
    made: int = created(system, **changes)["id"]
    system.drain()
    assert shown(system, made)["status"] == "RUNNING"
    return made


def test_a_capture_without_a_start_begins_now(system: System) -> None:
    """§2.2: anything other than SCHEDULED is stored as STARTED; `start` is written when RUNNING begins."""
    answer = create(system)
    assert (answer.status, answer.json()) == (
        200,
        {
            "id": 1,
            "name": "the rush",
            "type": "CAPTURE",
            "status": "STARTED",
            "envId": system.acme.web.env_id,
            "ownerId": system.acme.users["member"].id,
            "username": "member@acme.example",
            "isMimic": False,
            "start": None,
            "end": None,
            "scheduledStart": None,
            "scheduledEnd": None,
            "duration": None,
            "reason": None,
            "collectionId": None,
        },
    )
    began = at(system)
    system.skip(3)
    system.drain()
    assert shown(system, 1) == {**answer.json(), "status": "RUNNING", "start": began}


@pytest.mark.parametrize("status", ["started", "STARTING", "", None, ...])
def test_a_status_that_is_not_scheduled_is_stored_as_started(system: System, status: Any) -> None:
    """§2.2: optional, case-insensitive, the empty string passes; §2.5: both mean now."""
    assert created(system, status=status, duration=60) | {"id": 1} == {
        **created(system, name="another", status=status, duration=60),
        "id": 1,
        "name": "the rush",
        "status": "STARTED",
        "scheduledEnd": at(system, 60),
    }


@pytest.mark.parametrize("status", ["SCHEDULED", "Scheduled", "", ...])
def test_a_start_that_is_more_than_a_minute_away_is_scheduled(system: System, status: Any) -> None:
    """§2.2: scheduledEnd = scheduledStart + duration; §2.5: scheduledStart without status is a wish to schedule."""
    made = created(system, status=status, scheduledStart=at(system, 61), duration="90")
    assert [made[name] for name in ("status", "start", "scheduledStart", "scheduledEnd", "duration")] == [
        "SCHEDULED",
        None,
        at(system, 61),
        at(system, 61 + 90),
        90,
    ]


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_start_within_a_minute_is_now_and_ends_when_it_was_asked_to(system: System, seconds: int) -> None:
    """Issue 5: a start within 60 s is not scheduled. It lasts at least as long as it was asked to."""
    made = created(system, status="SCHEDULED", scheduledStart=at(system, seconds), duration=60)
    assert (made["status"], made["scheduledEnd"]) == ("STARTED", at(system, max(0, seconds) + 60))
    began = at(system)
    system.drain()
    assert shown(system, made["id"])["start"] == began


def test_a_status_of_now_is_stronger_than_a_scheduled_start(system: System) -> None:
    made = created(system, status="STARTED", scheduledStart="2001-01-01", duration=60)
    assert (made["status"], made["scheduledStart"], made["scheduledEnd"]) == ("STARTED", None, at(system, 60))


def test_start_is_accepted_and_ignored_numeric_strings_are_numbers_and_unknown_keys_are_dropped(system: System) -> None:
    """§2.2, §2.5."""
    made = created(system, start="2001-02-03T04:05:06Z", envId=str(system.acme.web.env_id), duration="60", isMimic=True, id=77, ownerId=5)
    assert (made["id"], made["envId"], made["start"], made["isMimic"]) == (1, system.acme.web.env_id, None, False)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ...}, '"name" is required'),
        ({"name": None}, '"name" is required'),
        ({"name": 5}, '"name" must be a string'),
        ({"name": "abc"}, '"name" must be 4 to 25 characters long'),
        ({"name": "a" * 26}, '"name" must be 4 to 25 characters long'),
        ({"name": "café"}, '"name" may have letters, digits, spaces, and : _ - only'),
        ({"name": "rush\n"}, '"name" may have letters, digits, spaces, and : _ - only'),
        ({"envId": ...}, '"envId" is required'),
        ({"envId": "web"}, '"envId" must be a number'),
        ({"envId": True}, '"envId" must be a number'),
        ({"envId": 1.5}, '"envId" must be a number'),
        ({"status": "RUNNING"}, '"status" must be one of SCHEDULED, STARTED, STARTING'),
        ({"status": 5}, '"status" must be one of SCHEDULED, STARTED, STARTING'),
        ({"start": "yesterday"}, '"start" must be a date'),
        ({"scheduledStart": "soon"}, '"scheduledStart" must be a date'),
        ({"scheduledStart": []}, '"scheduledStart" must be a date'),
        ({"scheduledStart": 1_772_704_800_000 - 60_001}, '"scheduledStart" must be in the future'),
        ({"scheduledStart": "9999-12-31T23:59:59Z"}, '"scheduledStart" must be within a year'),
        ({"duration": 59}, '"duration" must be at least 60 seconds'),
        ({"duration": -1e300}, '"duration" must be at least 60 seconds'),
        ({"duration": 60.5}, '"duration" must be an integer'),
        ({"duration": "long"}, '"duration" must be a number of seconds'),
        ({"duration": True}, '"duration" must be a number of seconds'),
        ({"duration": 30 * 86400 + 1}, '"duration" must be at most 30 days'),
    ],
)
def test_what_is_wrong_is_named(system: System, wrong: dict[str, Any], message: str) -> None:
    """§2.2 (creation rules), §2.5: 400 with a bare array."""
    [field] = wrong
    answer = create(system, **wrong)
    assert (answer.status, answer.json()) == (400, [{"message": message, "path": [field]}])
    assert not [item for item in system.items("ControlTable") if item["pk"]["S"].startswith("CAPTURE#")]


def test_what_is_scheduled_needs_a_start(system: System) -> None:
    """§2.2: SCHEDULED without scheduledStart → 400."""
    answer = create(system, status="SCHEDULED")
    message = '"scheduledStart" is required when the capture is to be scheduled'
    assert (answer.status, answer.json()) == (400, [{"message": message, "path": ["scheduledStart"]}])


def test_all_failures_are_told_at_once(system: System) -> None:
    """§2.2: all failures, not only the first."""
    answer = create(system, name="é", envId="x", status="done", start="x", scheduledStart="x", duration=1)
    assert answer.status == 400
    assert [failure["path"] for failure in answer.json()] == [
        ["name"],
        ["name"],
        ["envId"],
        ["status"],
        ["start"],
        ["scheduledStart"],
        ["duration"],
    ]
    assert all(set(failure) == {"message", "path"} for failure in answer.json())


@pytest.mark.parametrize("body", [b"[]", b"{", b'"x"', b"null", b""])
def test_what_is_no_object_is_a_400(system: System, body: bytes) -> None:
    answer = system.request("POST", CAPTURES, body=body, token=system.acme.token("member"))
    assert answer.status == 400
    assert answer.json()


@pytest.mark.parametrize("name", ["rush", "A-Z a_z: 0123456789", "a" * 25, "    "])
def test_names(system: System, name: str) -> None:
    assert created(system, name=name)["name"] == name


def test_a_name_is_unique_in_its_environment(system: System) -> None:
    """Decision 31, §2.5: 400; another environment has names of its own."""
    created(system)
    answer = create(system, by="owner")
    assert (answer.status, answer.json()) == (
        400,
        [{"message": "The name is taken by another capture of this environment.", "path": ["name"]}],
    )
    created(system, to=system.acme.shop)
    created(system, name="The rush")


def test_members_create_others_do_not_and_unknown_environments_are_a_404(system: System) -> None:
    """§2.4, bug 3: membership is checked. Another organization's environment is an unknown one."""
    assert [create(system, by=by, name=f"by {by}").status for by in ("owner", "admin", "member", "outsider")] == [200, 200, 200, 403]
    assert [create(system, envId=env_id).status for env_id in (system.globex.web.env_id, 9999, 0, -1, 10**15)] == [404] * 5
    assert system.request("POST", CAPTURES, json={}).status == 401


def test_an_organizations_key_creates_as_nobody(system: System) -> None:
    body = {"name": "by a key", "envId": system.acme.web.env_id}
    made = system.request("POST", CAPTURES, json=body, token=system.acme.org_key).json()
    assert (made["ownerId"], made["username"]) == (None, None)


def test_ids_are_unique_among_all_organizations(system: System) -> None:
    body = {"name": "theirs", "envId": system.globex.web.env_id}
    theirs = system.request("POST", CAPTURES, json=body, token=system.globex.token("owner")).json()["id"]
    assert created(system)["id"] != theirs


def test_the_same_idempotency_key_makes_one_capture(system: System) -> None:
    """trust.md F1."""
    body = {"name": "the rush", "envId": system.acme.web.env_id}
    answers = [
        system.request("POST", CAPTURES, json=sent, token=system.acme.token(by), headers={"Idempotency-Key": key})
        for sent, by, key in (
            (body, "member", "k"),
            (body, "member", "k"),
            (body, "member", "other"),
            (body, "owner", "k"),
            ({**body, "duration": 60}, "member", "k"),
            (body, "member", "k" * 257),
        )
    ]
    assert [answer.status for answer in answers] == [200, 200, 400, 400, 400, 400]
    assert answers[0].json() == answers[1].json()
