"""Metrics of the ways in for events, by environment: a log line in CloudWatch's embedded metric format costs no call and no write.

Namespace `Tapedeck`, dimensions `service` and `Environment` (its envId): EventsIn, BytesIn, Errors (refused requests), Latency (ms).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from tapedeck.api.request import Request


def events_in(request: Request, status: int, ms: float, noted: Mapping[str, Any]) -> None:
    """Tell of a request that brought events: `noted` says how many, and whether they had been there before."""
    metrics = EphemeralMetrics(namespace="Tapedeck")
    metrics.add_dimension("Environment", str(request.environment.env_id))
    accepted = status < 400 and not noted.get("repeated")
    metrics.add_metric("EventsIn", MetricUnit.Count, noted.get("events", 0) if accepted else 0)
    metrics.add_metric("BytesIn", MetricUnit.Bytes, len(request.body()) if accepted else 0)
    metrics.add_metric("Errors", MetricUnit.Count, int(status >= 400))
    metrics.add_metric("Latency", MetricUnit.Milliseconds, ms)
    metrics.flush_metrics()
