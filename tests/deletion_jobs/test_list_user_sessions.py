"""GET /api/v1/{project_key}/users/{user_id}/sessions: at most 50, newest first, in a period (contract §3.2)."""

from __future__ import annotations

from typing import Any

from tests.deletion_jobs.asking import ask, user_url
from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record, send


def sessions(system: System, user_id: str, **query: Any) -> Response:
    """The sessions of a user."""
    return ask(system, "GET", user_url(system.acme.web, user_id, "/sessions"), by="member", query=query)


def test_a_session_has_openreplays_members(system: System) -> None:
    at = int(system.now)
    geo = {"country_code": "DE", "city": "Köln", "region": "Germany"}
    replay_id = record(system, system.acme.web, segments=2, user={"id": "ann", "geo": geo}, urls=["/a"], at=at, started=at - 60)
    send(system, system.acme.web, envelopes.error_event(replay_id, at=at))
    [shown] = sessions(system, "ann").json()["data"]
    assert shown.pop("userUuid")
    assert shown == {
        "projectId": system.acme.web.project_id,
        "sessionId": replay_id,
        "userId": "ann",
        "userOs": "Linux",
        "userBrowser": "Chrome",
        "userDevice": None,
        "userCountry": "DE",
        "startTs": (at - 60) * 1000,
        "duration": 60_000,
        "eventsCount": 3,
        "pagesCount": 2,
        "errorsCount": 1,
    }


def test_a_period_chooses_by_when_they_began_and_50_are_shown(system: System) -> None:
    now = int(system.now)
    ids = [record(system, system.acme.web, user={"id": "ann"}, at=now - n, started=now - n) for n in range(53)]
    shown = [each["sessionId"] for each in sessions(system, "ann").json()["data"]]
    assert shown == ids[:50]
    some = sessions(system, "ann", start_date=(now - 52) * 1000, end_date=(now - 50) * 1000).json()["data"]
    assert [each["sessionId"] for each in some] == ids[50:53]
    iso = sessions(system, "ann", end_date="2026-03-05T09:59:10Z").json()["data"]
    assert [each["sessionId"] for each in iso] == ids[50:53]
    assert sessions(system, "nobody").json() == {"data": []}


def test_what_is_no_moment_is_said(system: System) -> None:
    for name in ("start_date", "end_date"):
        answer = sessions(system, "ann", **{name: "soon"})
        assert answer.status == 400
        assert name in answer.json()["errors"][0]
