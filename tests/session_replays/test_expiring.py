"""Session replays expire a number of days after they were last heard of: nobody sees them from that second on, in either tier."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.session_replays.blocks import compacting, manifest
from tapedeck.session_replays.blocks import format as form
from tests import tour
from tests.deletion_jobs.asking import erased, user_url
from tests.harness import System, envelopes
from tests.harness.keeping import DAY, expire, keep, lifecycle, tags, until
from tests.harness.sdk import read, record, replay_url, send

ANN = "ann@example.com"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A block of any number of replays."""
    monkeypatch.setattr(compacting, "ENOUGH", 1)


def told(system: System, path: str, **query: str) -> Any:
    answer = system.request("GET", path, query=query, token=system.acme.token("owner"))
    assert answer.status == 200, (path, answer)
    return answer.json()


def seen(system: System) -> set[str]:
    """The ids of acme's replays: every way to ask must agree."""
    org, always = "/api/0/organizations/acme/", {"statsPeriod": "1000d"}
    listed = [row["id"] for row in told(system, f"{org}replays/", **always, limit="100")["data"]]
    by_query = [row["id"] for row in told(system, f"{org}replays/", **always, query="!user.email:nobody", sort="-duration")["data"]]
    tagged = {each["value"]: each["count"] for each in told(system, f"{org}tags/me/values/", **always)}
    tag_keys = {each["key"]: each["totalValues"] for each in told(system, f"{org}tags/", **always)}
    counted = told(system, f"{org}replay-count/", **always, query='transaction:["/all"]', returnIds="true").get("/all", [])
    alone = {*_there(system)}
    assert sorted(listed) == sorted(by_query)
    assert set(listed) == set(tagged) == set(counted) == alone
    assert set(tagged.values()) <= {1}
    assert tag_keys.get("me", 0) == len(listed)
    named = told(system, f"{org}replay-count/", **always, query=f"replay_id:[{','.join(_known)}]") if _known else {}
    assert set(named) == alone
    clicked = told(system, f"{org}replay-selectors/", **always, per_page="100")["data"]
    assert sum(each["count_dead_clicks"] for each in clicked) == len(listed)
    return set(listed)


_known: dict[str, Any] = {}


def _there(system: System) -> list[str]:
    """Those that are there when they are asked for by themselves."""
    found = []
    for replay_id, project in _known.items():
        answer = read(system, system.acme, project, replay_id, by="owner")
        anywhere = system.request("GET", f"/api/0/organizations/acme/replays/{replay_id}/", token=system.acme.token("owner"))
        url = replay_url(system.acme, project, replay_id)
        segments = told(system, url + "recording-segments/")["data"]
        clicks = told(system, url + "clicks/")["data"]
        viewers = system.request("GET", url + "viewed-by/", token=system.acme.token("owner"))
        segment = system.request("GET", url + "recording-segments/0/", token=system.acme.token("owner"))
        statuses = {answer.status, anywhere.status, viewers.status, segment.status}
        assert statuses in ({200}, {404})
        assert bool(segments) == bool(clicks) == (statuses == {200})
        found += [replay_id] if statuses == {200} else []
    return found


def made(system: System, project: Any) -> str:
    """A replay that has one of everything."""
    replay_id = envelopes.new_id()
    events = [*envelopes.page(0), envelopes.slow_click(7, at=system.now)]
    body = envelopes.segment(
        replay_id, 0, at=system.now, started=system.now - 1, events=events, tags={"me": replay_id, "transaction": "/all"}, user={"id": ANN, "email": ANN}
    )
    assert send(system, project, body).status == 200
    _known[replay_id] = project
    return replay_id


@pytest.fixture(autouse=True)
def known() -> None:
    _known.clear()


def pack(system: System) -> None:
    """All that is still goes into blocks, and leaves the hot tier."""
    for _ in range(3):
        system.skip(130)
        system.invoke("session_replays/compact_replays")


