"""Every route × every kind of caller × own, foreign, unknown and malformed ids: no wrong cell (trust.md T3, T4, T26)."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tapedeck import ids
from tapedeck.api.dialects import DIALECTS
from tapedeck.api.routes import ROUTES, Route
from tapedeck.captures import store as captures
from tapedeck.captures.model import Capture
from tapedeck.deletion_jobs import receipts
from tapedeck.deletion_jobs import store as erasures
from tapedeck.environments import keys
from tapedeck.environments import store as environments
from tapedeck.environments.model import ALL_SCOPES, ENVIRONMENT_ROLES, ORGANIZATION_ROLES
from tapedeck.errors import Forbidden
from tapedeck.event_replays import store as replays
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Destination
from tapedeck.event_replays.model import Entry, Progress, Replay
from tapedeck.session_replays.delete_jobs import model, store
from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import record
from tests.harness.world import World

GUARDED = [route for route in ROUTES if route.reach in ("organization", "environment")]
RELATIONS = ("own", "foreign", "unknown", "malformed")
_RANGE = {"rangeStart": "2020-01-01T00:00:00Z", "rangeEnd": "2020-01-02T00:00:00Z", "environments": [], "query": ""}
_BODIES: dict[tuple[str, str], Any] = {("POST", "keys/"): {"name": "made", "scopes": ["replay:read"]}, ("POST", "rotate/"): {}, ("POST", "jobs/delete/"): {"data": _RANGE}}
_BODIES |= {("POST", "data/events"): {"event_name": "paid"}, ("POST", "data/events/stats"): {"event_name": "paid"}}
_BODIES |= {("POST", "data/events/ingest"): {"name": "paid", "data": {}}, ("POST", "v1/collection"): {"name": "orders"}}
_BODIES |= {("POST", "v1/collection/{collection_id}/search"): {"query": "name:paid"}}
_NUMBERS = count(1)
# What each request has to say anew: a function of the names in its path.
_BODIES |= {("POST", "/environments"): lambda _: {"name": f"made {next(_NUMBERS)}"}, ("POST", "/members"): lambda names: {"userId": names["person"]}}
_BODIES |= {("PUT", "/members/{user_id}"): {"role": "admin"}, ("PUT", "/environments/{env_id}"): lambda _: {"retentionDays": next(_NUMBERS) % 2 * 30 or 60}}
_BODIES |= {("POST", "/api/captures"): lambda names: {"name": f"made {next(_NUMBERS)}", "envId": int(names["env_id"]) if names["env_id"].isdigit() else 0}}
_BODIES |= {("PUT", "/api/captures"): lambda _: {"name": f"made {next(_NUMBERS)}"}, ("PUT", "{capture_id}"): lambda _: {"name": f"made {next(_NUMBERS)}"}}
_BODIES |= {("POST", "/v1/destination"): {"name": "made", "type": "listen", "metadata": {}}, ("PUT", "/v1/destination/{destination_id}"): {"name": "renamed"}}
_BODIES |= {("POST", "/v1/replay"): lambda names: {"name": "made", "type": "single", "query": "*", **{name: names[name] for name in ("collection_id", "destination_id")}}}
_BODIES |= {(method, "/v1/replay"): lambda names: {"replay_id": names["event_replay_id"]} for method in ("PUT", "DELETE")}
_BODIES |= {("POST", "/lease"): {}, ("POST", "/ack"): lambda names: {"lease": f"{names['event_replay_id']}.isolated"}}
_QUERIES = {"replay-count/": {"query": f"replay_id:[{'a' * 32}]"}}
# What is not named in the path (decision 14): the capture in the query, its environment in the body.
_NAMED_BESIDE = {("POST", "/api/captures"), ("PUT", "/api/captures"), ("DELETE", "/api/captures"), ("GET", "/api/captures/metrics"), ("POST", "/api/captures/stop")}

_NAMES = {"key": "plan", "job_id": "4711", "bucket_id": "0" * 24, "collection_id": "00000000-0000-4000-8000-000000000000"}  # what is nobody's
_NAMES |= {"env_id": "4711", "user_id": "4711", "person": "4711", "capture_id": "4711"}
_NAMES |= {"project_key": "0" * 20, "deletion_job_id": "4711", "completed_job_id": "4711"}
_NAMES |= {"destination_id": "00000000-0000-4000-8000-000000000000", "event_replay_id": "00000000-0000-4000-8000-000000000000"}
_IN_BODY = {("POST", "/v1/replay"): 422, ("PUT", "/v1/replay"): 404, ("DELETE", "/v1/replay"): 404}  # how what is not theirs is refused

# Who is asking → the token they present; "" is none.
CALLERS: dict[str, Callable[[System, Route], str]] = {
    "none": lambda system, route: "",
    "malformed": lambda system, route: "tdu_nonsense",
    "mistyped": lambda system, route: system.acme.token("owner")[:-1] + ("a" if system.acme.token("owner")[-1] != "a" else "b"),
    "unknown": lambda system, route: _unknown(),
    "expired": lambda system, route: keys.issue("tdo", system.acme.id, expires_at=system.now - 1)[0],
    "revoked": lambda system, route: _revoked(system),
    "dev key outside local": lambda system, route: keys.issue("tdo", system.acme.id, dev=True)[0],
    "owner": lambda system, route: system.acme.token("owner"),
    "admin": lambda system, route: system.acme.token("admin"),
    "member": lambda system, route: system.acme.token("member"),
    "outsider": lambda system, route: system.acme.token("outsider"),
    "org key": lambda system, route: system.acme.org_key,
    "org key without the scope": lambda system, route: keys.issue("tdo", system.acme.id, scopes=ALL_SCOPES - {str(route.scope)})[0],
    "owner's token without the scope": lambda system, route: keys.issue(
        "tdu", system.acme.id, system.acme.users["owner"].id, scopes=ALL_SCOPES - {str(route.scope)}
    )[0],
    "other organization's owner": lambda system, route: system.globex.token("owner"),
    "other organization's key": lambda system, route: system.globex.org_key,
}
NOBODY = {"none", "malformed", "mistyped", "unknown", "expired", "revoked", "dev key outside local"}


def _unknown() -> str:
    from tapedeck.environments import tokens

    return tokens.make("tdo", dev=False)


def _revoked(system: System) -> str:
    token, key = keys.issue("tdo", system.acme.id)
    keys.revoke(key)
    return token


def ids_of(system: System, relation: str) -> dict[str, str]:
    """The values of a path's parameters: acme's own, another organization's, nobody's, or nonsense."""
    if relation == "own":
        _, key = keys.issue("tdo", system.acme.id, scopes=frozenset({"replay:read"}))
        return {"org": "acme", "project": "web", "replay_id": record(system, system.acme.web), "segment_id": "0", "key_id": key.id, **_names(system.acme)}
    if relation == "foreign":
        _, key = keys.issue("tdo", system.globex.id)
        theirs = {"replay_id": record(system, system.globex.web), "segment_id": "0", "key_id": key.id, **_names(system.globex)}
        return {"org": "globex", "project": "web", **theirs}
    if relation == "unknown":
        return {"org": "nowhere", "project": "nothing", "replay_id": "0" * 32, "segment_id": "0", "key_id": "0123456789", **_NAMES}
    return {"org": "%2e%2e", "project": "a%00b", "replay_id": "%27%20or%201", "segment_id": "x", "key_id": "*", "key": "%00", "job_id": "x", "bucket_id": "%00", "collection_id": "*", "env_id": "%00", "user_id": "*", "person": "x", "capture_id": "x", "destination_id": "*", "event_replay_id": "*", "project_key": "%00", "deletion_job_id": "x", "completed_job_id": "x"}


def _names(world: World) -> dict[str, str]:
    job = store.create(world.id, world.web.project_id, model.Order(0, 1, [], ""))
    environments.change_roles(world.id, world.web, lambda _: world.web.roles)  # whoever came or went before
    people = {"env_id": str(world.web.env_id), "user_id": str(world.users["member"].id), "person": str(world.users["outsider"].id)}
    people["capture_id"] = str(_capture(world))
    people["destination_id"] = destinations.save(Destination(world.id, ids.random_uuid(), "listen", "mine", "", {}, 0.0, 0.0)).id
    people["idle_destination_id"] = destinations.save(Destination(world.id, ids.random_uuid(), "listen", "idle", "", {}, 0.0, 0.0)).id
    people["event_replay_id"] = _event_replay(world, people["destination_id"])
    people |= _erasures(world)
    return {**people, "key": "plan", "job_id": str(job.id), "bucket_id": world.web.bucket_id, "collection_id": world.web.collection_id}


def _capture(world: World) -> int:
    """A capture that runs, made by the member."""
    number, web, at = captures.next_id(), world.web, 1_772_704_800_000
    made = Capture(world.id, number, web.env_id, f"isolated {number}", world.users["member"].id, "", web.collection_id, "", "RUNNING", at, at, at)
    return captures.create(made).id


def _event_replay(world: World, destination_id: str) -> str:
    """An event replay that runs, and that a reader has let go of."""
    web, made = world.web, ids.random_uuid()
    what = ("mine", "", "single", "*", web.collection_id, web.env_id, destination_id, 1, 0.0, 0.0)
    replay = Replay(world.id, made, *what, progress=Progress(0), until=0, pulled=True, state="running", left_by="isolated")
    return replays.create(replay, Entry("created", 0.0, 0, 0, 0)).id


def _erasures(world: World) -> dict[str, str]:
    """A job that waits and one that is completed; nobody's is under way that a caller may ask for."""
    project_id = world.web.project_id
    for each in erasures.newest_first(world.id, project_id, 0, 200):
        if not each.is_over:
            erasures.end(each, dataclasses.replace(each, status="cancelled"))
    waiting = erasures.create(world.id, project_id, "somebody", 2**50)
    done = erasures.create(world.id, project_id, f"nobody {next(_NUMBERS)}", 0)
    receipt = receipts.make(done, [], 0)
    receipts.keep(done, receipt)
    done = erasures.end(done, dataclasses.replace(done, status="completed", receipt=receipt["sha256"]))
    return {"project_key": world.web.project_key, "deletion_job_id": str(waiting.id), "completed_job_id": str(done.id)}


