"""Searches through the door: what a query finds, every sort, pages, and what is refused (contract §2, §3, §8)."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck import clock
from tests.harness import System, envelopes
from tests.harness.sdk import index, record, replay_url, send


def found(system: System, query: str, *, by: str = "member", **parameters: Any) -> list[str]:
    """The ids that a query finds."""
    answer = index(system, system.acme, by=by, query=query, **parameters)
    assert answer.status == 200, answer
    return [row["id"] for row in answer.json()["data"]]


def refused(system: System, **parameters: Any) -> str:
    """The words of a 400."""
    answer = index(system, system.acme, **parameters)
    assert answer.status == 400, answer
    return str(answer.json()["detail"])


def test_a_query_asks_everything_that_a_replay_shows(system: System) -> None:
    at = system.now - 60
    wanted = record(
        system,
        system.acme.web,
        segments=2,
        at=at,
        started=at - 17,
        user={"id": 123, "email": "ann@example.com", "ip_address": "127.0.0.1"},
        tags={"plan": "free"},
        release="shop@1.4",
        urls=["https://shop.example/checkout"],
        events=[envelopes.slow_click(4, at=at - 5, clicks=5, id="buy", **{"class": "primary big"})],
    )
    send(system, system.acme.web, envelopes.error_event(wanted, event_id="e" * 32, at=at - 1))
    record(system, system.acme.web, user={"id": "other"}, urls=["/"])
    for query in (
        "count_errors:1",
        "duration:17s",
        "duration:>16s duration:<1m",
        "user.id:123",
        "user.email:*@example.com",
        "user.ip:127.0.0.1",
        "plan:free",
        "tags[plan]:free",
        "release:shop@1.4",
        "url:*checkout*",
        "click.id:buy",
        "rage.selector:button#buy.primary",
        "count_rage_clicks:1",
        f"error_id:{'e' * 32}",
        f"id:{wanted}",
        f"id:{wanted[:8]}-{wanted[8:12]}-{wanted[12:16]}-{wanted[16:20]}-{wanted[20:]}",
        "has:plan",
        "!user.id:other",
        "activity:>=3",
        "(user.id:nobody OR user.id:123) AND !plan:paid",
        "user.id:[123, 456]",
        "user.id:\uf00dStartsWith\uf00d12",
        "count_urls:2 or count_urls:1k count_errors:0",
    ):
        assert found(system, query) == [wanted], query


def test_a_condition_holds_when_any_segment_meets_it(system: System) -> None:
    """§2.4; case 41."""
    replay_id = record(system, system.acme.web, urls=["apple"], user=None)
    record(system, system.acme.web, segments=2, replay_id=replay_id, urls=["microsoft"], user={"id": "late"})
    assert found(system, "urls:apple urls:microsoft user.id:late") == [replay_id]
    assert found(system, "!urls:Micro*") == []


def test_case_46_who_has_watched(system: System) -> None:
    replay_id = record(system, system.acme.web)
    system.request("POST", replay_url(system.acme, system.acme.web, replay_id, "viewed-by/"), token=system.acme.token("member"))
    me = system.acme.users["member"].id
    for query in ("viewed_by_me:true", "seen_by_me:true", f"viewed_by_id:{me}"):
        assert found(system, query) == [replay_id]
    assert found(system, "viewed_by_me:true", by="admin") == found(system, "viewed_by_me:false") == []
    assert refused(system, query="viewed_by_me:potato")
    assert refused(system, query="!viewed_by_me:true")


def test_case_45_deleted_replays_are_found_by_that(system: System) -> None:
    gone, there = record(system, system.acme.web), record(system, system.acme.web)
    system.request("DELETE", replay_url(system.acme, system.acme.web, gone), token=system.acme.token("owner"))
    assert found(system, "is_archived:true") == found(system, "is_archived:1") == [gone]
    assert found(system, "is_archived:false") == [there]


def test_query_environment_project_and_period_must_all_hold(system: System) -> None:
    wanted = record(system, system.acme.web, tags={"a": "1"}, environment="staging")
    record(system, system.acme.web, tags={"a": "1"}, environment="production")
    record(system, system.acme.web, tags={"a": "2"}, environment="staging")
    record(system, system.acme.shop, tags={"a": "1"}, environment="staging")
    record(system, system.acme.web, tags={"a": "1"}, environment="staging", at=system.now - 2 * 86400)
    where = {"environment": "staging", "project": system.acme.web.project_id, "statsPeriod": "1d", "queryReferrer": "issueReplays"}
    assert found(system, "a:1", **where) == [wanted]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("count_errors:abc", "count_errors: Invalid number: abc. Expected number then optional k, m, or b suffix (e.g. 500k)."),
        ("duration:7.3s", "Replays only supports second-resolution timestamps at this time. Try 'Ns' instead."),
        ("id:nonsense", "Could not parse value for `id`. Detail: Failed to parse uuid."),
        ("user.ip:127.256.0.1", "Could not parse value for `user.ip`. Detail: Invalid IPv4"),
        ("is_archived:maybe", "Invalid boolean: maybe. Expected true, 1, false, or 0."),
        ("user.id:", "Empty string after 'user.id:'"),
        ("(user.id:1", "Parse error at "),
        ("is:archived", '"is:" queries are not supported in this search.'),
        ('click.selector:"div > button"', "Nested selectors are not supported."),
        ("click.selector:a::visited", "Pseudo-elements are not supported."),
    ],
)
def test_what_is_no_query_is_a_400_in_the_contracts_words(system: System, query: str, words: str) -> None:
    record(system, system.acme.web)
    assert words in refused(system, query=query)


# --- Sorts --------------------------------------------------------------------------------------------------------------------------------

SORTED = [
    {"duration": 5, "count_errors": 2, "user.email": "b@x", "count_urls": 1, "browser.name": "Chrome"},
    {"duration": 50, "count_errors": 0, "user.email": "a@x", "count_urls": 3, "browser.name": "Chrome"},
    {"duration": 20, "count_errors": 1, "user.email": "c@x", "count_urls": 2, "browser.name": "Chrome"},
]


def library(system: System) -> list[str]:
    """Three replays that every sort puts in another order, newest first."""
    ids = []
    for back, spec in enumerate(SORTED):
        at = system.now - 5 - back
        replay_id = record(
            system,
            system.acme.web,
            at=at,
            started=at - spec["duration"],
            user={"email": spec["user.email"]},
            urls=[f"/{n}" for n in range(spec["count_urls"])],
        )
        for n in range(spec["count_errors"]):
            send(system, system.acme.web, envelopes.error_event(replay_id, event_id=f"{back}{n}" + "e" * 30, at=at))
        ids.append(replay_id)
    return ids


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("duration", [0, 2, 1]),
        ("count_errors", [1, 2, 0]),
        ("countErrors", [1, 2, 0]),
        ("user.email", [1, 0, 2]),
        ("count_urls", [0, 2, 1]),
        ("finished_at", [2, 1, 0]),
        ("finishedAt", [2, 1, 0]),
        ("startedAt", [1, 2, 0]),
        ("started_at", [1, 2, 0]),
        ("activity", [1, 2, 0]),
    ],
)
def test_case_19_both_directions_of_every_sort(system: System, sort: str, order: list[int]) -> None:
    ids = library(system)
    assert [ids.index(each) for each in found(system, "", sort=sort)] == order
    assert [ids.index(each) for each in found(system, "", sort=f"-{sort}")] == order[::-1]
    assert [ids.index(each) for each in found(system, "", sort="duration", sortBy=sort, orderBy="")] == order


def test_ties_are_in_the_order_of_start_and_id_and_pages_cover_all_once(system: System) -> None:
    ids = [record(system, system.acme.web, at=system.now - 5, started=system.now - 10 - n // 2) for n in range(8)]
    for sort in ("browser.name", "-count_errors", "project_id", "-platform"):
        pages = [each for offset in range(0, 9, 3) for each in found(system, "", sort=sort, limit=3, offset=offset)]
        assert sorted(pages) == sorted(ids)
        whole = found(system, "", sort=sort)
        assert pages == whole
        assert whole == found(system, "", sort="-started_at" if sort.startswith("-") else "started_at")


def test_pages_of_a_closed_period_are_the_same_while_sessions_are_recorded(system: System) -> None:
    web, end = system.acme.web, system.now
    ids = [record(system, web, at=end - 10 * back) for back in range(1, 7)]
    period = {"start": clock.iso(end - 3600), "end": clock.iso(end)}
    for sort in ("-started_at", "-duration"):
        pages: list[str] = []
        for offset in range(0, 6, 2):
            pages += found(system, "", sort=sort, limit=2, offset=offset, **period)
            system.skip(1)
            record(system, web, started=system.now)
        assert sorted(pages) == sorted(ids), sort


def test_a_long_list_is_searched_in_few_round_trips(system: System) -> None:
    for back in range(30):
        record(system, system.acme.web, at=system.now - 60 * back, tags={"n": str(back)})
    index(system, system.acme, query="n:29", sort="-duration")
    assert len(found(system, "n:29", sort="-duration")) == 1
    assert system.cloud.trips == 1
    assert len(found(system, "n:nobody")) == 0
    assert system.cloud.trips == 1
