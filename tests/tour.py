"""A visit to every function: what the roles are held against, and what the logs are searched after."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import requests

from tapedeck import clock
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.session_replays.blocks import compacting, gathering
from tests.event_replays.destinations import asking
from tests.harness import System, agent, envelopes
from tests.harness.cloud import Killed
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url, send


def upload(system: System, body: bytes, *, put: bool = True) -> tuple[Response, Response]:
    """The way of large envelopes: (answer of create_upload, answer of finish_upload)."""
    web = system.acme.web
    query = {"sentry_key": web.public_key}
    created = system.request("POST", f"/api/{web.project_id}/uploads/", query=query)
    assert created.status == 201, created
    if put:
        said = requests.request(created.json()["method"], created.json()["url"], data=body, timeout=5)
        assert said.status_code == 200, said.text
    return created, system.request("POST", urlsplit(created.json()["finish"]).path.removeprefix("/v"), query=query)


def tour(system: System) -> None:
    """Record, watch, list, delete, sweep; make, rotate and end keys; look at the rest."""
    acme, web = system.acme, system.acme.web
    for each in (web, acme.shop):  # so that what is kept is tagged
        assert system.request("PUT", f"/api/environments/{each.env_id}", json={"retentionDays": 30}, token=acme.token("owner")).status == 200
    replay_id = record(system, web, segments=2)
    for again in (envelopes.segment(replay_id, 1, events=[{"other": 1}]), envelopes.error_event(replay_id)):
        send(system, web, again)
    large = envelopes.new_id()
    upload(system, envelopes.segment(large, events=[{"pad": "x" * 7_000_000}]))
    owner = acme.token("owner")
    for name in (replay_id, large):
        url = replay_url(acme, web, name)
        for method, rest in (("GET", ""), ("POST", "viewed-by/"), ("GET", "viewed-by/")):
            assert system.request(method, url + rest, token=owner).status in (200, 204)
        for rest in ("clicks/", "recording-segments/", "recording-segments/0/"):
            for query in ({}, {"download": ""}):
                assert system.request("GET", url + rest, query=query, token=owner).status in (200, 302)
    for url in ("tags/", "tags/plan/values/"):
        assert system.request("GET", replay_url(acme, web, url.removesuffix("/")), token=owner).status == 200, url
    for url in ("", "acme/", "acme/replays/", f"acme/replays/{replay_id}/", "acme/keys/", "acme/projects/", "acme/tags/", "acme/tags/plan/values/", "acme/replay-selectors/"):
        assert system.request("GET", f"/api/0/organizations/{url}", token=owner).status == 200, url
    system.request("GET", "/api/0/organizations/acme/replays/", query={"environment": "production"}, token=owner)
    system.request("GET", "/api/0/organizations/acme/replay-count/", query={"query": f"replay_id:[{replay_id}]"}, token=owner)
    assert system.request("GET", "/api/0/projects/acme/web/", token=owner).status == 200
    made = system.request("POST", "/api/0/organizations/acme/keys/", json={"name": "ci", "scopes": ["replay:read"]}, token=owner)
    key = f"/api/0/organizations/acme/keys/{made.json()['data']['id']}/"
    assert system.request("POST", key + "rotate/", json={}, token=owner).status == 201
    assert system.request("DELETE", key, token=owner).status == 204
    with system.cloud.fault("killed-before", 2):  # the object is there, its row is not: the janitor's work
        send(system, web, envelopes.segment(envelopes.new_id()))
    jobs = replay_url(acme, web, "jobs", "delete/")
    order = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2099-01-01T00:00:00Z", "environments": [], "query": f"id:{large}"}
    assert system.request("POST", jobs, json={"data": order}, token=owner).status == 201
    with system.cloud.fault("killed-after", 2):  # the job is there, its bell is not: the sweeper's work
        system.request("POST", jobs, json={"data": order}, token=owner)
    for url in (jobs, jobs + "1/"):
        assert system.request("GET", url, token=owner).status == 200
    _events(system)
    _captures(system)
    _destinations(system)
    _replays(system)
    _people(system)
    _erasures(system)
    _blocks(system)
    for url in ("/health", "/openapi.json", "/console", "/console/"):
        system.request("GET", url)
    assert system.request("DELETE", replay_url(acme, web, replay_id), token=owner).status == 204
    send(system, web, envelopes.segment(replay_id, 5))
    system.drain()
    system.advance(20 * 60)
    system.drain()


def _people(system: System) -> None:
    """Make an environment, change who belongs to it, sign in as a browser does."""
    acme, owner = system.acme, system.acme.token("owner")
    made = system.request("POST", "/api/environments", json={"name": "Tour"}, token=owner).json()
    assert system.request("POST", "/api/environments", json={"name": "Tour"}, token=acme.org_key).status == 400
    members = f"/api/environments/{made['id']}/members"
    one = f"{members}/{acme.users['member'].id}"
    assert system.request("POST", members, json={"email": "member@acme.example"}, token=owner).status == 200
    assert system.request("PUT", one, json={"role": "admin"}, token=owner).status == 200
    for url in ("/api/environments", f"/api/environments/{made['id']}", members):
        assert system.request("GET", url, token=owner).status == 200, url
    assert system.request("DELETE", one, token=owner).status == 200
    cookie = system.request("POST", "/api/users/login", json={"token": owner}).headers["set-cookie"].partition(";")[0]
    assert system.request("GET", "/api/users/me", headers={"Cookie": cookie}).json()["id"] == acme.users["owner"].id


def _events(system: System) -> None:
    """Put events in, ask for them, delete them all; collections as well."""
    acme, owner = system.acme, system.acme.token("owner")
    for n in range(9):
        agent.put(system, acme, *(agent.record("paid", n=n, text=agent.noise(n * 50 + m)) for m in range(50)))
    agent.ingest(system, acme, agent.record("again"))
    agent.ingest(system, acme, agent.record("again"))
    large = [agent.record("repeated", text=agent.noise(m)) for m in range(50)]
    for _ in range(2):
        agent.ingest(system, acme, large)
    system.cold()
    assert len(agent.events(system, acme, "paid", limit=1000)) == 450
    assert agent.histogram(system, acme, "paid").status == 200
    agent.keys(system, acme)
    assert system.request("GET", agent.bucket_url(acme.web, "/data/events/tail"), token=owner).status == 200
    made = system.request("POST", "/v1/collection", json={"name": "orders"}, token=owner).json()
    assert agent.collect(system, made["token"], {"type": "paid"}).status == 200
    for asked in ({"query": "type:paid AND NOT amount:>5"}, {"query": "(", "size": 5}):
        system.request("POST", f"/v1/collection/{made['id']}/search", json=asked, token=owner)
    assert system.request("POST", f"/v1/collection/{acme.web.collection_id}/search", json={}, token=owner).status == 200
    for url in ("/v1/collection", f"/v1/collection/{made['id']}", "/api/bucket", agent.bucket_url(acme.web)):
        assert system.request("GET", url, token=owner).status == 200, url
    exchanged = {"grant_type": "refresh_token", "refresh_token": owner}
    assert system.request("POST", "/api/oauth/token", json=exchanged).status == 200
    system.advance(61)
    assert system.request("DELETE", agent.bucket_url(acme.web, "/data/events/delete_all"), token=owner).status == 200


def _captures(system: System) -> None:
    """Capture for a while, now and on schedule; look at it, change it, stop it, delete it."""
    acme, owner = system.acme, system.acme.token("owner")

    def take(method: str, rest: str = "", json: object = None) -> Any:
        answer = system.request(method, f"/api/captures{rest}", token=owner, json=json)
        assert answer.status == 200, answer
        return answer.json()

    now = take("POST", json={"name": "from now on", "envId": acme.web.env_id})
    start = clock.iso(system.now + 600)
    later = take("POST", json={"name": "later on", "envId": acme.web.env_id, "scheduledStart": start, "duration": 60})
    system.drain()
    take("PUT", f"/{later['id']}", {"duration": 120})
    system.drain()
    system.advance(120)
    take("GET", f"/{now['id']}/metrics")
    take("POST", f"/{now['id']}/stop")
    system.drain()
    system.advance(900)
    system.drain()
    take("GET")
    take("GET", f"/{later['id']}")
    take("GET", f"/{later['id']}/metrics")
    take("DELETE", f"/{now['id']}")
    for n in range(16):  # it begins within what is merged, and its bell is lost: the sweeper's work
        if n == 8:
            take("POST", json={"name": "a lost bell", "envId": acme.web.env_id})
            system.client("sqs").purge_queue(QueueUrl=system.template.physical_id("CaptureBells"))
        agent.put(system, acme, *(agent.record("paid", n=n, text=agent.noise(n * 50 + m)) for m in range(50)))
        system.skip(1)
    for _ in range(6):
        system.advance(300)
        system.drain()


def _destinations(system: System) -> None:
    """Make a destination of every kind, in our account and in another, and try each; look at them, change one, archive one."""
    acme, owner = system.acme, system.acme.token("owner")

    def take(method: str, rest: str = "", json: object = None) -> Any:
        answer = system.request(method, f"/v1/{rest}", token=owner, json=json)
        assert answer.status == 200, answer
        return answer.json()

    account, role = "123456789012", "arn:aws:iam::210987654321:role/tapedeck-dest-writer"
    made = [
        take("POST", "destination", {"name": kind, "type": kind, "metadata": metadata})
        for kind, metadata in (
            ("http", {"url": "https://hooks.invalid/", "headers": [{"Authorization": "Bearer a-long-enough-token"}]}),
            ("sqs", {"aws_account_id": account, "queue_name": "tapedeck-dest-tour"}),
            ("sns", {"topic_arn": f"arn:aws:sns:us-east-1:{account}:tapedeck-dest-tour"}),
            ("eventbridge", {"event_bus_arn": f"arn:aws:events:us-east-1:{account}:event-bus/tapedeck-dest-tour"}),
            ("kinesis", {"stream_arn": f"arn:aws:kinesis:us-east-1:{account}:stream/tapedeck-dest-tour"}),
            ("s3", {"bucket": "tapedeck-dest-tour"}),
            ("lambda", {"function_arn": f"arn:aws:lambda:us-east-1:{account}:function:tapedeck-dest-tour"}),
            ("collection", {"collection_id": acme.shop.collection_id}),
            ("sqs", {"aws_account_id": "210987654321", "queue_name": "theirs", "role_arn": role}),
            ("listen", {}),
        )
    ]
    for each in made:
        take("POST", f"destination/{each['id']}/test")
        take("GET", f"destination/{each['id']}")
    take("PUT", f"destination/{made[0]['id']}", {"max_per_second": 5})
    take("GET", "destination")
    take("GET", "health/destination")
    take("GET", f"health/destination/{made[0]['id']}")
    take("DELETE", f"destination/{made[-1]['id']}")
    for _ in range(2):  # a worker dies when it has copied a batch, and another one copies it again
        with asking.opened(system, made[7]) as sender:
            assert all(outcome.ok for outcome in sender.send(asking.deliveries(*map(agent.noise, range(200)))))


def _replays(system: System) -> None:
    """Replay into another collection, once and for ever; try, pause, change, repeat, archive, delete; listen."""
    acme, owner = system.acme, system.acme.token("owner")

    def take(method: str, rest: str, json: Any = None, **query: str) -> Any:
        answer = system.request(method, f"/v1/{rest}", token=owner, json=json, query=query)
        assert answer.status == 200, answer
        return answer.json()

    agent.put(system, acme, *(agent.record("paid", text=agent.noise(n)) for n in range(50)))
    to = take("POST", "destination", {"name": "copies", "type": "collection", "metadata": {"collection_id": acme.shop.collection_id}, "max_per_second": 1000})
    wish = {"name": "again", "collection_id": acme.web.collection_id, "destination_id": to["id"], "query": "*", "type": "onetime"}
    assert take("POST", "replay", wish, dry_run="true")["matched"] >= 50
    [once] = take("POST", "replay", wish)
    [ever] = take("POST", "replay", {**wish, "type": "continuous"})
    system.drain()
    system.skip(10)
    agent.put(system, acme, agent.record("paid"))
    system.drain()
    for _ in range(2):
        take("PUT", f"replay/{ever}/toggle-pause")
    take("PUT", "replay", {"id": once, "name": "done"})
    [redone] = take("PUT", f"replay/{once}/redo")
    assert take("GET", f"replay/{once}")[once]["state"] == "completed"
    assert len(take("GET", "replay")) >= 3
    take("GET", f"replayer/history/{once}")
    pulls = take("POST", "destination", {"name": "laptop", "type": "listen", "metadata": {}})["id"]
    take("POST", "replay", {**wish, "destination_id": pulls})
    handed = take("POST", f"destination/{pulls}/lease", {"limit": 2})
    take("POST", f"destination/{pulls}/ack", {"lease": handed["lease"], "done": [each["key"] for each in handed["events"]]})
    take("DELETE", f"replay/{ever}")
    take("DELETE", "replay", {"id": [once, redone]})
    take("POST", "replay", {**wish, "type": "continuous"})
    destinations.save(dataclasses.replace(destinations.read(acme.id, to["id"]), archived=True))  # as if the two had met
    system.drain()
    system.advance(60)
    system.drain()


def _erasures(system: System) -> None:
    """Erase a person of whom there is something of everything; cancel before and while it runs; come too late; look at the trail."""
    acme, web, ann = system.acme, system.acme.web, {"id": "ann/a@example.com"}
    owner, base = acme.token("owner"), f"/api/v1/{web.project_key}"
    late, there = envelopes.new_id(), record(system, web, user=ann)
    send(system, web, envelopes.segment(late, 0, user=None))
    key = f"pages/{acme.id}/{web.project_id}/{there}/page"  # what a download that is larger than an answer leaves
    system.client("s3").put_object(Bucket=system.template.physical_id("RecordingsBucket"), Key=key, Body=b"[]")
    upload(system, envelopes.segment(envelopes.new_id(), user=ann))
    for n in range(2):
        said = {"user": ann["id"], **agent.record("met", n=n)}
        agent.put(system, acme, said, *(agent.record("met", text=agent.noise(n * 50 + m)) for m in range(50 * n)))

    def ask(method: str, rest: str, **query: str) -> Any:
        answer = system.request(method, base + rest, query=query, token=owner)
        assert answer.status in (200, 501), answer
        return answer.json()["data"]

    user = "/users/ann%2Fa%40example.com"
    for rest in (user, user + "/sessions"):
        ask("GET", rest)
    scheduled = ask("DELETE", user)
    ask("DELETE", f"/jobs/{scheduled['jobId']}")
    running = ask("DELETE", user, now="true")
    with system.cloud.fault("killed-before", 12):
        bell = {"organization_id": acme.id, "project_id": web.project_id, "job_id": running["jobId"]}
        with suppress(Killed):
            system.invoke("deletion_jobs/run_erasure", {"Records": [{"body": json.dumps(bell)}]})
    assert ask("DELETE", f"/jobs/{running['jobId']}")["errors"]
    system.drain()
    done = ask("DELETE", user, now="true")["jobId"]
    system.drain()
    for rest in ("/jobs", f"/jobs/{done}", f"/jobs/{done}/receipt"):
        ask("GET", rest)
    send(system, web, envelopes.segment(late, 1, user=ann))
    upload(system, envelopes.segment(envelopes.new_id(), user=ann))
    system.drain()
    ask("DELETE", user)
    system.skip(2 * 86400)
    system.invoke("deletion_jobs/sweep_erasures")
    system.drain()
    assert system.request("GET", "/api/0/organizations/acme/audit-logs/", token=owner).json()["rows"]


def _blocks(system: System) -> None:
    """The cold tier: packed, merged, swept; searched, deleted in bulk and erased where it is."""
    acme, web, owner = system.acme, system.acme.web, system.acme.token("owner")
    def compact() -> None:
        system.skip(130)
        system.invoke("session_replays/compact_replays")

    with patch.multiple(compacting, ENOUGH=1, FAN_IN=2):
        record(system, web, user={"id": "erin"})
        compact()  # so that an object of the lake is hers alone
        for tag in ("none", "one", "two"):
            record(system, web, user={"id": "carol"}, tags={"cold": tag})
            record(system, web, user={"id": "dave"}, tags={"cold": tag})
            compact()
        for wait in (130, 130, 400):
            system.skip(wait)
            system.invoke("session_replays/compact_replays")
    record(system, web)
    with patch.object(compacting, "ENOUGH", 1):  # another block, too few to be merged
        for _ in range(2):
            system.skip(130)
            system.invoke("session_replays/compact_replays")
    system.skip(86400 - clock.now() % 86400)  # a day's first hour
    system.invoke("session_replays/compact_replays")
    found = system.request("GET", "/api/0/organizations/acme/replays/", query={"query": "has:cold"}, token=owner)
    assert len(found.json()["data"]) == 6
    with patch.object(gathering, "most_rows", lambda: 1):  # more than one function should look at
        found = system.request("GET", "/api/0/organizations/acme/replays/", query={"query": "has:cold"}, token=owner)
        assert len(found.json()["data"]) == 6
    order = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2099-01-01T00:00:00Z", "environments": [], "query": "cold:two user.id:dave"}
    assert system.request("POST", replay_url(acme, web, "jobs", "delete/"), json={"data": order}, token=owner).status == 201
    with patch.object(gathering, "most_rows", lambda: 1):
        system.drain()
    answer = {"Bucket": system.template.physical_id("RecordingsBucket"), "Key": "athena/an-answer.csv", "Body": b"carol"}
    system.client("s3").put_object(**answer)
    for user in ("carol", "erin"):
        assert system.request("DELETE", f"/api/v1/{web.project_key}/users/{user}", query={"now": "true"}, token=owner).status == 200
        system.drain()
    left = system.request("GET", "/api/0/organizations/acme/replays/", query={"query": "has:cold"}, token=owner)
    assert len(left.json()["data"]) == 2