def ask(system: System, route: Route, names: dict[str, str], token: str) -> Response:
    """Take a route with these names."""
    if route.path.endswith("/receipt"):
        names = {**names, "deletion_job_id": names["completed_job_id"]}
    if route.function == "event_replays.delete_destination":
        names = {**names, "destination_id": names.get("idle_destination_id", names["destination_id"])}
    path = re.sub(r"\{(\w+)\+?\}", lambda found: names[found[1]], route.path)
    body = next((body for (method, end), body in _BODIES.items() if method == route.method and route.path.endswith(end)), None)
    body = body(names) if callable(body) else body
    query = next((query for end, query in _QUERIES.items() if route.path.endswith(end)), {})
    if (route.method, route.path) in _NAMED_BESIDE:
        query = {"id": names["capture_id"]}
    return system.request(route.method, path, token=token or None, json=body, query=query)


def may(caller: str, route: Route) -> bool:
    """What trust.md §8.2 says of this caller and its own organization's things."""
    if caller == "org key":
        return True
    if "without the scope" in caller:
        return False
    organization_role = "owner" if caller == "owner" else "member"
    if route.reach == "environment":
        return caller != "outsider" and route.scope in ENVIRONMENT_ROLES[caller]
    return route.scope in ORGANIZATION_ROLES[organization_role]