@pytest.mark.parametrize("cold", [False, True])
def test_projects_with_different_days_in_one_search(system: System, cold: bool) -> None:
    acme, began = system.acme, system.now
    keep(system, 1, acme.web)
    short, long = made(system, acme.web), made(system, acme.shop)
    if cold:
        pack(system)
        assert len(manifest.read(acme.id)) == 1
    for moment, there in ((began + DAY - 0.001, {short, long}), (began + DAY, {long}), (began + 90 * DAY - 0.001, {long}), (began + 90 * DAY, set())):
        until(system, moment)
        assert seen(system) == there, moment - began


@pytest.mark.parametrize("cold", [False, True])
def test_a_shorter_period_hides_and_a_longer_one_brings_nothing_back(system: System, cold: bool) -> None:
    acme = system.acme
    other, old = made(system, acme.shop), made(system, acme.web)
    system.skip(2 * DAY)
    new = made(system, acme.web)
    if cold:
        pack(system)
    assert seen(system) == {other, old, new}
    keep(system, 1)
    assert seen(system) == {other, new}
    late = made(system, acme.web)
    if cold:
        pack(system)
    keep(system, None)
    assert seen(system) == {other, old, new, late}, "what was stored for longer had only been hidden"
    system.skip(DAY)
    assert seen(system) == {other, old, new}
    keep(system, 30)
    assert seen(system) == {other, old, new}


def test_within_a_minute_every_container_knows(system: System) -> None:
    replay_id = record(system, system.acme.web)
    system.skip(2 * DAY)
    assert read(system, system.acme, system.acme.web, replay_id).status == 200
    url = f"/api/environments/{system.acme.web.env_id}"
    assert system.request("PUT", url, json={"retentionDays": 1}, token=system.acme.token("owner")).status == 200
    system.skip(60)
    assert read(system, system.acme, system.acme.web, replay_id).status == 404
    record(system, system.acme.web)
    assert tags(system, "rec/") == [None, "1"]


@pytest.mark.parametrize("write", ["view", "delete", "nothing"])
def test_only_what_is_recorded_prolongs(system: System, write: str) -> None:
    keep(system, 3)
    acme, web, began = system.acme, system.acme.web, system.now
    replay_id = record(system, web)
    system.skip(2 * DAY)
    url = replay_url(acme, web, replay_id)
    if write == "view":
        assert system.request("POST", url + "viewed-by/", token=acme.token("member")).status == 204
    if write == "delete":
        assert system.request("DELETE", url, token=acme.token("owner")).status == 204
    [row] = [item for item in system.items("ReplaysTable") if item["sk"]["S"] == "M"]
    assert int(row["ttl"]["N"]) == int(began) + 3 * DAY
    until(system, began + 3 * DAY - 0.001)
    assert read(system, acme, web, replay_id).status == 200
    system.skip(0.001)
    assert read(system, acme, web, replay_id).status == 404
    assert system.request("POST", url + "viewed-by/", token=acme.token("member")).status == 404


def test_a_segment_and_a_linked_event_do_prolong(system: System) -> None:
    keep(system, 3)
    acme, web = system.acme, system.acme.web
    replay_id = record(system, web)
    system.skip(DAY)
    send(system, web, envelopes.segment(replay_id, 1, at=system.now))
    system.skip(DAY)
    send(system, web, envelopes.error_event(replay_id, at=system.now))
    last = system.now
    until(system, last + 2 * DAY - 0.001)
    segments = f"{replay_url(acme, web, replay_id)}recording-segments/"
    assert [each["segmentId"] for each in told(system, segments)["data"]] == [1], "the first segment has expired by itself"
    system.skip(0.001)
    assert told(system, segments)["data"] == []
    assert system.request("GET", segments + "1/", token=acme.token("owner")).status == 404
    until(system, last + 3 * DAY - 0.001)
    assert read(system, acme, web, replay_id).status == 200
    system.skip(0.001)
    assert read(system, acme, web, replay_id).status == 404


