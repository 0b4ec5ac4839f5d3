"""Opening a block: which ranges of it answer a question, and its columns once those ranges are there. Pure: somebody else fetches.

What a search does not ask for is neither read nor inflated; what it asks for twice is opened once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import Any, TypeAlias

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

    def __init__(self, data: bytes | memoryview, count: int) -> None:
        self._data, self._count = data, count
        self._width, self._first = int.from_bytes(data[:8], "little"), 8 + 8 * -(-count // form.MOMENTS)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, row: Any) -> Any:
        (moment,) = self.of([row])
        return moment

    def of(self, rows: Iterable[int]) -> list[int]:
        """When these began."""
        data, first, width, number = self._data, self._first, self._width, int.from_bytes
        found = []
        for row in rows:
            anchor, at = 8 + 8 * (row // form.MOMENTS), first + row * width
            found.append(number(data[anchor : anchor + 8], "little") + number(data[at : at + width], "little"))
        return found


class Column:
    """Numbers, as bit planes. Rows without one are in `absent`, and in no other answer."""

    def __init__(self, kept: form.Numbers, planes: Sequence[bytes | memoryview], absent: int, full: int) -> None:
        self.kept, self.absent, self.present = kept, absent, full & ~absent
        self._planes = planes
        self.planes = [int.from_bytes(plane, "little") for plane in planes]

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
        (number,) = self.numbers([row])
        return number

    def numbers(self, rows: Sequence[int]) -> list[int]:
        """The numbers of these rows, which all have one."""
        assert self.kept.low is not None
        low, step, codes = self.kept.low, self.kept.step, [0] * len(rows)
        if len(rows) > 1 and self._planes:
            bytes_of, bits = itemgetter(*(row >> 3 for row in rows)), [row & 7 for row in rows]
            for plane in reversed(self._planes):
                codes = [code << 1 | byte >> bit & 1 for code, byte, bit in zip(codes, bytes_of(plane), bits, strict=True)]
        elif rows:
            codes = [sum((plane[row >> 3] >> (row & 7) & 1) << number for number, plane in enumerate(self._planes)) for row in rows]
        return [low + step * code for code in codes]

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


_Run: TypeAlias = tuple[bytes, int, int, int, list[tuple[int, int]], bytes]


class Entries:
    """The values of one column in one page."""

    def __init__(self, page: OpenPage, first: int, run: _Run, bitmaps: dict[int, Range], text: bytes) -> None:
        _, self.count, _, self.plain, _, self.prefix = run  # plain: 2 all ASCII without capitals, 1 all ASCII
        self._page, self._first, self._bitmaps = page, first, bitmaps
        self.text = text  # of each what comes after the prefix

    def values(self) -> list[bytes]:
        """In their order."""
        prefix, rests = self.prefix, self.text.split(form.BETWEEN)
        return [prefix + rest for rest in rests] if prefix else rests

    def find(self, value: bytes) -> int | None:
        """The place of a value."""
        if not value.startswith(self.prefix):
            return None
        value = value[len(self.prefix) :]
        text = form.BETWEEN + self.text + form.BETWEEN
        at = text.find(form.BETWEEN + value + form.BETWEEN)
        return text.count(form.BETWEEN, 0, at) if at >= 0 else None

    def listed(self, at: int) -> array[int]:
        """The rows that are listed for a value: all of them, or, beside a bitmap, those that have it again."""
        return self._page.listed(self._first + at)

    def bitmap(self, at: int) -> int:
        """The bitmap of a value; 0 when its rows are listed."""
        return self._page.block.bits(self._bitmaps[at]) if at in self._bitmaps else 0

    def is_listed(self, at: int) -> bool:
        """Whether the rows of a value are listed."""
        return at not in self._bitmaps

    def rows(self, at: int) -> int:
        """The rows that have a value."""
        return self.bitmap(at) if at in self._bitmaps else form.bitmap(self.listed(at), self._page.block.rows)

    def union(self, places: Iterable[int]) -> int:
        """The rows that have any of these values."""
        found, listed = 0, array("H")
        for at in places:
            if at in self._bitmaps:
                found |= self.bitmap(at)
            else:
                listed.extend(self.listed(at))
        return found | form.bitmap(listed, self._page.block.rows) if listed else found


class OpenPage:
    """A page of the dictionary, its texts inflated; its rows, where somebody asks: of a page in which nothing is found, nobody does."""

    def __init__(self, block: Block, page: Page) -> None:
        self.block, self._at = block, page
        raw = form.inflate(block.bytes_of(Range(page.offset, page.texts)))
        at, first, bits = 4 + int.from_bytes(raw[:4], "little"), 0, page.offset + page.texts + page.rows
        runs: list[_Run] = form.unpack(raw[4:at])
        self.runs: dict[bytes, Entries] = {}
        for run in runs:
            column, count, size, _, told, _ = run
            bitmaps = {}
            for entry, length in told:
                bitmaps[entry] = Range(bits, length)
                bits += length
            self.runs[column] = Entries(self, first, run, bitmaps, raw[at : at + size])
            first, at = first + count, at + size
        self._count = first

    @cached_property
    def _rows(self) -> tuple[list[int], array[int]]:
        """Where each entry's rows begin, and the rows."""
        raw = form.inflate(self.block.bytes_of(Range(self._at.offset + self._at.texts, self._at.rows)))
        lengths: array[int] = array("I")
        lengths.frombytes(form.interleaved(raw[: 4 * self._count], 4))
        listed: array[int] = array("H")
        listed.frombytes(raw[4 * self._count :])
        return list(accumulate(lengths, initial=0)), listed

    def listed(self, entry: int) -> array[int]:
        """The rows that are listed for an entry."""
        begins, listed = self._rows
        return listed[begins[entry] : begins[entry + 1]]


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

    def bits(self, where: Range) -> int:
        """The bitmap that is there."""
        return int.from_bytes(form.unpack_bits(self.bytes_of(where), self.rows), "little")

    @property
    def began(self) -> Began:
        """When its replays began."""
        if "began" not in self._opened:
            self._opened["began"] = Began(self.bytes_of(self.head.began), self.rows)
        found: Began = self._opened["began"]
        return found

    def row_id(self, row: int) -> bytes:
        """The id of a row's replay."""
        return bytes(self.bytes_of(id_range(self.head, row)))

    def numbers(self, column: str) -> Column:
        """A column of numbers."""
        if column not in self._opened:
            kept = self.head.numbers[column]
            ends = list(accumulate(kept.planes, initial=kept.bits.offset))
            planes = [self.bytes_of(Range(at, length)) for at, length in zip(ends, kept.planes, strict=False)]
            absent = self.bits(kept.absent) if kept.absent else 0
            self._opened[column] = Column(kept, [form.unpack_bits(plane, self.rows) for plane in planes], absent, self.full)
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
            at = bisect_left(range(len(listed)), digest, key=lambda entry: bytes(digests[entry * form.DIGEST : (entry + 1) * form.DIGEST]))
            while digests[at * form.DIGEST : (at + 1) * form.DIGEST] == digest:
                rows.append(listed[at])
                at += 1
        return form.bitmap(rows, self.rows) if rows else 0

    def references(self, column: str) -> Iterator[tuple[bytes, int]]:
        """Every digest in a column, with its row."""
        for page in self.head.references[column]:
            digests, listed = self._references(page)
            for at, row in enumerate(listed):
                yield bytes(digests[at * form.DIGEST : (at + 1) * form.DIGEST]), row

    def _references(self, page: References) -> tuple[memoryview, array[int]]:
        raw = self.bytes_of(Range(page.offset, page.length))
        end = len(raw) // (form.DIGEST + 2) * form.DIGEST
        listed: array[int] = array("H")
        listed.frombytes(raw[end:])
        return raw[:end], listed

    def shown(self) -> list[tuple[int, str, str]]:
        """(row, column, value) of replays with several values in a column: the one that they show."""
        found: list[tuple[int, str, str]] = form.unpack(form.inflate(self.bytes_of(self.head.shown)))
        return found
