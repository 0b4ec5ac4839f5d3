"""How a block is laid out: finished replays, at most 65,536 of them, column by column, so that a search reads what it asks for and no more.

A block is one immutable object. Behind eight bytes (`TDBK`, the version, three zeros) come its sections, and at the end the head, deflated,
with its length and `TDBK` once more. The head says where every section is; a copy of it lies in the manifest, so that a search knows which
ranges it needs before it has read a byte of the object. Rows are in the order in which the replays began (milliseconds, then id). A set of
rows is a bitmap, which Python holds as one int: row 0 is its lowest bit.

bitmaps   eight rows a byte, row 0 in the lowest bit of the first; deflated where that saves half, which their length tells
numbers   bit planes: bit p of `(value - low) // step` of every row is one bitmap. Who has no number is in `absent`, with zeros in planes
texts     all texts of all columns in one sorted dictionary, in pages. A key is `column FE value`; `column FE FD` holds the rows that have
          any value in the column. FE, FD and the FF between values are in no UTF-8. A page is two deflated parts and its bitmaps. The first
          part is a table of its runs and their values; a run is the values of one column: how many, of how many bytes; 2 where all are
          ASCII without capitals, 1 where all are ASCII, else 0; which of them have bitmaps, and how long these are; with what all of them
          begin, which is left out of each (of nothing where one of them is FD). The second part is for
          each value how many rows it lists (u32, transposed), and the rows (u16). Then come the bitmaps of those values that more than a
          64th of the rows have. A row that is listed several times (or once, beside a bitmap that has it) has the value so often
ids       of references (`error_ids`): six bytes of a hash of each, sorted, in pages, and behind those of a page their rows (u16). A hash,
          for the first bytes of many ids are the time; as they are, for hashes do not deflate
row ids   sixteen bytes a row, as they are: read for the rows that a search answers
began     milliseconds: how many bytes a distance takes (u64), of every 1,024th row the whole moment (u64), of every row the distance from
          the last of these. As they are: one row is looked up at a time, and low bits do not deflate
shown     of replays with several values in a column, which one they show: sorts ask for that
"""

from __future__ import annotations

import hashlib
import re
import zlib
from array import array
from collections.abc import Iterable
from functools import lru_cache
from itertools import compress
from typing import NamedTuple

import msgspec

from tapedeck.errors import DomainError

MAGIC = b"TDBK"
VERSION = 1
PREAMBLE = MAGIC + bytes([VERSION, 0, 0, 0])
TAIL = 4 + len(MAGIC)

MOST_ROWS = 65_536
FREQUENT = 64  # a value that more than a 64th of the rows have is kept as a bitmap
FEW = 16  # rows are listed all the same
PAGE = 32_768  # bytes of texts, rows and bitmaps, about; a page of which an eighth is full ends with its column
PLAIN = 0.5  # a bitmap that deflates to more of its bytes stays as it is: inflating it takes longer than all that is done with it
REFERENCES = 4_096  # entries in a page of ids
DIGEST = 6  # bytes of the hash of an id: of a million replays one is found wrongly once in many million searches
MOMENTS = 1_024  # rows of which one says when it began, and the others how much later

OF, ANY, BETWEEN = b"\xfe", b"\xfd", b"\xff"
FIELD = b"\xfc"  # between the texts of an element


class NoBlock(DomainError):
    """These bytes are no block, or one of a version that we do not read."""


