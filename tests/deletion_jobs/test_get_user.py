"""GET /api/v1/{project_key}/users/{user_id}: `{userId, sessionCount, firstSeen, lastSeen}` (contract §3.2)."""

from __future__ import annotations

from tests.deletion_jobs.asking import ask, erased, user_url
from tests.harness import System, envelopes
from tests.harness.sdk import record, replay_url, send


def known(system: System, user_id: str) -> dict[str, object]:
    """What is known of a user."""
    answer = ask(system, "GET", user_url(system.acme.web, user_id), by="member")
    assert answer.status == 200, answer
    found: dict[str, object] = answer.json()["data"]
    return found


def test_sessions_are_counted_and_seen_first_and_last(system: System) -> None:
    now = int(system.now)
    for back in (100, 2000, 30):
        record(system, system.acme.web, user={"id": "ann"}, at=now - back, started=now - back - 5)
    record(system, system.acme.web, user={"id": "bob"})
    record(system, system.acme.shop, user={"id": "ann"})
    told = {"userId": "ann", "sessionCount": 3, "firstSeen": (now - 2005) * 1000, "lastSeen": (now - 35) * 1000}
    assert {name: known(system, "ann")[name] for name in told} == told


def test_nobody_has_no_sessions(system: System) -> None:
    assert known(system, "nobody")["sessionCount"] == 0
    assert known(system, "nobody")["firstSeen"] is None
    record(system, system.acme.web, user={"id": "ann"})
    erased(system, "ann")
    assert known(system, "ann")["sessionCount"] == 0


def test_whoever_signs_in_half_way_is_known_and_what_is_deleted_expired_or_not_begun_is_not_counted(system: System) -> None:
    late = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(late, 0, user=None))
    send(system, system.acme.web, envelopes.segment(late, 1, user={"id": "ann"}))
    send(system, system.acme.web, envelopes.segment(envelopes.new_id(), 3, user={"id": "ann"}))  # its first segment never came
    gone = record(system, system.acme.web, user={"id": "ann"})
    system.request("DELETE", replay_url(system.acme, system.acme.web, gone), token=system.acme.token("owner"))
    assert known(system, "ann")["sessionCount"] == 1
    system.now += 91 * 86400
    assert known(system, "ann")["sessionCount"] == 0, "TTL deletes days later (F22)"
