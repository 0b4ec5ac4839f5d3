"""Events expire at the end of a day, as S3's lifecycle rounds: nobody sees them from that second on, whatever has been deleted by then."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest

from tapedeck import retention
from tapedeck.environments import store as environments
from tapedeck.event_replays import feeding
from tapedeck.event_replays.model import Progress
from tapedeck.events import collections, compacting, lucene, spans, store
from tests.captures.test_create_capture import running, shown
from tests.captures.test_stop_capture import stop
from tests.deletion_jobs.asking import erased
from tests.harness import KINDS, Killed, System, agent
from tests.harness.agent import events, noise, put, record
from tests.harness.cloud import Kind
from tests.harness.keeping import DAY, expire, keep, lifecycle, midnight, tags, until


def searched(system: System, collection_id: str | None = None) -> int:
    """How many events a search of a collection (web's own) finds."""
    url = f"/v1/collection/{collection_id or system.acme.web.collection_id}/search"
    answer = system.request("POST", url, json={"query": "*"}, token=system.acme.token("member"))
    assert answer.status == 200, answer
    total: int = answer.json()["total"]
    return total


def tailed(system: System) -> list[Any]:
    url = agent.bucket_url(system.acme.web, "/data/events/tail")
    answer = system.request("GET", url, query={"after": "0", "limit": "1000"}, token=system.acme.token("member"))
    assert answer.status == 200, answer
    found: list[Any] = answer.json()["events"]
    return found


def sent(system: System) -> int:
    """How many events a replay of the bucket would send."""
    owner = system.acme.token("owner")
    to = system.request("POST", "/v1/destination", json={"name": f"d{next(_numbers)}", "type": "listen", "metadata": {}}, token=owner).json()["id"]
    asked = {"name": "r", "type": "single", "query": "*", "collection_id": system.acme.web.collection_id, "destination_id": to}
    answer = system.request("POST", "/v1/replay", query={"dry_run": "true"}, json=asked, token=owner)
    assert answer.status == 200, answer
    matched: int = answer.json()["matched"]
    return matched


_numbers = itertools.count()


def seen(system: System) -> set[int]:
    """How many events each reader sees: all of them must agree. A histogram reaches back for 90 days: those behind that it cannot tell."""
    named = sum(1 for app in agent.keys(system, system.acme) for name in app["events"] if name == "paid")
    found = len(events(system, system.acme, "paid", limit=1000))
    assert bool(found) == bool(named)
    told = {found, searched(system), len(tailed(system)), sent(system)}
    first = min((int(item["received"]["N"]) for item in rows(system)), default=0)
    if first >= (system.now - 90 * DAY) * 1000:
        told.add(sum(count for _, count in agent.histogram(system, system.acme, "paid", days=90, interval="day").json()))
    return told


def rows(system: System) -> list[dict[str, Any]]:
    return [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#") and item["pk"]["S"].startswith("C#")]


def compact(system: System) -> None:
    system.invoke("bucket_events/merge_chunks")


@pytest.mark.parametrize("own", [None, 1, 7, 90])
@pytest.mark.parametrize("large", [False, True])
def test_every_reader_sees_an_event_until_the_midnight_after_its_days(system: System, own: int | None, large: bool) -> None:
    keep(system, own)
    for n in range(3):
        put(system, system.acme, record("paid", n=n, text=noise(n, 30_000) if large else ""))
    assert tags(system, "ev/") == ([None if own in (None, 90) else str(own)] * 3 if large else [])
    end = midnight(system, own or 90)
    until(system, end - 0.001)
    assert lifecycle(system, "ev/") == 0
    assert seen(system) == {3}
    until(system, end)
    assert seen(system) == {0}
    assert lifecycle(system, "ev/") == 3 * large
    assert seen(system) == {0}
    put(system, system.acme, record("paid", late=True))
    assert seen(system) == {1}
    compact(system)
    assert len(rows(system)) == 1, "the compactor takes what TTL has not"
    assert store.head_of(store.CollectionId(system.acme.id, system.acme.web.collection_id)).next == 4, "numbers stay as they are"


def test_a_day_expires_by_itself(system: System) -> None:
    keep(system, 3)
    put(system, system.acme, *(record("paid", n=n) for n in range(4)))
    first = midnight(system, 3)
    until(system, midnight(system, 0) - 0.001)
    put(system, system.acme, record("paid", last="second of the day"))
    system.skip(0.001)
    put(system, system.acme, record("paid", first="of the next"), record("paid"))
    until(system, first - 0.001)
    assert seen(system) == {7}
    system.skip(0.001)
    assert seen(system) == {2}
    system.skip(DAY)
    assert seen(system) == {0}


def test_a_shorter_period_hides_and_a_longer_one_brings_nothing_back(system: System) -> None:
    """Within a minute: for so long a container remembers the directory."""
    put(system, system.acme, record("paid", n=1))
    system.skip(2 * DAY)
    put(system, system.acme, record("paid", n=2))
    assert seen(system) == {2}
    url = f"/api/environments/{system.acme.web.env_id}"
    assert system.request("PUT", url, json={"retentionDays": 1}, token=system.acme.token("owner")).status == 200
    system.skip(60)
    assert seen(system) == {1}
    put(system, system.acme, record("paid", n=3))
    keep(system, None)
    assert seen(system) == {3}, "what was stored for longer had only been hidden"
    until(system, midnight(system, 1))
    assert seen(system) == {2}, "the third was stored for a day"
    keep(system, 30)
    assert seen(system) == {2}


def test_a_collection_of_ones_own_is_kept_as_its_environment_keeps(system: System) -> None:
    keep(system, 1)
    made = system.request("POST", "/v1/collection", json={"name": "orders"}, token=system.acme.token("owner")).json()
    assert agent.collect(system, made["token"], {"pad": noise(1, 40_000)}).status == 200
    assert tags(system, "ev/") == ["1"]
    until(system, midnight(system, 1) - 0.001)
    assert searched(system, made["id"]) == 1
    system.skip(0.001)
    assert searched(system, made["id"]) == 0


def test_chunks_of_two_days_are_never_merged_and_those_of_a_day_that_is_over_are_made_one(system: System) -> None:
    keep(system, 7)
    ends = []
    for day in range(3):
        for n in range(11):
            put(system, system.acme, record("paid", n=n, day=day, text=noise(n, 3_000)))
        ends.append(midnight(system, 7))
        compact(system)
        system.skip(DAY)
    put(system, system.acme, record("paid"))
    while system.invoke("bucket_events/merge_chunks")["merged"]:
        pass
    there = sorted(rows(system), key=lambda item: item["sk"]["S"])
    assert [int(item["n"]["N"]) for item in there] == [11, 11, 11, 1]
    assert [int(item["ttl"]["N"]) for item in there[:3]] == ends, "merging prolongs nothing"
    assert seen(system) == {34}
    for left, end in zip((22, 11, 0), ends, strict=True):
        until(system, end - 0.001)
        assert lifecycle(system, "ev/") == 0, "no body goes before its chunk"
        system.skip(0.001)
        assert seen(system) == {left + 1}
        assert lifecycle(system, "ev/") == 1


def test_what_is_written_again_late_goes_no_later(system: System) -> None:
    """The tag of a body counts from when it is put: it is of the shortest class that is long enough for what is left."""
    keep(system, 30)
    put(system, system.acme, {**record("paid", text=noise(1, 30_000)), "user": "ann"}, record("paid", text=noise(2, 30_000)))
    end = midnight(system, 30)
    assert tags(system, "ev/") == ["30"]
    system.skip(25 * DAY)
    assert erased(system, "ann")["counts"]["events"] == 1
    assert tags(system, "ev/") == ["7"]
    assert {int(item["ttl"]["N"]) for item in rows(system)} == {end}
    until(system, end - 0.001)
    assert lifecycle(system, "ev/") == 0
    assert seen(system) == {1}
    system.skip(0.001)
    assert seen(system) == {0}


def test_environments_that_changed_their_minds_leave_holes_that_nobody_falls_into(system: System) -> None:
    """Chunks expire, and TTL deletes, in any order: numbers that no chunk has are passed by every reader, at any moment."""
    for n, days in enumerate((None, 1, None, 3, 1, None)):
        keep(system, days)
        put(system, system.acme, record("paid", n=n, text=noise(n, 30_000)), record("paid"))
    keep(system, None)
    assert seen(system) == {12}
    until(system, midnight(system, 1))
    assert seen(system) == {8}
    lifecycle(system, "ev/")
    assert seen(system) == {8}
    assert expire(system, "EventsTable", of="000000000008") == 1, "one of the two"
    assert seen(system) == {8}
    put(system, system.acme, record("paid"))
    compact(system)
    assert seen(system) == {9}
    until(system, midnight(system, 1))
    assert seen(system) == {7}
    expire(system, "EventsTable")
    assert seen(system) == {7}
    for n in range(9):
        put(system, system.acme, record("paid", n=n))
    compact(system)
    assert seen(system) == {16}


def test_a_reader_that_a_merge_overtakes_beside_a_hole_reads_again(system: System) -> None:
    for m, days in enumerate((None, 1, None)):
        keep(system, days)
        for n in range(9):
            put(system, system.acme, record("paid", n=n, m=m, text=noise(n, 20_000)))
    until(system, midnight(system, 1))
    compact(system)
    keep(system, None)
    for ask, k in itertools.product((lambda: len(events(system, system.acme, "paid", limit=1000)), lambda: searched(system)), range(0, 14, 2)):
        for n in range(9):
            put(system, system.acme, record("paid", at=system.now, n=n, k=next(_numbers), text=noise(n, 20_000)))
        before = ask()
        with system.cloud.between(k, lambda: compact(system)):
            assert ask() == before, k


def test_erasure_passes_what_has_expired_whether_its_body_is_there_or_not(system: System) -> None:
    keep(system, 1)
    for n in range(3):
        put(system, system.acme, {**record("paid", n=n, text=noise(n, 30_000)), "user": "ann"}, record("paid"))
    until(system, midnight(system, 1))
    first, *others = system.objects(prefix="ev/")
    for key in others:
        system.client("s3").delete_object(Bucket=system.template.physical_id("RecordingsBucket"), Key=key)
    assert erased(system, "ann")["counts"]["events"] == 1, "the one whose body is there still goes"
    assert first not in system.objects(prefix="ev/")
    put(system, system.acme, record("paid"))
    assert seen(system) == {1}


def test_a_capture_goes_on_with_what_is_left(system: System) -> None:
    keep(system, 3)
    capture = running(system)
    collection = shown(system, capture)["collectionId"]
    put(system, system.acme, *(record("paid", n=n, text=noise(n, 30_000)) for n in range(3)))
    first = midnight(system, 3)
    system.skip(DAY)
    put(system, system.acme, record("paid"), record("paid"))
    stop(system, capture)
    until(system, first - 0.001)
    assert searched(system, collection) == 5
    system.skip(0.001)
    lifecycle(system, "ev/")
    assert searched(system, collection) == 2


def test_a_body_that_was_put_before_midnight_and_committed_after_it_is_never_missed(system: System) -> None:
    """S3 counts from the put."""
    keep(system, 1)
    until(system, midnight(system, 0) - 0.5)
    with system.cloud.between(3, lambda: system.skip(1)):
        put(system, system.acme, record("paid", text=noise(1, 30_000)))
    [row] = rows(system)
    while system.now < int(row["ttl"]["N"]) + DAY:
        lifecycle(system, "ev/")
        assert seen(system) in ({0}, {1})
        system.skip(DAY / 4)
    assert seen(system) == {0}


@pytest.mark.parametrize("kind", KINDS)
def test_a_compactor_that_dies_anywhere_shows_nothing_that_has_expired(system: System, kind: Kind) -> None:
    keep(system, 1)
    for n in range(9):
        put(system, system.acme, record("paid", n=n, text=noise(n, 20_000)))
    until(system, midnight(system, 1))
    for n in range(8):
        put(system, system.acme, record("paid", n=n))
    for k in itertools.count():
        with system.cloud.fault(kind, k) as fault, suppress(Killed, Exception):
            compact(system)
        assert len(events(system, system.acme, "paid", limit=1000)) == searched(system) == 8, k
        if not fault.happened:
            break
    assert len(rows(system)) == 1
    assert system.objects(prefix="ev/") == {}


def test_a_replay_passes_what_has_expired_and_sends_what_is_left(system: System) -> None:
    keep(system, 1)
    put(system, system.acme, *(record("paid", n=n, text=noise(n, 30_000)) for n in range(3)))
    system.skip(DAY)
    put(system, system.acme, record("late"), record("late"))
    until(system, midnight(system, 0))
    assert lifecycle(system, "ev/") == 1
    organization = environments.organization(system.acme.id)
    assert organization
    span = collections.span(organization, collections.default(organization.environments[0]))
    query = lucene.compile("*", team_id=organization.team_id, collection="web")
    for position in (0, 2, 3, 4):
        places = list(feeding.places(span, query, Progress(position), spans.end_of(span)))
        assert [place.event.name for place in places if place.event] == ["late"] * (5 - max(position, 3))
        assert sum(place.covers for place in places) == 5 - max(position, 3), "what is gone is not counted as looked at"
        assert places[-1].end == 5
    system.skip(DAY)
    assert [(place.end, place.covers) for place in feeding.places(span, query, Progress(0), 5)] == [(5, 0)]


def test_days_that_are_over_cost_one_chunk_each() -> None:
    """On paper: what a day has left becomes one, as far as it fits."""
    sizes = (10, 100, compacting.FULL - 50, 3, 70_000, 1, 1)
    first, there = 0, []
    for count in sizes:
        there.append(store.Chunk(0, first, count, 5 * DAY * 1000, 5 * DAY * 1000, 1, b"", b"", expires=10 * DAY))
        first += count
    runs = []
    while run := compacting._run(there, 6):
        at = there.index(run[0])
        runs.append(len(run))
        merged = store.Chunk(0, run[0].first, sum(each.count for each in run), 5 * DAY * 1000, 5 * DAY * 1000, 1, b"", b"", expires=10 * DAY)
        there[at : at + len(run)] = [merged]
    assert [chunk.count for chunk in there] == [110, compacting.FULL - 47, 70_000, 2]
    assert not compacting._run(there, 5), "today's are left to their tiers"


@pytest.mark.parametrize(("needed", "tag"), [(0, 1), (1, 1), (2, 3), (7, 7), (8, 14), (60, 60), (61, None), (90, None), (400, None)])
def test_an_objects_class_is_the_shortest_that_is_long_enough(monkeypatch: pytest.MonkeyPatch, needed: int, tag: int | None) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "90")
    assert retention.tag(needed) == tag
