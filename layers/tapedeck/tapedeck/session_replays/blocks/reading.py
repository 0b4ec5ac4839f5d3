"""Opening a block: which ranges of it answer a question, and its columns once those ranges are there. Pure: somebody else fetches.

What a search does not ask for is neither read nor inflated; what it asks for twice is opened once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any

from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.format import Head, Page, Range, References

GAP = 32_768  # bytes that are read for nothing rather than asked for apart


def joined(ranges: Iterable[Range]) -> list[Range]:
    """The same bytes, in as few requests as is sensible."""
    found: list[Range] = []
    first, last = 0, -GAP - 1
    for offset, length in sorted(ranges):
        end = offset + length
        if offset > last + GAP:
            if last > 0:
                found.append(Range(first, last - first))
            first, last = offset, end
        elif end > last:
            last = end
    if last > 0:
        found.append(Range(first, last - first))
    return found


# --- Which ranges -------------------------------------------------------------------------------------------------------------------------


def pages_of(head: Head, column: str) -> list[Page]:
    """The pages in which values of a column are, or would be."""
    return pages_between(head, form.key(column, b""), column.encode() + form.BETWEEN)


def page_of(head: Head, column: str, value: bytes) -> list[Page]:
    """The one page in which a value is, or would be."""
    key = form.key(column, value)
    return pages_between(head, key, key + b"\0")


def pages_between(head: Head, first: bytes, end: bytes) -> list[Page]:
    """The pages in which keys from `first` on and before `end` are, or would be."""
    low = bisect_right(head.pages, first, key=lambda page: page.first) - 1
    return head.pages[max(0, low) : bisect_left(head.pages, end, key=lambda page: page.first)]


def references_of(head: Head, column: str, digest: bytes) -> list[References]:
    """The pages in which the entries of a digest are, or would be."""
    pages = head.references.get(column, [])
    low = bisect_left(pages, digest, key=lambda page: page.first) - 1
    return pages[max(0, low) : bisect_right(pages, digest, key=lambda page: page.first)]


def number_ranges(head: Head, column: str) -> list[Range]:
    """Where a column of numbers is."""
    kept = head.numbers[column]
    return [kept.bits, *([kept.absent] if kept.absent else [])]


def whole(pages: Iterable[Page | References]) -> list[Range]:
    """Where pages are, with all that is in them."""
    return [Range(page.offset, page.length) for page in pages]


def id_range(head: Head, row: int) -> Range:
    """Where the id of a row is."""
    return Range(head.ids.offset + 16 * row, 16)


# --- Columns ------------------------------------------------------------------------------------------------------------------------------


class Began(Sequence[int]):
    """When the replays began, in milliseconds, ascending."""

    def __init__(self, data: bytes, count: int) -> None:
        self._data, self._count = data, count
        self._width, self._first = int.from_bytes(data[:8], "little"), 8 + 8 * -(-count // form.MOMENTS)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: Any) -> Any:
        anchor, at = 8 + 8 * (row // form.MOMENTS), self._first + row * self._width
        whole = int.from_bytes(self._data[anchor : anchor + 8], "little")
        return whole + int.from_bytes(self._data[at : at + self._width], "little")


class Column:
    """Numbers, as bit planes. Rows without one are in `absent`, and in no other answer."""

    def __init__(self, kept: form.Numbers, raw: bytes, absent: int, full: int) -> None:
        self.kept, self.absent, self.present = kept, absent, full & ~absent
        self._raw, self._length = raw, full.bit_length() + 7 >> 3
        self.planes = [int.from_bytes(raw[at : at + self._length], "little") for at in range(0, len(raw), self._length)]

    def at_least(self, value: int) -> int:
        """The rows whose number is at least so great (O'Neil and Quass)."""
        if self.kept.low is None or self.kept.high is None or value > self.kept.high:
            return 0
        if value <= self.kept.low:
            return self.present
        code = -((self.kept.low - value) // self.kept.step)
        greater, equal = 0, self.present
        for bit in reversed(range(len(self.planes))):
            plane = self.planes[bit]
            if code >> bit & 1:
                equal &= plane
            else:
                greater |= equal & plane
                equal &= ~plane
            if not equal:
                break
        return greater | equal

    def equal(self, value: int) -> int:
        """The rows that have this number."""
        return self.at_least(value) & ~self.at_least(value + 1)

    def value(self, row: int) -> int | None:
        """The number of a row."""
        if self.kept.low is None or (self.absent and self.absent >> row & 1):
            return None
        code, bit = 0, 1 << (row & 7)
        for plane, at in enumerate(range(row >> 3, len(self._raw), self._length)):
            if self._raw[at] & bit:
                code |= 1 << plane
        return self.kept.low + self.kept.step * code

    def values(self) -> list[int | None]:
        """The numbers of all rows."""
        count = (self.present | self.absent).bit_length()
        low, step = self.kept.low, self.kept.step
        if low is None:
            return [None] * count
        codes = form.codes_of(self.planes, count)
        if not self.absent:
            return [low + step * code for code in codes]
        return [None if missing else low + step * code for code, missing in zip(codes, form.flags_of(self.absent, count), strict=True)]

    def best(self, wanted: int, count: int, *, greatest: bool) -> int:
        """The rows of `wanted` with the greatest (least) numbers, `count` of them, and those that are equal to the last of these."""
        sure, open_ = 0, wanted & self.present
        if open_.bit_count() <= count:
            return open_
        for plane in reversed(self.planes):
            better = open_ & plane if greatest else open_ & ~plane
            found = (sure | better).bit_count()
            if found > count:
                open_ = better
            else:
                sure |= better
                open_ &= ~better
                if found == count:
                    return sure
        return sure | open_

    def extreme(self, wanted: int, *, greatest: bool) -> int | None:
        """The greatest (least) number of these rows."""
        best = self.best(wanted, 1, greatest=greatest)
        return self.value(best.bit_length() - 1) if best else None


class Entries:
    """The values of one column in one page."""

    def __init__(self, block: Block, page: OpenPage, first: int, run: tuple[bytes, int, int, int], text: bytes) -> None:
        _, self.count, _, self.plain = run  # plain: 2 all ASCII without capitals, 1 all ASCII
        self._block, self._page, self._first, self.text = block, page, first, text

    def values(self) -> list[bytes]:
        """In their order."""
        return self.text.split(form.BETWEEN) if self.count else []

    def find(self, value: bytes) -> int | None:
        """The place of a value."""
        values = self.values()
        at = bisect_left(values, value)
        return at if at < len(values) and values[at] == value else None

    def listed(self, at: int) -> array[int]:
        """The rows that are listed for a value: all of them, or, beside a bitmap, those that have it again."""
        return self._page.listed(self._first + at)

    def bitmap(self, at: int) -> int:
        """The bitmap of a value; 0 when its rows are listed."""
        return self._page.bitmap(self._first + at)

    def is_listed(self, at: int) -> bool:
        """Whether the rows of a value are listed."""
        return self._page.is_listed(self._first + at)

    def rows(self, at: int) -> int:
        """The rows that have a value."""
        return form.bitmap(self.listed(at), self._block.rows) if self.is_listed(at) else self.bitmap(at)

    def union(self, places: Iterable[int]) -> int:
        """The rows that have any of these values."""
        found, listed = 0, array("H")
        for at in places:
            if self.is_listed(at):
                listed.extend(self.listed(at))
            else:
                found |= self.bitmap(at)
        return found | form.bitmap(listed, self._block.rows) if listed else found


class OpenPage:
    """A page of the dictionary, inflated."""

    def __init__(self, block: Block, page: Page) -> None:
        self._block, self._at = block, page
        raw = form.inflate(block.bytes_of(Range(page.offset, page.packed)))
        table = int.from_bytes(raw[:4], "little")
        runs: list[tuple[bytes, int, int, int]] = form.unpack(raw[4 : 4 + table])
        self._table, self._count = raw[4 + table : len(raw) - sum(run[2] for run in runs)], sum(run[1] for run in runs)
        self.runs: dict[bytes, Entries] = {}
        first, at = 0, 4 + table + len(self._table)
        for run in runs:
            self.runs[run[0]] = Entries(block, self, first, run, raw[at : at + run[2]])
            first, at = first + run[1], at + run[2]

    @cached_property
    def _places(self) -> tuple[list[int], list[int], array[int]]:
        """Where each entry's rows are, where its bitmap is, and the rows: of a page in which nothing is found, nobody asks."""
        lengths: array[int] = array("I")
        lengths.frombytes(form.interleaved(self._table[: 8 * self._count], 4))
        listed: array[int] = array("H")
        listed.frombytes(self._table[8 * self._count :])
        return list(accumulate(lengths[: self._count], initial=0)), list(accumulate(lengths[self._count :], initial=0)), listed

    def listed(self, entry: int) -> array[int]:
        rows, _, listed = self._places
        return listed[rows[entry] : rows[entry + 1]]

    def is_listed(self, entry: int) -> bool:
        _, bits, _ = self._places
        return bits[entry] == bits[entry + 1]

    def bitmap(self, entry: int) -> int:
        _, bits, _ = self._places
        first, end = bits[entry], bits[entry + 1]
        if first == end:
            return 0
        packed = self._block.bytes_of(Range(self._at.offset + self._at.packed + first, end - first))
        return int.from_bytes(form.inflate(packed), "little")


class Block:
    """A block of which some ranges are there: all that its columns, as far as they are asked for, need."""

    def __init__(self, head: Head, spans: Iterable[tuple[int, bytes]]) -> None:
        """`spans` are the bytes that have been read, each with its offset."""
        self.head, self.rows, self.full = head, head.rows, (1 << head.rows) - 1
        self._spans = sorted(spans)
        self._opened: dict[Any, Any] = {}

    @classmethod
    def of(cls, data: bytes) -> Block:
        """A block of which every byte is there. NoBlock when it is none."""
        return cls(form.head_of(data), [(0, data)])

    def bytes_of(self, where: Range) -> memoryview:
        """What is there. LookupError when it has not been read."""
        at = bisect_right(self._spans, where.offset, key=lambda span: span[0]) - 1
        if at >= 0:
            offset, data = self._spans[at]
            if where.end <= offset + len(data):
                return memoryview(data)[where.offset - offset : where.end - offset]
        raise LookupError(f"{where} of the block has not been read")

    @property
    def began(self) -> Began:
        """When its replays began."""
        if "began" not in self._opened:
            self._opened["began"] = Began(bytes(self.bytes_of(self.head.began)), self.rows)
        found: Began = self._opened["began"]
        return found

    def row_id(self, row: int) -> bytes:
        """The id of a row's replay."""
        return bytes(self.bytes_of(id_range(self.head, row)))

    def numbers(self, column: str) -> Column:
        """A column of numbers."""
        if column not in self._opened:
            kept = self.head.numbers[column]
            raw = form.inflate(self.bytes_of(kept.bits)) if kept.planes else b""
            absent = int.from_bytes(form.inflate(self.bytes_of(kept.absent)), "little") if kept.absent else 0
            self._opened[column] = Column(kept, raw, absent, self.full)
        found: Column = self._opened[column]
        return found

    def page(self, page: Page) -> OpenPage:
        """A page of the dictionary."""
        if page.offset not in self._opened:
            self._opened[page.offset] = OpenPage(self, page)
        found: OpenPage = self._opened[page.offset]
        return found

    def entries(self, column: str) -> Iterator[Entries]:
        """The values of a column, page by page, in their order. The last of all is ANY."""
        name = column.encode()
        for page in pages_of(self.head, column):
            if found := self.page(page).runs.get(name):
                yield found

    def having(self, column: str, value: bytes) -> int:
        """The rows that have a value in a column."""
        for page in page_of(self.head, column, value):
            run = self.page(page).runs.get(column.encode())
            if run and (at := run.find(value)) is not None:
                return run.rows(at)
        return 0

    def dictionary(self) -> Iterator[tuple[bytes, list[int]]]:
        """Every key with its rows, as often as they have it."""
        for page in self.head.pages:
            for column, run in self.page(page).runs.items():
                for at, value in enumerate(run.values()):
                    listed = run.listed(at).tolist()
                    rows = listed if run.is_listed(at) else sorted([*form.rows_of(run.bitmap(at), self.rows), *listed])
                    yield column + form.OF + value, rows
            self._opened.pop(page.offset)

    def referring(self, column: str, digest: bytes) -> int:
        """The rows that have a reference with this digest."""
        rows: list[int] = []
        for page in references_of(self.head, column, digest):
            digests, listed = self._references(page)
            at = bisect_left(range(len(listed)), digest, key=lambda entry: digests[entry * form.DIGEST : (entry + 1) * form.DIGEST])
            while digests[at * form.DIGEST : (at + 1) * form.DIGEST] == digest:
                rows.append(listed[at])
                at += 1
        return form.bitmap(rows, self.rows) if rows else 0

    def references(self, column: str) -> Iterator[tuple[bytes, int]]:
        """Every digest in a column, with its row."""
        for page in self.head.references[column]:
            digests, listed = self._references(page)
            for at, row in enumerate(listed):
                yield digests[at * form.DIGEST : (at + 1) * form.DIGEST], row

    def _references(self, page: References) -> tuple[bytes, array[int]]:
        if page.offset not in self._opened:
            raw = form.inflate(self.bytes_of(Range(page.offset, page.length)))
            end = len(raw) // (form.DIGEST + 2) * form.DIGEST
            listed: array[int] = array("H")
            listed.frombytes(form.interleaved(raw[end:], 2))
            self._opened[page.offset] = form.interleaved(raw[:end], form.DIGEST), listed
        found: tuple[bytes, array[int]] = self._opened[page.offset]
        return found

    def shown(self) -> list[tuple[int, str, str]]:
        """(row, column, value) of replays with several values in a column: the one that they show."""
        found: list[tuple[int, str, str]] = form.unpack(form.inflate(self.bytes_of(self.head.shown)))
        return found
