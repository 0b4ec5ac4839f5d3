"""POST /api/bucket/{id}/data/events: the description's retrieve, decision 19, contract §4.4."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck import clock
from tests.harness import System
from tests.harness.agent import events, noise, put, record, retrieve


def test_an_event_has_the_members_of_decision_19(system: System) -> None:
    at = system.now - 60
    [event_id] = put(system, system.acme, record("paid", at=at, amount=4.20, nested={"a": [1, None]}))
    assert events(system, system.acme, "paid") == [
        {
            "_id": event_id,
            "name": "paid",
            "event_name": "paid",
            "app_name": "shop",
            "server_name": "web-1",
            "at": clock.iso(at).replace("+00:00", ".000Z"),
            "timestamp": int(at * 1000),
            "data": {"amount": 4.2, "nested": {"a": [1, None]}},
            "process": {"name": "shop", "server": "web-1", "pm_id": 0, "rev": None},
        }
    ]


def test_filters_are_anded(system: System) -> None:
    for app in ("shop", "api"):
        for server in ("a", "b"):
            put(system, system.acme, record("paid", app=app, server=server), record("left", app=app, server=server))
    assert len(events(system, system.acme, "paid")) == 4
    assert len(events(system, system.acme, "paid", app_name="shop")) == 2
    assert len(events(system, system.acme, "paid", app_name="shop", server_name="b")) == 1
    assert events(system, system.acme, "paid", app_name="nobody") == []
    assert events(system, system.acme, "unknown") == []


def test_pages_cover_all_once_through_many_chunks(system: System) -> None:
    for n in range(12):
        put(system, system.acme, *(record("paid" if m % 3 else "left", n=n * 10 + m) for m in range(10)))
    whole = events(system, system.acme, "paid", limit=1000)
    paged = [event for offset in range(0, 90, 7) for event in events(system, system.acme, "paid", limit=7, offset=offset)]
    assert paged == whole
    assert [event["data"]["n"] for event in whole] == sorted((n for n in range(120) if n % 10 % 3), reverse=True)


def test_a_window_is_of_event_times(system: System) -> None:
    """Decision 23: a client's `at` is the event's time in the bucket."""
    for back in (10, 100, 1000):
        put(system, system.acme, record("paid", at=system.now - back, back=back))
    start, end = clock.iso(system.now - 500), clock.iso(system.now - 50)
    assert [event["data"]["back"] for event in events(system, system.acme, "paid", start=start, end=end)] == [100]
    assert [event["data"]["back"] for event in events(system, system.acme, "paid", start=int((system.now - 500) * 1000))] == [100, 10]


@pytest.mark.parametrize("limit", [7, "7"])
def test_numbers_may_be_texts(system: System, limit: Any) -> None:
    put(system, system.acme, *(record(n=n) for n in range(10)))
    assert len(events(system, system.acme, "paid", limit=limit, offset="1")) == 7


@pytest.mark.parametrize(
    "asked",
    [
        {"event_name": ""},
        {"event_name": None},
        {"event_name": 5},
        {"limit": 0},
        {"limit": 1001},
        {"limit": "x"},
        {"limit": 1.5},
        {"offset": -1},
        {"offset": True},
        {"app_name": 5},
        {"start": "yesterday"},
        {"start": 5, "end": 4},
    ],
)
def test_invalid_parameters_are_a_400_with_a_msg(system: System, asked: dict[str, Any]) -> None:
    answer = system.request(
        "POST",
        f"/api/bucket/{system.acme.web.bucket_id}/data/events",
        json={"event_name": "paid", **asked},
        token=system.acme.token("member"),
    )
    assert (answer.status, list(answer.json())) == (400, ["msg"])


def test_a_deep_page_opens_only_the_chunks_that_hold_it(system: System) -> None:
    for n in range(20):
        put(system, system.acme, *(record(n=n, text=noise(n * 50 + m)) for m in range(50)))
    with system.cloud.watch() as calls:
        assert len(events(system, system.acme, "paid", limit=10, offset=945)) == 10
    assert [call.operation for call in calls if call.service == "s3"] == ["GetObject", "GetObject"]
    assert sum(call.service == "dynamodb" for call in calls) == 1


def test_a_page_of_heavy_events_ends_before_lambdas_limit_and_goes_on_by_offset(system: System) -> None:
    for n in range(9):
        put(system, system.acme, record(n=n, text=noise(n, 900_000)))
    seen: list[int] = []
    while page := events(system, system.acme, "paid", offset=len(seen)):
        assert len(page) < 9
        seen += [event["data"]["n"] for event in page]
    assert seen == list(range(8, -1, -1))


def test_an_outsider_may_not_look(system: System) -> None:
    assert retrieve(system, system.acme, "paid", by="outsider").status == 403
