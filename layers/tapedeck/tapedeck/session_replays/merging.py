"""A replay's row, and the one law by which it grows: rows only ever join, so order, repetition and lateness do not matter.

A row is a JSON object and every change to it is a row as well (a *delta*): a segment, a linked event, a view, the archive marker. `merge`
is the join of a semilattice: commutative, associative and idempotent. So two writers that race, a client that retries and a segment that
comes an hour late all end in the same row, and the store needs no lock: it reads, merges, writes under a condition and, when it lost the
race, merges again.

Each field joins by a law of its own, named in `_JOINS`. Where a field is capped, the cap keeps the *smallest* of a total order: a cap by
arrival would forget different things in different orders. Positions are `[segment id, index in the segment]`: the smallest is the
earliest.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Callable, Iterable
from math import inf
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson

from tapedeck.errors import TooLarge

if TYPE_CHECKING:
    from tapedeck.session_replays.envelope import EventLink, ReplayEvent
    from tapedeck.session_replays.recording import Click

Row: TypeAlias = dict[str, Any]
Join: TypeAlias = Callable[[Any, Any], Any]

# A DynamoDB item may weigh 400 KB. An honest row weighs one.
MAX_ENCODED = 350_000


# --- The laws -----------------------------------------------------------------------------------------------------------------------------


def _either_bit(a: str, b: str) -> str:
    return f"{int(a, 16) | int(b, 16):x}"


def _smallest(limit: int) -> Join:
    """Sets, written as sorted lists: the union's `limit` smallest."""

    def join(a: list[Any], b: list[Any]) -> list[Any]:
        union = sorted([*a, *b])
        return [value for i, value in enumerate(union) if not i or value != union[i - 1]][:limit]

    return join


