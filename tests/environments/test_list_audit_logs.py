"""GET /api/0/organizations/{org}/audit-logs/: every deletion has a row, written before it, that names nobody but colleagues (T25)."""

from __future__ import annotations

from typing import Any

from tapedeck import tombstones
from tests.deletion_jobs import asking
from tests.harness import System, agent
from tests.harness.sdk import record, replay_url

URL = "/api/0/organizations/acme/audit-logs/"


def rows(system: System, **query: Any) -> list[dict[str, Any]]:
    """The trail as acme's owner sees it."""
    answer = system.request("GET", URL, query=query, token=system.acme.token("owner"))
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json()["rows"]
    return found


def test_who_erased_deleted_or_made_what_is_told_newest_first(system: System) -> None:
    acme, owner = system.acme, system.acme.token("owner")
    replay_id = record(system, acme.web)
    system.request("DELETE", replay_url(acme, acme.web, replay_id), token=owner)
    system.now += 1
    job = asking.erase(system, "ann@example.com", now=False)
    system.now += 1
    asking.cancel(system, job["jobId"])
    system.now += 1
    agent.put(system, acme, agent.record("paid"))
    system.request("DELETE", agent.bucket_url(acme.web, "/data/events/delete_all"), token=owner)
    system.now += 1
    made = system.request("POST", "/api/0/organizations/acme/keys/", json={"name": "ci", "scopes": ["replay:read"]}, token=owner)
    key_id = made.json()["data"]["id"]
    system.now += 1
    system.request("DELETE", f"/api/0/organizations/acme/keys/{key_id}/", token=acme.org_key)
    told = rows(system)
    person = tombstones.of_user("ann@example.com").removeprefix("U#")
    assert [(row["event"], row["targetObject"]) for row in told] == [
        ("key.revoke", key_id),
        ("key.create", key_id),
        ("bucket.delete-all", acme.web.bucket_id),
        ("user.erase-cancel", person),
        ("user.erase", person),
        ("replay.delete", replay_id),
    ]
    assert told[0]["actor"] is None
    assert told[0]["keyId"]
    assert told[1]["actor"] == {"id": str(acme.users["owner"].id), "name": "Acme owner", "email": "owner@acme.example"}
    assert told[3]["data"] == {"job_id": job["jobId"]}
    assert [row["event"] for row in rows(system, event="key.create")] == ["key.create"]
    assert len(rows(system, actor=acme.users["owner"].id)) == 5
    assert "ann@example.com" not in repr([item for item in system.items("ControlTable") if item["pk"]["S"].startswith("AUDIT#")])


def test_events_that_are_sent_elsewhere_are_an_export(system: System) -> None:
    """Who exported what: a replay, and its repetition, are orders to send a collection's events to a destination."""
    acme, owner = system.acme, system.acme.token("owner")
    made = {"name": "mine", "type": "listen", "metadata": {}}
    to = system.request("POST", "/v1/destination", json=made, token=owner).json()
    to = to if "id" in to else next(iter(to.values()))
    wish = {"name": "all", "collection_id": acme.web.collection_id, "destination_id": to["id"], "query": "*", "type": "single"}
    answer = system.request("POST", "/v1/replay", json=wish, token=owner)
    assert answer.status == 200, answer
    [row] = rows(system)
    assert (row["event"], row["targetObject"], row["data"]) == ("events.export", acme.web.collection_id, {"destination_id": to["id"]})
    [replay_id] = answer.json()
    system.request("DELETE", "/v1/replay", json={"replay_id": replay_id}, token=owner)
    assert rows(system, event="event-replay.delete")[0]["targetObject"] == replay_id


def test_what_is_refused_was_not_ordered(system: System) -> None:
    for by in ("member", "outsider"):
        answer = asking.ask(system, "DELETE", asking.user_url(system.acme.web, "ann"), by=by)
        assert answer.status == 404
    assert asking.ask(system, "DELETE", asking.user_url(system.acme.web, "a" * 257)).status == 400
    assert rows(system) == []


def test_an_erasure_and_its_row_are_written_together_or_not_at_all(system: System) -> None:
    with system.cloud.watch() as calls:
        asking.erase(system, "calm", now=False)
    for k in range(len(calls)):
        with system.cloud.fault("killed-after", k):
            asking.ask(system, "DELETE", asking.user_url(system.acme.web, f"u{k}"))
    jobs = [item for item in system.items("ControlTable") if item["sk"]["S"].startswith("J#1#")]
    assert len(jobs) == len(rows(system, event="user.erase")) > 1


def test_pages_are_linked_and_other_organizations_have_their_own(system: System) -> None:
    for n in range(3):
        asking.erase(system, f"u{n}", now=False)
        system.now += 1
    first = system.request("GET", URL, query={"per_page": 2}, token=system.acme.token("owner"))
    assert first.links["next"]["results"] == "true"
    second = system.request("GET", first.links["next"]["url"], token=system.acme.token("owner"))
    assert (len(first.json()["rows"]), len(second.json()["rows"])) == (2, 1)
    theirs = system.request("GET", "/api/0/organizations/globex/audit-logs/", token=system.globex.token("owner"))
    assert theirs.json() == {"rows": []}


def test_nobody_touches_a_row_again(system: System) -> None:
    """Append-only: no role may update the control table's rows but those who keep other things there, and none of our calls names one."""
    asking.erase(system, "ann", now=False)
    before = [item for item in system.items("ControlTable") if item["pk"]["S"].startswith("AUDIT#")]
    system.now += 1
    asking.erase(system, "bob", now=False)
    after = [item for item in system.items("ControlTable") if item["pk"]["S"].startswith("AUDIT#")]
    assert [item for item in after if item in before] == before
    assert len(after) == len(before) + 1