@pytest.mark.parametrize("route", GUARDED, ids=lambda route: f"{route.method} {route.path}")
def test_no_cell_is_wrong(system: System, route: Route) -> None:
    wrong: list[str] = []
    refusals: dict[tuple[str, str], set[bytes]] = {}
    made: dict[str, dict[str, str]] = {}
    for caller, present in CALLERS.items():
        for relation in RELATIONS:
            if relation not in made or (route.method != "GET" and caller not in NOBODY):  # what somebody may have changed is made anew
                made[relation] = ids_of(system, relation)
            names = made[relation]
            answer = ask(system, route, names, present(system, route))
            expected = _expected(caller, relation, route)
            if answer.status not in expected or not answer.headers.get("request-id"):
                wrong.append(f"{caller} × {relation}: {answer.status}, not {expected}: {answer.body[:120]!r}")
            if relation in ("foreign", "unknown") and "{org}" in route.path and caller in ("owner", "org key"):
                refusals.setdefault((caller, "body"), set()).add(answer.body)
    assert not wrong, "\n".join(wrong)
    for cell, bodies in refusals.items():
        assert len(bodies) == 1, f"{cell}: another organization's ids do not answer like unknown ones (T26): {bodies}"


def _named_in_body(caller: str, relation: str, route: Route, good: set[int], forbidden: set[int]) -> set[int]:
    theirs = caller.startswith("other organization")
    if not theirs and not may(caller, route):
        return forbidden
    deletes = route.method == "DELETE" and caller == "member"  # it takes an admin of the environment
    is_ones_own = relation == ("foreign" if theirs else "own") and caller != "outsider"
    return good if is_ones_own and not deletes else {_IN_BODY[route.method, route.path]}


