"""POST /api/bucket/{id}/data/events/stats: the description's retrieveHistogram, contract §4.4."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import System
from tests.harness.agent import events, histogram, noise, put, record

MINUTE = 60_000


def test_points_are_aligned_ascending_and_without_gaps(system: System) -> None:
    minute = int(system.now) // 60 * 60
    for at, count in ((minute - 300, 2), (minute - 120, 1)):
        put(system, system.acme, *(record("paid", at=at + n, n=n) for n in range(count)))
    points = histogram(system, system.acme, "paid").json()
    first = (minute - 300) * 1000
    assert points == [[first, 2], [first + MINUTE, 0], [first + 2 * MINUTE, 0], [first + 3 * MINUTE, 1]]
    assert histogram(system, system.acme, "unknown").json() == []


@pytest.mark.parametrize("interval", ["second", "minute", "hour", "day", "week", "month", "5m", "30s", "6h", "2d"])
def test_every_interval_sums_to_what_retrieve_answers(system: System, interval: str) -> None:
    for back in (5, 65, 700, 4000):
        put(system, system.acme, record("paid", at=system.now - back, back=back), record("left", at=system.now - back))
    points = histogram(system, system.acme, "paid", interval=interval, days=2).json()
    assert sum(count for _, count in points) == len(events(system, system.acme, "paid")) == 4
    assert [start for start, _ in points] == sorted(start for start, _ in points)


def test_days_bound_the_window_and_filters_are_anded(system: System) -> None:
    for days, app in ((0.5, "shop"), (1.5, "shop"), (1.5, "api"), (5, "shop")):
        put(system, system.acme, record("paid", app=app, at=system.now - days * 86400, days=days))

    def total(**asked: Any) -> int:
        return sum(count for _, count in histogram(system, system.acme, "paid", interval="hour", **asked).json())

    assert (total(), total(days=1), total(days="7"), total(app_name="api")) == (3, 1, 4, 1)


@pytest.mark.parametrize(
    "asked",
    [{"interval": "fortnight"}, {"interval": "0m"}, {"interval": 5}, {"days": 0}, {"days": -1}, {"days": 91}, {"days": "x"}, {"event_name": ""}],
)
def test_invalid_parameters_are_a_400_with_a_msg(system: System, asked: dict[str, Any]) -> None:
    answer = histogram(system, system.acme, asked.pop("event_name", "paid"), **asked)
    assert (answer.status, list(answer.json())) == (400, ["msg"])


def test_more_points_than_a_chart_can_show_are_a_400_with_the_number(system: System) -> None:
    for days in (0, 60):
        put(system, system.acme, record("paid", at=system.now - days * 86400, days=days))
    answer = histogram(system, system.acme, "paid", days=90, interval="minute")
    assert answer.status == 400
    assert "20" in answer.json()["msg"]


def test_it_is_one_query(system: System) -> None:
    put(system, system.acme, *(record(n=n, text=noise(n)) for n in range(300)))
    histogram(system, system.acme, "paid")
    with system.cloud.watch() as calls:
        assert histogram(system, system.acme, "paid").status == 200
    assert [call.operation for call in calls] == ["Query"]
