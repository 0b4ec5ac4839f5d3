"""The bodies with which a bucket's events are asked for; every number may also be a text (PM2's client checks no types)."""

from __future__ import annotations

from typing import NamedTuple

from tapedeck.events.model import Filter
from tapedeck.events.summaries import Interval


class Retrieval(NamedTuple):
    """Which events, newest first: `limit` of them after the first `offset`, of those that happened in [start, end) (ms), None is open."""

    wanted: Filter
    limit: int = 100
    offset: int = 0
    start: int | None = None
    end: int | None = None


class Distribution(NamedTuple):
    """Which events to count, in [start, end) (ms, whole minutes), and how wide a bucket is."""

    wanted: Filter
    start: int
    end: int
    by: Interval


def retrieval(body: bytes | str | None) -> Retrieval:
    """`{event_name, app_name?, server_name?, limit? 1–1000 (100), offset? ≥ 0 (0), start?, end?}`. Raises Invalid with `fields`."""
    raise NotImplementedError


def distribution(body: bytes | str | None, *, now: float) -> Distribution:
    """`{event_name, app_name?, server_name?, days? 1–90 (2), interval? ("minute")}`: from `days` × 24 h ago until `now` (s).

    Both ends are widened to whole minutes. Raises Invalid with `fields`.
    """
    raise NotImplementedError
