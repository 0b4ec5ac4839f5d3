"""What a chunk holds, counted once, when it is written: histograms, names and deep offsets are answered from this alone.

A summary says of each (event, app, server) how many there were in each minute, and when the first and the last happened. Times are the
events' own, in ms since the epoch. Summaries join by addition: `summarise(a + b) == merge([summarise(a), summarise(b)])`, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from tapedeck.events.model import Event, Filter

MINUTE = 60_000
MAX_POINTS = 20_000


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
    raise NotImplementedError


def merge(summaries: Iterable[Summary]) -> Summary:
    """The summary of everything that these summarise."""
    raise NotImplementedError


def encode(summary: Summary) -> bytes:
    """The summary as one attribute, about 30 bytes a key and 1 to 2 a minute. Equal summaries are equal bytes."""
    raise NotImplementedError


def decode(data: bytes) -> Summary:
    """What `encode` wrote."""
    raise NotImplementedError


# --- Questions ----------------------------------------------------------------------------------------------------------------------------


def total(summary: Summary, wanted: Filter) -> int:
    """How many of the wanted events there are."""
    raise NotImplementedError


def bounds(summary: Summary, wanted: Filter, start: int | None = None, end: int | None = None) -> tuple[int, int]:
    """How many of the wanted events happened in [start, end) (ms): at least, at most. They differ when a minute is cut in two."""
    raise NotImplementedError


def keys_by_app(summaries: Iterable[Summary]) -> list[dict[str, Any]]:
    """`[{app_name, events: [names], details: [{name, count, first, last}]}]`, sorted by app and name; first and last are ISO texts."""
    raise NotImplementedError


# --- Histograms ---------------------------------------------------------------------------------------------------------------------------


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
        raise NotImplementedError

    def following(self, bucket: int) -> int:
        """The start of the next bucket."""
        raise NotImplementedError


def interval(text: str) -> Interval:
    """`second`, `minute`, `hour`, `day`, `week` (from Monday), `month` or `<n><s|m|h|d>`, all UTC. Raises Invalid for anything else."""
    raise NotImplementedError


def histogram(summaries: Iterable[Summary], wanted: Filter, *, start: int, end: int, by: Interval) -> list[list[int]]:
    """`[[start of the bucket (ms), count], …]` of the wanted events in [start, end), widened to whole minutes.

    Ascending, aligned in UTC, with zeros between the first and the last bucket that has any; [] when there are none. Raises Invalid for
    more than 20,000 points, and ValueError for an interval that needs events.
    """
    raise NotImplementedError


def histogram_of_events(events: Iterable[Event], wanted: Filter, *, start: int, end: int, by: Interval) -> list[list[int]]:
    """The same from the events themselves, for any interval and to the millisecond."""
    raise NotImplementedError


def refuse_too_many(summaries: Sequence[Summary], wanted: Filter, *, start: int, end: int, by: Interval) -> None:
    """Invalid when a histogram is sure to have more than 20,000 points: to be asked before chunks are opened for it."""
    raise NotImplementedError