class Range(NamedTuple):
    """Where something is in the object."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


class Numbers(msgspec.Struct, array_like=True, frozen=True):
    """A column of numbers; `low` and `high` are the least and the greatest, None where no row has one; `planes` are bytes of bitmaps."""

    low: int | None
    high: int | None
    step: int
    planes: list[int]
    bits: Range
    absent: Range | None


class Page(msgspec.Struct, array_like=True, frozen=True):
    """A page of the dictionary: no key in it is less than `first`, and all in the pages before are. `length` counts its bitmaps as well."""

    first: bytes
    offset: int
    texts: int  # bytes of the first part
    rows: int  #  and of the second
    length: int


class References(msgspec.Struct, array_like=True, frozen=True):
    """A page of ids: the digest with which it begins, and where it is."""

    first: bytes
    offset: int
    length: int


class Head(msgspec.Struct, array_like=True, frozen=True):
    """What a block has and where: `first` and `last` are when the first and the last of its replays began (ms)."""

    version: int
    rows: int
    first: int
    last: int
    projects: list[int]
    began: Range
    ids: Range
    shown: Range
    numbers: dict[str, Numbers]
    pages: list[Page]
    references: dict[str, list[References]]


_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(Head)


def pack_head(head: Head) -> bytes:
    """A head, deflated: of a full block some kilobytes."""
    return deflate(_encoder.encode(head))


@lru_cache(maxsize=256)
def unpack_head(packed: bytes) -> Head:
    """What `pack_head` wrote; those of the last searches are remembered, as a block never changes. NoBlock for anything else."""
    try:
        head = _decoder.decode(inflate(packed))
    except (zlib.error, msgspec.DecodeError):
        raise NoBlock("This is no head of a block.") from None
    if head.version != VERSION:
        raise NoBlock(f"This block is of version {head.version}; version {VERSION} is read here.")
    return head


def head_of(block: bytes) -> Head:
    """The head of a whole object. NoBlock for anything else."""
    if not block.startswith(MAGIC) or not block.endswith(MAGIC) or len(block) < len(PREAMBLE) + TAIL:
        raise NoBlock("This is no block.")
    if block[len(MAGIC)] != VERSION:
        raise NoBlock(f"This block is of version {block[len(MAGIC)]}; version {VERSION} is read here.")
    length = int.from_bytes(block[-TAIL : -len(MAGIC)], "little")
    return unpack_head(block[-TAIL - length : -TAIL])


# --- Bitmaps ------------------------------------------------------------------------------------------------------------------------------

_SOME = re.compile(rb"[^\0]")
_ROWS = [[row for row in range(8) if byte >> row & 1] for byte in range(256)]
_DIGITS = bytes([48, *[49] * 255])  # flags → the digits of a binary number
_FLAGS = bytes(1 if byte == 49 else 0 for byte in range(256))
_LANES = [bytes(49 if byte >> bit & 1 else 48 for byte in range(256)) for bit in range(8)]
_MANY = 1_000


def bitmap(rows: Iterable[int], count: int) -> int:
    """The set of these rows."""
    several = rows if isinstance(rows, (list, array)) else list(rows)
    if len(several) < _MANY:
        few = bytearray(count + 7 >> 3)
        for row in several:
            few[row >> 3] |= 1 << (row & 7)
        return int.from_bytes(few, "little")
    flags = bytearray(count)
    for row in several:
        flags[row] = 1
    return int(flags.translate(_DIGITS)[::-1], 2)


def flags_of(bits: int, count: int) -> bytes:
    """A byte for each row: 1 where it is in the set."""
    return format(bits, f"0{count}b").encode()[::-1].translate(_FLAGS) if count else b""


def rows_of(bits: int, count: int) -> list[int]:
    """The rows of a set, ascending."""
    if bits.bit_count() * 16 > count:
        return list(compress(range(count), flags_of(bits, count)))
    bytes_ = bits.to_bytes(count + 7 >> 3, "little")
    return [8 * at + row for at in (some.start() for some in _SOME.finditer(bytes_)) for row in _ROWS[bytes_[at]]]


def slices(codes: array[int], planes: int) -> list[int]:
    """The bit planes of numbers (unsigned, 64 bits): plane p holds the rows in whose number bit p is set."""
    lanes = codes.tobytes()
    return [int(lanes[plane >> 3 :: 8].translate(_LANES[plane & 7])[::-1] or b"0", 2) for plane in range(planes)]


def codes_of(planes: list[int], count: int) -> array[int]:
    """The numbers of which these are the bit planes."""
    lanes = bytearray(8 * count)
    for first in range(0, len(planes), 8):
        lane = sum(int.from_bytes(flags_of(bits, count), "little") << bit for bit, bits in enumerate(planes[first : first + 8]))
        lanes[first >> 3 :: 8] = lane.to_bytes(count, "little")
    codes: array[int] = array("Q")
    codes.frombytes(bytes(lanes))
    return codes


# --- Bytes --------------------------------------------------------------------------------------------------------------------------------


pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.decode


def deflate(data: bytes) -> bytes:
    """zlib, as everywhere in here."""
    return zlib.compress(data, 6)


def inflate(data: bytes | memoryview) -> bytes:
    """What `deflate` wrote."""
    return zlib.decompress(data)


def pack_bits(bits: int, count: int) -> bytes:
    """A bitmap of so many rows."""
    plain = bits.to_bytes(count + 7 >> 3, "little")
    packed = deflate(plain)
    return packed if len(packed) < PLAIN * len(plain) else plain


def unpack_bits(data: bytes | memoryview, count: int) -> bytes | memoryview:
    """The bytes of what `pack_bits` wrote."""
    size = count + 7 >> 3
    return data if len(data) == size else zlib.decompress(data, bufsize=size)


def transposed(data: bytes, width: int) -> bytes:
    """First all first bytes of entries of so many bytes, then all second ones …: what is alike lies together."""
    return b"".join(data[lane::width] for lane in range(width))


def interleaved(data: bytes, width: int) -> bytes:
    """`transposed`, undone."""
    count = len(data) // width
    entries = bytearray(len(data))
    for lane in range(width):
        entries[lane::width] = data[lane * count : (lane + 1) * count]
    return bytes(entries)


def digest(replay_or_event: str) -> bytes:
    """What is kept of an id (32 hex digits) that is referred to."""
    return hashlib.blake2b(bytes.fromhex(replay_or_event), digest_size=DIGEST).digest()


def key(column: str, value: bytes) -> bytes:
    """Where a value of a column is in the dictionary."""
    return column.encode() + OF + value


def element(anger: int, texts: Iterable[str]) -> bytes:
    """A clicked element as a value of the dictionary: how angrily it was clicked, and its texts."""
    return FIELD.join([b"%d" % anger, *(text.encode() for text in texts)])


def element_of(value: bytes) -> tuple[int, tuple[str, ...]]:
    """What `element` wrote."""
    anger, *texts = value.split(FIELD)
    return int(anger), tuple(text.decode() for text in texts)