@pytest.mark.parametrize(("days", "tag"), [(None, None), (90, None), (7, "7")])
def test_recordings_are_tagged_with_days_of_their_own_by_either_door(system: System, days: int | None, tag: str | None) -> None:
    keep(system, days)
    record(system, system.acme.web)
    tour.upload(system, envelopes.segment(envelopes.new_id()))
    assert tags(system, "rec/") == [tag, tag]
    rows = [int(item["ttl"]["N"]) for item in system.items("ReplaysTable") if item["pk"]["S"].startswith("R#")]
    assert set(rows) == {int(system.now) + (days or 90) * DAY}


def test_a_copy_in_a_block_does_not_outlive_the_row_that_stands_for_it(system: System) -> None:
    """A row that has expired, and is still in the hot tier, masks what blocks have of it; one that TTL has taken leaves nothing to see."""
    replay_id, other = made(system, system.acme.web), made(system, system.acme.shop)
    pack(system)
    keep(system, 1)
    send(system, system.acme.web, envelopes.segment(replay_id, 1, at=system.now, tags={"me": replay_id}))
    system.skip(2 * DAY)
    assert seen(system) == {other}
    keep(system, None)
    assert seen(system) == {replay_id, other}, "its first segment was stored for as long as the stack keeps"
    until(system, system.now + 90 * DAY)
    expire(system, "ReplaysTable")
    assert seen(system) == set()


def test_a_block_goes_when_all_in_it_has_expired_and_what_has_expired_goes_from_it(system: System) -> None:
    acme = system.acme
    keep(system, 1)
    made(system, acme.web)
    pack(system)
    system.skip(2 * DAY)
    assert lifecycle(system, "rec/") == 1, "of the organization there is no recording any more"
    system.invoke("session_replays/compact_replays")
    assert manifest.read(acme.id) == []
    system.skip(600)
    system.invoke("session_replays/compact_replays")
    assert system.objects(prefix="blocks/") == {}
    short, long = made(system, acme.web), made(system, acme.shop)
    pack(system)
    system.skip(DAY)
    assert _rows(system) == {short, long}
    system.skip(compacting.LINGERS)
    system.invoke("session_replays/compact_replays")
    assert _rows(system) == {long}, "days later not a byte of it is there"
    _known.pop(short)
    assert seen(system) == {long}


def _rows(system: System) -> set[str]:
    from tapedeck.session_replays.blocks import locating

    opened = [block for kept in manifest.read(system.acme.id) if (block := locating.whole(kept))]
    return {block.row_id(row).hex() for block in opened for row in form.rows_of(block.full, block.rows)}


@pytest.mark.parametrize("days", [1, 30, None])
def test_who_appears_in_a_replay_is_known_for_longer_than_it_lives(system: System, days: int | None) -> None:
    """Also where its environment keeps for longer since, and nobody has been named again; an erasure finds what TTL has left there."""
    keep(system, days)
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, 0, at=system.now, user={"id": ANN}))
    keep(system, None)
    for number in range(1, 30):
        send(system, system.acme.web, envelopes.segment(replay_id, number, at=system.now, user=None))
        ends = {item["pk"]["S"][:2]: int(item["ttl"]["N"]) for item in system.items("ReplaysTable") if item["sk"]["S"] in ("M", replay_id)}
        assert ends["U#"] >= ends["R#"] + 7 * DAY, number
        system.skip(0.7 * DAY)


def test_a_person_is_known_by_what_is_visible_and_erased_from_all_of_it(system: System) -> None:
    keep(system, 1)
    made(system, system.acme.web)
    owner = system.acme.token("owner")
    url = user_url(system.acme.web, ANN)
    assert system.request("GET", url, token=owner).json()["data"]["sessionCount"] == 1
    system.skip(DAY)
    assert system.request("GET", url, token=owner).json()["data"]["sessionCount"] == 0
    assert system.request("GET", url + "/sessions", token=owner).json()["data"] == []
    assert erased(system, ANN)["counts"]["sessions"] == 1, "TTL has not come by yet"