def _expected(caller: str, relation: str, route: Route) -> set[int]:
    good, forbidden = {200, 201, 204}, {DIALECTS[route.dialect].statuses.get(Forbidden, 403)}
    if caller in NOBODY:
        return {401}
    theirs = caller.startswith("other organization")
    beside, named = (route.method, route.path) in _NAMED_BESIDE, ("{org}", "{bucket_id}", "{collection_id}", "{env_id}", "{capture_id}", "{destination_id}", "{event_replay_id}", "{project_key}")
    if (route.method, route.path) in _IN_BODY:
        return _named_in_body(caller, relation, route, good, forbidden)
    if not beside and not any(name in route.path for name in named):  # it is the caller's own, whoever calls
        if caller == "outsider" and route.function == "event_replays.create_collection":
            return {422}  # no environment of theirs to make it in
        return good if theirs or may(caller, route) else forbidden
    if theirs:
        return {404} if relation != "foreign" else good
    if not may(caller, route) and "{org}" not in route.path and route.reach == "organization":
        return forbidden  # whatever it is, they may not look for it
    if relation != "own":
        return {404}
    if caller == "outsider" and route.reach == "organization" and ("{replay_id}" in route.path or "{collection_id}" in route.path):
        return {404}  # no project of theirs has it
    if "{event_replay_id}" in route.path or route.path.endswith("/ack"):
        archives = route.method == "DELETE" and caller == "member"  # it takes an admin of the environment
        return {404} if caller == "outsider" or archives else good
    if caller == "outsider" and route.reach == "organization" and (beside or "{capture_id}" in route.path):
        return forbidden  # the organization is theirs, the environment is not
    return good if may(caller, route) else forbidden


@pytest.mark.parametrize(
    "route", [route for route in GUARDED if "{replay_id}" in route.path], ids=lambda route: f"{route.method} {route.path}"
)
@pytest.mark.parametrize("replay", ["foreign", "sibling"])
def test_ones_own_project_does_not_open_anothers_replay(system: System, route: Route, replay: str) -> None:
    """Another organization's, or a sibling project's, replay id under one's own path answers exactly like an unknown id."""
    if route.reach == "organization" and replay == "sibling":
        pytest.skip("the organization form finds a replay in any project of the caller")
    other = system.globex.web if replay == "foreign" else system.acme.shop
    names = {"org": "acme", "project": "web", "segment_id": "0"}
    there = ask(system, route, {**names, "replay_id": record(system, other)}, system.acme.token("owner"))
    nowhere = ask(system, route, {**names, "replay_id": "0" * 32}, system.acme.token("owner"))
    assert (there.status, there.body) == (nowhere.status, nowhere.body)
    token = (system.globex if replay == "foreign" else system.acme).token("owner")
    url = f"/api/0/organizations/{'globex' if replay == 'foreign' else 'acme'}/replays/"
    still = system.request("GET", url, query={"project": other.project_id}, token=token).json()["data"]
    assert [row["is_archived"] for row in still] == [False], "and nothing happened to it"


def test_every_call_on_behalf_of_an_organization_names_it(system: System) -> None:
    """architecture.md §3: every record key begins with the organization. Keys are looked up by their own random id."""
    acme = system.acme
    replay_id = record(system, acme.web)
    with system.cloud.watch() as calls:
        for route in GUARDED:
            names = {"org": "acme", "project": "web", "replay_id": replay_id, "segment_id": "0", "key_id": "0123456789", **_NAMES}
            ask(system, route, names, acme.token("owner"))
    assert calls
    own = re.compile(rf"^[A-Z]+#{acme.id}(#|$)|^KEY#|^DSN#|^COLLECT#|^SEQ$")
    for call in calls:
        if call.service == "s3":
            assert f"/{acme.id}/" in call.params["Key"] or f"/{acme.id}/" in call.params.get("Prefix", ""), call
        elif call.service == "dynamodb":
            text = repr(call.params)
            partitions = re.findall(r"'(?:pk|:pk|:in|listed_in)': \{'S': '([^']+)'\}", text)
            assert partitions, call
            assert all(own.match(partition) for partition in partitions), (call.operation, partitions)
