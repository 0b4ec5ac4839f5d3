"""The metrics of a capture: what CloudWatch knows of its environment, while it runs; what it knew, when it is over.

A metric is a row of a table. Ours are published by whoever takes events (namespace Tapedeck, by environment); those of a database (AWS/RDS)
are there when the environment names its instance. The list has MyCRT's shape (contract §2.2), in which a point has one value and its name
is `Maximum`: of counts and bytes it is the sum of the period.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from tapedeck import aws, clock, objects
from tapedeck.captures import store
from tapedeck.captures.model import SETTLES, Capture
from tapedeck.environments import store as environments
from tapedeck.errors import Conflict, Invalid
from tapedeck.events.model import iso

_MINUTE = 60
_DAY = 86_400
# Seconds of a period, for windows up to so many seconds: at most 2016 points a metric in a month.
_PERIODS = ((_DAY, _MINUTE), (7 * _DAY, 300))
# And for windows that began up to so many seconds ago: CloudWatch keeps minutes for fifteen days, and answers about no others.
_KEPT = ((15 * _DAY, _MINUTE), (63 * _DAY, 300))
_LONGEST = 3600
_THERE = ("RUNNING", "STOPPING", "DONE")


@dataclass(frozen=True, slots=True)
class Kind:
    """A metric: CloudWatch's name, the contract's type, what is asked of a period, and the unit of a point: `divisor` of CloudWatch's."""

    label: str
    type: str
    display_name: str
    statistic: str
    unit: str
    divisor: float = 1.0


OWN = (
    Kind("EventsIn", "EVENTS IN", "Events In", "Sum", "Count"),
    Kind("BytesIn", "BYTES IN", "Bytes In", "Sum", "Bytes"),
    Kind("Errors", "ERRORS", "Errors", "Sum", "Count"),
    Kind("Latency", "LATENCY", "Latency", "Maximum", "Milliseconds"),
)
DATABASE = (
    Kind("CPUUtilization", "CPU UTILIZATION", "CPU Utilization", "Maximum", "Percent"),
    Kind("ReadIOPS", "READ IOPS", "Read IOPS", "Maximum", "Count/Second"),
    Kind("WriteIOPS", "WRITE IOPS", "Write IOPS", "Maximum", "Count/Second"),
    Kind("FreeableMemory", "FREEABLE MEMORY", "Freeable Memory", "Maximum", "Megabytes", 1_000_000),
    Kind("FreeStorageSpace", "FREE STORAGE", "Free Storage", "Maximum", "Bytes"),
    Kind("ReadThroughput", "READ THROUGHPUT", "Read Throughput", "Maximum", "Bytes/Second"),
    Kind("WriteThroughput", "WRITE THROUGHPUT", "Write Throughput", "Maximum", "Bytes/Second"),
)


def kind(text: str | None) -> Kind | None:
    """The metric that `?type=` names, in any case; None for all. Invalid for what is no type."""
    if text is None:
        return None
    found = next((each for each in (*OWN, *DATABASE) if each.type == text.upper()), None)
    if found is None:
        raise Invalid(fields={"type": [f'"type" must be one of {", ".join(each.type for each in (*OWN, *DATABASE))}']})
    return found


def of(capture: Capture, wanted: Kind | None) -> Any:
    """A capture's metrics, or the one that is wanted: as CloudWatch knows them while it runs, as they were taken when it is over.

    Conflict before it runs and when it has failed. A metric that its environment does not have has no points.
    """
    if capture.status not in _THERE:
        raise Conflict(f"The capture is {capture.status}: it has metrics when it is {', '.join(_THERE[:-1])} or {_THERE[-1]}.")
    kept = None if capture.status == "RUNNING" else objects.get(store.metrics_key(capture))
    shown = _measure(capture) if kept is None else orjson.loads(kept)
    if wanted is None:
        return shown
    return next((each for each in shown if each["type"] == wanted.type), _metric(wanted, [], complete=shown[0]["complete"]))


def snapshot(capture: Capture) -> bool:
    """Keep the metrics of a capture that is over: one question, one object. Answers whether they are complete. Safe to repeat."""
    shown = _measure(capture)
    objects.put(store.metrics_key(capture), orjson.dumps(shown))
    return all(each["complete"] for each in shown)


def _measure(capture: Capture) -> list[dict[str, Any]]:
    """Ask CloudWatch for the window in whole minutes: one call, however many metrics."""
    organization = environments.organization(capture.organization_id)
    where = next((each for each in organization.environments if each.env_id == capture.env_id), None) if organization else None
    ours = {"service": aws.setting("POWERTOOLS_SERVICE_NAME"), "Environment": str(capture.env_id)}
    asked = [("Tapedeck", ours, each) for each in OWN]
    if where is not None and where.database_instance:
        asked += [("AWS/RDS", {"DBInstanceIdentifier": where.database_instance}, each) for each in DATABASE]
    now = clock.milliseconds()
    start = capture.begins // 60_000 * _MINUTE
    end = max(start + _MINUTE, -(-(capture.ends or now) // 60_000) * _MINUTE)
    period = max(_period(_PERIODS, end - start), _period(_KEPT, now // 1000 - start))
    queries = [
        {
            "Id": f"m{index}",
            "MetricStat": {
                "Metric": {
                    "Namespace": space,
                    "MetricName": each.label,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
                },
                "Period": period,
                "Stat": each.statistic,
            },
        }
        for index, (space, dimensions, each) in enumerate(asked)
    ]
    answers = _ask(queries, start, end)
    complete = capture.ends is not None and now - capture.ends >= SETTLES
    return [_metric(each, answers.get(f"m{index}", []), complete=complete) for index, (_, _, each) in enumerate(asked)]


def _period(table: Sequence[tuple[int, int]], seconds: int) -> int:
    return next((period for most, period in table if seconds <= most), _LONGEST)


def _ask(queries: Sequence[dict[str, Any]], start: int, end: int) -> dict[str, list[tuple[float, float]]]:
    """(seconds since the epoch, value) of every query's points, the oldest first."""
    found: dict[str, list[tuple[float, float]]] = {}
    more: dict[str, str] = {}
    while True:
        answer = aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries,
            StartTime=datetime.fromtimestamp(start, UTC),
            EndTime=datetime.fromtimestamp(end, UTC),
            ScanBy="TimestampAscending",
            **more,
        )
        for each in answer["MetricDataResults"]:
            points = zip((at.timestamp() for at in each["Timestamps"]), each["Values"], strict=True)
            found.setdefault(each["Id"], []).extend(points)
        if "NextToken" not in answer:
            return found
        more = {"NextToken": answer["NextToken"]}


def _metric(kind: Kind, points: Sequence[tuple[float, float]], *, complete: bool) -> dict[str, Any]:
    return {
        "label": kind.label,
        "type": kind.type,
        "displayName": kind.display_name,
        "complete": complete,
        "dataPoints": [
            {"Timestamp": iso(int(at * 1000)), "Maximum": value / kind.divisor, "Unit": kind.unit} for at, value in sorted(points)
        ],
    }
