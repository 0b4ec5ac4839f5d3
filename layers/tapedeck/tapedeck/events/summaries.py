"""What a chunk holds, counted once, when it is written: histograms, names and deep offsets are answered from this alone.

A summary says of each (event, app, server) how many there were in each minute, and when the first and the last happened. Times are the
events' own, in ms since the epoch. Summaries join by addition: `summarise(a + b) == merge([summarise(a), summarise(b)])`, in any order.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, TypeAlias

import orjson

from tapedeck.errors import Invalid
from tapedeck.events.model import ANY, Event, Filter, iso

MINUTE = 60_000
MAX_POINTS = 20_000
_VERSION = b"\x01"


class Count(NamedTuple):
    """The events of one key: first and last `at` (ms), and how many there were in each minute since the epoch."""

    first: int
    last: int
    minutes: dict[int, int]

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.minutes.values())


Key: TypeAlias = tuple[str, str, str]  # event, app, server
Summary: TypeAlias = Mapping[Key, Count]


def summarise(events: Iterable[Event]) -> Summary:
    """The summary of these events."""
    times: defaultdict[Key, list[int]] = defaultdict(list)
    for event in events:
        times[event.name, event.app, event.server].append(event.at)
    return {key: Count(min(ats), max(ats), dict(Counter([at // MINUTE for at in ats]))) for key, ats in times.items()}


def merge(summaries: Iterable[Summary]) -> Summary:
    """The summary of everything that these summarise."""
    merged: dict[Key, Count] = {}
    for summary in summaries:
        for key, count in summary.items():
            known = merged.get(key)
            if known is None:
                merged[key] = count._replace(minutes=dict(count.minutes))
                continue
            minutes = known.minutes
            for minute, n in count.minutes.items():
                minutes[minute] = minutes.get(minute, 0) + n
            merged[key] = Count(min(known.first, count.first), max(known.last, count.last), minutes)
    return merged


def encode(summary: Summary) -> bytes:
    """The summary as one attribute, about 30 bytes a key and 1 to 2 a minute. Equal summaries are equal bytes.

    A byte of version, then JSON under zlib, a row a key: event, app, server, first, last, the first minute and the steps to the others,
    the counts.
    """
    rows = []
    for key, count in sorted(summary.items()):
        minutes = sorted(count.minutes)
        steps = [b - a for a, b in pairwise([0, *minutes])]
        rows.append([*key, count.first, count.last, steps, [count.minutes[minute] for minute in minutes]])
    return _VERSION + zlib.compress(orjson.dumps(rows))


def decode(data: bytes) -> Summary:
    """What `encode` wrote. ValueError for another version."""
    if data[:1] != _VERSION:
        raise ValueError(f"a summary of version {data[:1]!r}")
    rows = orjson.loads(zlib.decompress(memoryview(data)[1:]))
    return {
        (event, app, server): Count(first, last, dict(zip(accumulate(steps), counts, strict=True)))
        for event, app, server, first, last, steps, counts in rows
    }


# --- Questions ----------------------------------------------------------------------------------------------------------------------------


def total(summary: Summary, wanted: Filter = ANY) -> int:
    """How many of the wanted events there are."""
    return sum(count.total for count in _wanted(summary, wanted))


def bounds(summary: Summary, wanted: Filter = ANY, start: int | None = None, end: int | None = None) -> tuple[int, int]:
    """How many of the wanted events happened in [start, end) (ms): at least, at most. They differ when a minute is cut in two."""
    least = most = 0
    for count in _wanted(summary, wanted):
        for minute, n in count.minutes.items():
            # The minute's events were not before its begin nor before the first, not after its end nor after the last.
            first, last = max(minute * MINUTE, count.first), min(minute * MINUTE + MINUTE - 1, count.last)
            if (start is None or start <= first) and (end is None or last < end):
                least += n
                most += n
            elif (start is None or start <= last) and (end is None or first < end):
                most += n
    return least, most


def keys_by_app(summaries: Iterable[Summary]) -> list[dict[str, Any]]:
    """`[{app_name, events: [names], details: [{name, count, first, last}]}]`, sorted by app and name; first and last are ISO texts."""
    found: dict[str, dict[str, tuple[int, int, int]]] = {}
    for summary in summaries:
        for (event, app, _), count in summary.items():
            names = found.setdefault(app, {})
            n, first, last = names.get(event, (0, count.first, count.last))
            names[event] = n + count.total, min(first, count.first), max(last, count.last)
    return [
        {
            "app_name": app,
            "events": sorted(names),
            "details": [
                {"name": name, "count": n, "first": iso(first), "last": iso(last)} for name, (n, first, last) in sorted(names.items())
            ],
        }
        for app, names in sorted(found.items())
    ]


def _wanted(summary: Summary, wanted: Filter) -> Iterator[Count]:
    return (count for key, count in summary.items() if wanted.matches(*key))


# --- Histograms ---------------------------------------------------------------------------------------------------------------------------

_SECOND, _HOUR, _DAY = 1000, 3_600_000, 86_400_000
_UNITS = {"s": _SECOND, "m": MINUTE, "h": _HOUR, "d": _DAY}
_INTERVAL = re.compile(r"([1-9][0-9]{0,5})([smhd])")


class Interval(NamedTuple):
    """The width of a bucket: a calendar month, or so many ms, counted from `origin` (ms since the epoch)."""

    width: int
    origin: int = 0
    month: bool = False

    @property
    def needs_events(self) -> bool:
        """Whether its buckets cut minutes, so that summaries cannot tell."""
        return self.width % MINUTE != 0

    def floor(self, ms: int) -> int:
        """The start of the bucket in which a moment is."""
        if not self.month:
            return ms - (ms - self.origin) % self.width
        at = datetime.fromtimestamp(ms // _SECOND, UTC)
        return int(datetime(at.year, at.month, 1, tzinfo=UTC).timestamp()) * _SECOND

    def following(self, bucket: int) -> int:
        """The start of the next bucket."""
        return self.floor(bucket + 31 * _DAY) if self.month else bucket + self.width


_NAMED = {
    "second": Interval(_SECOND),
    "minute": Interval(MINUTE),
    "hour": Interval(_HOUR),
    "day": Interval(_DAY),
    "week": Interval(7 * _DAY, origin=4 * _DAY),  # 1970-01-05 was a Monday
    "month": Interval(28 * _DAY, month=True),  #    none is shorter
}


def interval(text: str) -> Interval:
    """`second`, `minute`, `hour`, `day`, `week` (from Monday), `month` or `<n><s|m|h|d>`, all UTC. Raises Invalid for anything else."""
    match = _INTERVAL.fullmatch(text)
    if match is not None:
        return Interval(int(match[1]) * _UNITS[match[2]])
    if text not in _NAMED:
        raise Invalid(fields={"interval": [f"must be one of {', '.join(_NAMED)} or a number with s, m, h or d, as in 5m"]})
    return _NAMED[text]


def histogram(summaries: Iterable[Summary], wanted: Filter, *, start: int, end: int, by: Interval) -> list[list[int]]:
    """`[[start of the bucket (ms), count], …]` of the wanted events in [start, end), widened to whole minutes.

    Ascending, aligned in UTC, with zeros between the first and the last bucket that has any; [] when there are none. Raises Invalid for
    more than 20,000 points, and ValueError for an interval that needs events.
    """
    if by.needs_events:
        raise ValueError("a summary does not know seconds")
    minutes: dict[int, int] = {}
    for minute, n in _minutes(summaries, wanted, start, end):
        minutes[minute] = minutes.get(minute, 0) + n
    return _points(((minute * MINUTE, n) for minute, n in minutes.items()), by)


def histogram_of_events(events: Iterable[Event], wanted: Filter, *, start: int, end: int, by: Interval) -> list[list[int]]:
    """The same from the events themselves, for any interval and to the millisecond."""
    return _points(
        ((event.at, 1) for event in events if start <= event.at < end and wanted.matches(event.name, event.app, event.server)), by
    )


def refuse_too_many(summaries: Iterable[Summary], wanted: Filter, *, start: int, end: int, by: Interval) -> None:
    """Invalid when a histogram is sure to have more than 20,000 points: to be asked before chunks are opened for it."""
    minutes = [minute for minute, _ in _minutes(summaries, wanted, start, end)]
    if minutes:  # the first minute's event may have been in its last ms, the last one's in its first
        _refuse(((max(minutes) - min(minutes) - 1) * MINUTE + 1) // by.width + 1)


def _minutes(summaries: Iterable[Summary], wanted: Filter, start: int, end: int) -> Iterator[tuple[int, int]]:
    low, high = start // MINUTE, -(-end // MINUTE)
    for summary in summaries:
        for count in _wanted(summary, wanted):
            for minute, n in count.minutes.items():
                if low <= minute < high:
                    yield minute, n


def _points(counts: Iterable[tuple[int, int]], by: Interval) -> list[list[int]]:
    buckets: dict[int, int] = {}
    for at, n in counts:
        bucket = by.floor(at)
        buckets[bucket] = buckets.get(bucket, 0) + n
    if not buckets:
        return []
    bucket, last = min(buckets), max(buckets)
    _refuse((last - bucket) // by.width + 1)
    points = []
    while bucket <= last:
        points.append([bucket, buckets.get(bucket, 0)])
        bucket = by.following(bucket)
    return points


def _refuse(points: int) -> None:
    if points > MAX_POINTS:
        raise Invalid(fields={"interval": [f"would give {points} points, more than {MAX_POINTS}: ask for a wider one or for fewer days"]})
