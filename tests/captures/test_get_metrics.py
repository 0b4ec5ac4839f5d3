"""GET /api/captures/{id}/metrics: contract §2.2."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tapedeck.captures.model import SETTLES, Status
from tapedeck.captures.shapes import Metrics
from tapedeck.environments import store as environments
from tests.captures.test_create_capture import CAPTURES, at, created, read, running, shown
from tests.captures.test_stop_capture import force, stop
from tests.harness import System
from tests.harness.agent import collect, ingest, put, record

TYPES = ["EVENTS IN", "BYTES IN", "ERRORS", "LATENCY"]
DATABASE = ["CPU UTILIZATION", "READ IOPS", "WRITE IOPS", "FREEABLE MEMORY", "FREE STORAGE", "READ THROUGHPUT", "WRITE THROUGHPUT"]


def publish(system: System, name: str, *values: float, space: str = "Tapedeck", ago: float = 0, **dimensions: str) -> None:
    """Let CloudWatch know values of a metric of acme/web."""
    named = dimensions or {"service": "tapedeck", "Environment": str(system.acme.web.env_id)}
    system.client("cloudwatch").put_metric_data(
        Namespace=space,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": value} for key, value in named.items()],
                "Timestamp": datetime.fromtimestamp(system.now - ago, UTC),
                "Value": value,
            }
            for value in values
        ],
    )


def measured(system: System, capture_id: int, **query: Any) -> Any:
    """The metrics of a capture, which must have their shape."""
    answer = read(system, capture_id, "/metrics", **query)
    assert answer.status == 200, answer
    Metrics.model_validate(answer.json())
    return answer.json()


def test_they_are_live_while_it_runs(system: System) -> None:
    """§2.2: without a type an array of lists; counts and bytes are sums of a minute, latency is its maximum."""
    made = running(system)
    publish(system, "EventsIn", 7, ago=3600)
    publish(system, "EventsIn", 99, service="tapedeck", Environment=str(system.acme.shop.env_id))
    publish(system, "EventsIn", 1, 2)
    publish(system, "Latency", 5, 4)
    system.skip(60)
    publish(system, "EventsIn", 4)
    first, second = at(system, -60), at(system)
    system.skip(30)
    found = measured(system, made)
    assert [each["type"] for each in found] == TYPES
    assert found[0] == {
        "label": "EventsIn",
        "type": "EVENTS IN",
        "displayName": "Events In",
        "complete": False,
        "dataPoints": [{"Timestamp": first, "Maximum": 3, "Unit": "Count"}, {"Timestamp": second, "Maximum": 4, "Unit": "Count"}],
    }
    assert found[3]["dataPoints"] == [{"Timestamp": first, "Maximum": 5, "Unit": "Milliseconds"}]
    assert found[1]["dataPoints"] == found[2]["dataPoints"] == []


@pytest.mark.parametrize("asked", ["events in", "EVENTS IN", "Events In"])
def test_one_type_in_any_case(system: System, asked: str) -> None:
    """§2.2: with a type one list."""
    made = running(system)
    assert measured(system, made, type=asked) == measured(system, made)[0]


@pytest.mark.parametrize("asked", ["EVENTS", "cpu", "%", "x" * 1000])
def test_a_type_that_there_is_not_is_a_400(system: System, asked: str) -> None:
    answer = read(system, running(system), "/metrics", type=asked)
    assert (answer.status, [failure["path"] for failure in answer.json()]) == (400, [["type"]])


@pytest.mark.parametrize("status", ["SCHEDULED", "STARTED", "STARTING", "FAILED"])
def test_there_are_none_before_it_runs_and_when_it_has_failed(system: System, status: Status) -> None:
    """§2.2: 409 unless RUNNING, STOPPING or DONE."""
    made = created(system)["id"]
    force(system, made, status)
    answer = read(system, made, "/metrics")
    assert answer.status == 409
    assert answer.json()["code"] == 409


def test_of_a_database_when_the_environment_names_one(system: System) -> None:
    """§2.2: the seven of AWS/RDS; freeable memory in megabytes."""
    made = running(system)
    assert measured(system, made, type="cpu utilization")["dataPoints"] == []
    web = system.acme.web
    item = next(item for item in system.items("ControlTable") if item["sk"]["S"] == f"ENV#{web.env_id:010d}")
    row = {**json.loads(item["d"]["B"]), "database_instance": "orders"}
    item["d"] = {"B": json.dumps(row).encode()}
    system.client("dynamodb").put_item(TableName=system.template.physical_id("ControlTable"), Item=item)
    organization = environments.organization(system.acme.id)
    assert organization
    assert organization.environments[0].database_instance == "orders"
    publish(system, "CPUUtilization", 12.5, 50, space="AWS/RDS", DBInstanceIdentifier="orders")
    publish(system, "FreeableMemory", 512_000_000, space="AWS/RDS", DBInstanceIdentifier="orders")
    system.skip(60)
    with system.cloud.watch() as calls:
        found = {each["type"]: each for each in measured(system, made)}
    assert list(found) == [*TYPES, *DATABASE]
    assert [(point["Maximum"], point["Unit"]) for point in found["CPU UTILIZATION"]["dataPoints"]] == [(50, "Percent")]
    assert [(point["Maximum"], point["Unit"]) for point in found["FREEABLE MEMORY"]["dataPoints"]] == [(512, "Megabytes")]
    assert [call.operation for call in calls].count("GetMetricData") == 1, "one question, however many metrics"


def test_they_are_kept_when_it_stops_and_taken_again_when_cloudwatch_knows_all(system: System) -> None:
    """§2.2: metrics come late. What was taken at once is not complete; three minutes later it is taken once more, and then never."""
    made = running(system)
    publish(system, "EventsIn", 1)
    system.skip(120)
    stop(system, made)
    system.drain()
    kept = measured(system, made)
    assert {each["complete"] for each in kept} == {False}
    publish(system, "EventsIn", 5, ago=60)
    assert measured(system, made) == kept, "it is what was kept"
    system.advance(SETTLES / 1000 + 300 + 60)
    system.drain()
    settled = measured(system, made)
    assert {each["complete"] for each in settled} == {True}
    assert [point["Maximum"] for point in settled[0]["dataPoints"]] == [1, 5]
    publish(system, "EventsIn", 9, ago=600)
    with system.cloud.watch() as calls:
        for _ in range(3):
            system.advance(300)
            system.drain()
    assert "GetMetricData" not in [call.operation for call in calls]
    assert measured(system, made) == settled
    assert list(system.objects(prefix="captures/")) == [f"captures/{system.acme.id}/{made}/metrics.json"]


def test_those_of_a_capture_that_stopped_late_are_complete_at_once(system: System) -> None:
    made = running(system, duration=60)
    system.skip(60 + SETTLES / 1000)
    system.drain()
    system.invoke("captures/sweep_captures")
    system.drain()
    assert {each["complete"] for each in measured(system, made)} == {True}


def test_a_capture_is_done_without_them(system: System) -> None:
    """Metrics are no reason to fail: they are taken when CloudWatch answers again, and shown live until then."""
    made = running(system)
    stop(system, made)
    with system.cloud.watch() as calls:
        system.drain()
    at_fault = [call.operation for call in calls].index("GetMetricData")
    made = running(system, name="another")
    publish(system, "EventsIn", 1)
    system.skip(60)
    stop(system, made)
    with system.cloud.fault("refused", at_fault):
        system.drain()
    assert shown(system, made)["status"] == "DONE"
    assert system.objects(prefix=f"captures/{system.acme.id}/{made}/") == {}
    assert [point["Maximum"] for point in measured(system, made)[0]["dataPoints"]] == [1]
    system.advance(SETTLES / 1000 + 600)
    system.drain()
    assert {each["complete"] for each in measured(system, made)} == {True}


@pytest.mark.parametrize(("days", "period", "points"), [(0.5, 60, 720), (1, 60, 1440), (2, 300, 576), (30, 3600, 720)])
def test_the_period_grows_with_the_window(system: System, days: float, period: int, points: int) -> None:
    made = running(system)
    system.skip(days * 86400)
    publish(system, "EventsIn", 1, ago=1)
    with system.cloud.watch() as calls:
        found = measured(system, made, type="EVENTS IN")
    [asked] = [call.params for call in calls if call.operation == "GetMetricData"]
    assert {query["MetricStat"]["Period"] for query in asked["MetricDataQueries"]} == {period}
    assert (asked["EndTime"] - asked["StartTime"]).total_seconds() / period == points
    assert sum(point["Maximum"] for point in found["dataPoints"]) == 1


@pytest.mark.parametrize(("days", "period"), [(1, 60), (14, 60), (16, 300), (64, 3600)])
def test_the_period_grows_with_age(system: System, days: int, period: int) -> None:
    """CloudWatch refuses to tell of minutes that it keeps no more: of a capture whose metrics could not be kept, it is asked for longer ones."""
    made = running(system)
    stop(system, made)
    system.drain()
    system.client("s3").delete_object(
        Bucket=system.template.physical_id("RecordingsBucket"), Key=f"captures/{system.acme.id}/{made}/metrics.json"
    )
    system.skip(days * 86400)
    with system.cloud.watch() as calls:
        measured(system, made)
    [asked] = [call.params for call in calls if call.operation == "GetMetricData"]
    assert {query["MetricStat"]["Period"] for query in asked["MetricDataQueries"]} == {period}


def test_what_the_ways_in_publish_is_what_is_shown(system: System) -> None:
    """`api.metering` writes the numbers, `captures.metrics` reads them: of what is sent to the bucket and to the collection."""
    made, web = running(system), system.acme.web
    put(system, system.acme, record("paid"), record("paid"))
    collect(system, web.collection_token, b'{"type":"paid"}')
    assert ingest(system, system.acme, b"nonsense").status == 400
    put(system, system.acme, record("paid"), to=system.acme.shop)
    system.skip(60)
    shown = {each["type"]: sum(point["Maximum"] for point in each["dataPoints"]) for each in measured(system, made)}
    assert (shown["EVENTS IN"], shown["ERRORS"]) == (3, 1)
    assert shown["BYTES IN"] > 100
    assert shown["LATENCY"] > 0


def test_named_in_the_query_and_for_members_only(system: System) -> None:
    """Decision 14."""
    made = running(system)
    answer = system.request("GET", f"{CAPTURES}/metrics", token=system.acme.token("member"), query={"id": made})
    assert answer.json() == measured(system, made)
    assert read(system, made, "/metrics", by="outsider").status == 403
    assert read(system, 99, "/metrics").status == 404
