"""The index `by_start` of DynamoDB, as far as searches read it: pages of 1 MB, and a meter for what reading them costs.

No emulator can tell: moto's capacity is a constant, and its time grows with the table.
"""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from operator import attrgetter
from threading import Lock
from typing import Any, NamedTuple
from unittest.mock import patch

import orjson

from bench import material
from bench.search import replays
from bench.search.replays import Session
from tapedeck import aws
from tapedeck.session_replays import merging, store
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.store import ReplayId

PAGE = 1024 * 1024  # bytes that one Query may read
UNIT = 4096  # bytes that half a read unit reads, eventually consistent

_PLACE = attrgetter("at")


class Entry(NamedTuple):
    """A row of the index: its place, its size by DynamoDB's rules, and the row itself in three states."""

    at: str
    size: int
    wire: bytes  # as the service spells it in an answer
    stored: bytes  # its attribute `d`
    name: ReplayId
    document: Document | None


@dataclass
class Meter:
    """What a search cost: round trips one after another, calls side by side being one; Queries; read units."""

    trips: int = 0
    queries: int = 0
    units: float = 0.0
    together: bool = False


class Index:
    """Replays in the order in which they began, a list for each project."""

    def __init__(self, sessions: Iterator[Session]) -> None:
        self.lists: dict[str, list[Entry]] = {}
        self.meter, self._lock = Meter(), Lock()
        for number, session in enumerate(sessions):
            row = replays.row(session)
            assert number >= 25 or row == replays.merged(session), "the generator makes rows that merging does not make"
            item = store._item(session.name, row, 1)
            listed, stored = item["listed_in"]["S"], item["d"]["B"]
            wire = orjson.dumps(item | {"d": {"B": base64.b64encode(stored).decode()}})
            self.lists.setdefault(listed, []).append(Entry(item["listed_at"]["S"], _size(item), wire, stored, session.name, None))
        for listed, entries in self.lists.items():
            # Decoded in the order in which they are read, as they would lie in a function's memory.
            self.lists[listed] = [entry._replace(document=decode(entry)) for entry in sorted(entries, key=_PLACE)]

    @property
    def documents(self) -> Iterator[Document]:
        """All replays, decoded."""
        return (decoded(entry) for entries in self.lists.values() for entry in entries)

    def page(
        self, listed: str, first: str, last: str, *, newest_first: bool, most: int | None, after: str | None
    ) -> tuple[list[Entry], str | None]:
        """What one Query reads: at most `most` rows and at most 1 MB, and the place where it stopped, None at the end."""
        entries = self.lists.get(listed, [])
        low, high = bisect_left(entries, first, key=_PLACE), bisect_right(entries, last, key=_PLACE)
        if after is not None and newest_first:
            high = min(high, bisect_left(entries, after, key=_PLACE))
        elif after is not None:
            low = max(low, bisect_right(entries, after, key=_PLACE))
        size, end, step = 0, high - 1 if newest_first else low, -1 if newest_first else 1
        read: list[Entry] = []
        while low <= end < high and len(read) != most and size + entries[end].size <= PAGE:
            read.append(entries[end])
            size += entries[end].size
            end += step
        with self._lock:
            self.meter.queries += 1
            self.meter.units += ceil(size / UNIT) / 2
            self.meter.trips += not self.meter.together
        return read, read[-1].at if low <= end < high else None

    @contextmanager
    def metered(self) -> Iterator[Meter]:
        """Count what is read in here."""
        together, self.meter = aws.together, Meter()

        def counted(*calls: Callable[[], Any]) -> list[Any]:
            self.meter.trips += 1
            self.meter.together = True
            try:
                return together(*calls)
            finally:
                self.meter.together = False

        with patch.object(aws, "together", counted):
            yield self.meter

    def serve(self) -> None:
        """Answer the process's DynamoDB client: a new one, as the last may be answered by somebody else."""
        aws.client.cache_clear()
        material.answer(aws.client("dynamodb"), {"Query": self._answer})

    def _answer(self, request: Any) -> bytes:
        asked = orjson.loads(request.body)
        if ":first" not in asked["ExpressionAttributeValues"]:
            return b'{"Items":[],"Count":0}'  # no blocks, and none that has moved
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        after = asked.get("ExclusiveStartKey", {}).get("listed_at", {}).get("S")
        read, stopped = self.page(
            values[":in"],
            values[":first"],
            values[":last"],
            newest_first=not asked["ScanIndexForward"],
            most=asked.get("Limit"),
            after=after,
        )
        more = b',"LastEvaluatedKey":' + orjson.dumps({"listed_at": {"S": stopped}}) if stopped else b""
        return b'{"Items":[' + b",".join([entry.wire for entry in read]) + b'],"Count":%d' % len(read) + more + b"}"

    def list_page(self, read: Callable[[Entry], Document]) -> Callable[..., tuple[list[Document], str | None]]:
        """`store.list_page` without a client: `read` makes documents of rows."""

        def list_page(
            organization_id: int,
            project_id: int,
            first: int,
            last: int,
            *,
            newest_first: bool,
            most: int | None = None,
            after: str | None = None,
        ) -> tuple[list[Document], str | None]:
            listed, begin, end = store._listed_in(organization_id, project_id), store.place_before(first), store.place_after(last)
            entries, stopped = self.page(listed, begin, end, newest_first=newest_first, most=most, after=after)
            return [read(entry) for entry in entries], stopped

        return list_page


def decoded(entry: Entry) -> Document:
    """The document as if decoding cost nothing."""
    assert entry.document
    return entry.document


def decode(entry: Entry) -> Document:
    """The document, from the stored bytes."""
    return Document(entry.name.key, entry.name.project_id, merging.decode(entry.stored))


def _size(item: dict[str, dict[str, Any]]) -> int:
    """What DynamoDB counts: names and values; a number is a byte for two digits and one more."""
    values = ((name, kind, value) for name, typed in item.items() for kind, value in typed.items())
    return sum(len(name) + (ceil(len(value) / 2) + 1 if kind == "N" else len(value)) for name, kind, value in values)