def _earliest(limit: int) -> Join:
    """Maps from a name to where it was met: the earlier meeting wins, and of all names the `limit` that were met first stay."""

    def join(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        union = dict(a)
        for name, met in b.items():
            if name not in union or met < union[name]:
                union[name] = met
        return union if len(union) <= limit else dict(sorted(union.items(), key=lambda entry: (entry[1], entry[0]))[:limit])

    return join


def _greatest(limit: int) -> Join:
    """Maps from a name to a number: the greater wins. Capped by name, the only order in which a number that grows does not move."""

    def join(a: dict[str, int], b: dict[str, int]) -> dict[str, int]:
        union = a | {name: max(number, a.get(name, number)) for name, number in b.items()}
        return union if len(union) <= limit else dict(sorted(union.items())[:limit])

    return join


def _each(limit: int, law: Join) -> Join:
    """Maps from a key to a value that joins by `law`. Capped by key: a key once left out must never come back without its values."""

    def join(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
        union = a | {key: law(a.get(key, value), value) for key, value in b.items()}
        return union if len(union) <= limit else dict(sorted(union.items())[:limit])

    return join


_JOINS: dict[str, Join] = {
    "seen": _either_bit,  #                    hex digits: bit n is set when segment n is in
    "started": min,  #                         seconds since the epoch
    "finished": max,  #                        of segments, linked events and clicks; a view is not part of the session
    "first": min,  #                           the segments' own timestamps, as the tag values' first and last seen count them
    "last": max,
    "archived": operator.or_,
    "expires": max,  #                         seconds: the last that was heard of it, and as many days as its environment had then
    "scalars": _each(64, _earliest(20)),  #    name → value → the first segment that gave it: what is shown is the lowest segment's
    "urls": _smallest(500),  #                 [segment, index, url]
    "url_counts": _greatest(65_536),  #        segment → how many urls it had, beyond any cap
    "trace_counts": _greatest(65_536),
    "error_ids": _earliest(100),  #            id → [segment, index]
    "trace_ids": _earliest(100),
    "releases": _earliest(100),
    "tags": _each(64, _earliest(20)),  #       key → value → [segment, index]
    "links": _earliest(1000),  #               event id → [timestamp, "error" | "warning" | "info", title]
    "clicks": _earliest(500),  #               "second:node" → [segment, index, the ten texts of recording.TEXTS]
    "slow": _greatest(2000),  #                "second:node" → 1 dead, 2 dead in rage
    "viewers": _smallest(1000),  #             user ids
}

# What a deleted replay may still say: that it was, and when. The rest is forgotten with the join itself, so nothing late can bring it back.
_AFTERLIFE = ("seen", "started", "finished", "archived", "expires")


def merge(a: Row | None, b: Row) -> Row:
    """The join of two rows: everything that either of them knows. Neither is changed."""
    a = a or {}
    row = a | {name: _JOINS[name](a.get(name, value), value) for name, value in b.items()}
    return {name: row[name] for name in _AFTERLIFE if name in row} if row.get("archived") else row


# --- Deltas -------------------------------------------------------------------------------------------------------------------------------


def segment_delta(event: ReplayEvent, clicks: Iterable[Click] = ()) -> Row:
    """What one segment tells of its replay."""
    segment, clicks = event.segment_id, list(clicks)
    row = {
        "seen": f"{1 << segment:x}",
        "started": event.started,
        "finished": max(event.timestamp, *(float(click.second) for click in clicks), 0.0),
        "first": event.timestamp,
        "last": event.timestamp,
        "scalars": {name: {value: segment} for name, value in event.scalars.items()},
        "urls": [[segment, i, url] for i, url in enumerate(event.urls)],
        "url_counts": {str(segment): len(event.urls)} if event.urls else {},
        "trace_counts": {str(segment): len(event.trace_ids)} if event.trace_ids else {},
        "error_ids": _met(segment, event.error_ids),
        "trace_ids": _met(segment, event.trace_ids),
        "releases": _met(segment, [event.release] if event.release else []),
        "tags": {key: {value: [segment, i]} for i, (key, value) in enumerate(event.tags.items())},
        "clicks": {click.identity: [segment, i, list(click.texts)] for i, click in enumerate(clicks)},
        "slow": {click.identity: click.dead + click.rage for click in clicks if click.dead},
    }
    row = {name: value for name, value in row.items() if value or name in ("started", "finished", "first", "last")}
    return merge(row, row)  # joined with itself it is itself, within the caps


def link_delta(link: EventLink) -> Row:
    """What an error, a warning or a message tells of the replay in which it happened."""
    return {"links": {link.event_id: [link.timestamp, link.level, link.title]}, "finished": link.timestamp}


def expiring(delta: Row, at: int) -> Row:
    """The same, of what was recorded and is kept until then (seconds). What is told of a replay otherwise prolongs nothing."""
    return {**delta, "expires": at}


def view_delta(user_id: int) -> Row:
    """Somebody watched it."""
    return {"viewers": [user_id]}


def archive_delta() -> Row:
    """It was deleted: everything but the fact is forgotten."""
    return {"archived": True}


def _met(segment: int, names: Iterable[str]) -> dict[str, list[int]]:
    met: dict[str, list[int]] = {}
    for i, name in enumerate(names):
        met.setdefault(name, [segment, i])
    return met


# --- Questions ----------------------------------------------------------------------------------------------------------------------------


def has_segment(row: Row | None, segment_id: int) -> bool:
    """Whether this segment has been joined in."""
    return row is not None and bool(int(row.get("seen", "0"), 16) >> segment_id & 1)


def count_segments(row: Row) -> int:
    """How many segments have been joined in."""
    return int(row.get("seen", "0"), 16).bit_count()


def is_archived(row: Row | None) -> bool:
    """Whether it was deleted."""
    return row is not None and bool(row.get("archived"))


def started_at(row: Row) -> float | None:
    """When it began; None of what was only linked, watched or deleted so far."""
    return row.get("started")


def scalar(row: Row, name: str) -> str | None:
    """A field of which a replay shows one value ("user.email"): the one that its lowest segment gave, or None."""
    given = row.get("scalars", {}).get(name)
    return min(given, key=lambda value: (given[value], value)) if given else None


def users(row: Row) -> list[str]:
    """The ids of the people who appear in it, in whatever segment; of a great many the first."""
    return list(row.get("scalars", {}).get("user.id", ()))


def environment(row: Row) -> str | None:
    """The name that the SDK gave to where it runs ("production"), or None."""
    return scalar(row, "environment")


def is_visible(row: Row | None) -> bool:
    """Until segment 0 arrives, a replay is in no list (§6.5). A deleted one stays in sight, in the archived shape."""
    return has_segment(row, 0) or is_archived(row)


def is_kept(row: Row, now: float, oldest: int) -> bool:
    """Whether its retention is not over: that with which it was stored, and that which its environment has now, by which nothing may have
    ended before the second `oldest`. After that a replay is invisible at once; TTL deletes days later.

    In whole seconds: finer, a block does not tell.
    """
    expires: float = row.get("expires", inf)
    finished: float = row.get("finished", now)
    return now < expires and finished >= oldest


# --- At rest ------------------------------------------------------------------------------------------------------------------------------


def encode(row: Row) -> bytes:
    """The row as one attribute: about half a kilobyte. Equal rows are equal bytes."""
    encoded = zlib.compress(orjson.dumps(row, option=orjson.OPT_SORT_KEYS))
    if len(encoded) > MAX_ENCODED:
        raise TooLarge("The replay has more than we keep of one replay.")
    return encoded


def decode(data: bytes) -> Row:
    """What `encode` wrote."""
    row: Row = orjson.loads(zlib.decompress(data))
    return row
