"""Making blocks: out of documents, or out of blocks that are there. Pure: bytes in, bytes out.

Rows become `Columns`: for each value the rows that have it, for each number a list. Documents are turned into columns by the fields' own
`read` (search/fields.py), so that a block cannot say of a replay what its document does not. Columns of several blocks become one by giving
every row its new number; rows that are wanted no longer get none, and nothing of them is copied.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks.format import Head, Numbers, Page, Range, References
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.document import Document

ENDED = "ended"  #   whole seconds: what retention asks for, of deleted replays as well
EXPIRES = "expires"  # whole seconds: until when a replay is kept, by the days that its environment had when it was recorded
FIRST, LAST = "first", "last"  # whole seconds: when segments were first and last recorded, as tag values tell
VERSION = "version"  # of the replay's row: a block that has just been packed keeps it until its replays have left the hot tier
HIDDEN_ADDRESSES = "user.ip.hidden"  # IPv6 addresses are no values of the field user.ip, and are listed with its values all the same


@dataclass
class Columns:
    """Rows on their way into a block, in its order."""

    began: list[int] = field(default_factory=list)
    ids: list[bytes] = field(default_factory=list)
    numbers: dict[str, list[int | None]] = field(default_factory=lambda: defaultdict(list))
    texts: dict[bytes, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("H")))
    references: dict[str, list[tuple[bytes, int]]] = field(default_factory=lambda: defaultdict(list))
    shown: list[tuple[int, str, str]] = field(default_factory=list)  # (row, column, value)


# --- From documents -----------------------------------------------------------------------------------------------------------------------

_NUMBERS = [(one.name, one.read) for one in fields.FIELDS if one.type.kept == "numbers"]
_SORTED = {one.name: one for one in fields.SORTS if one.kept == "numbers" and one.name not in {name for name, _ in _NUMBERS}}
_TEXTS = [(one.name, one.read) for one in fields.FIELDS if one.type.kept == "texts" and one.kept_in == one.name]
_SHOWN = {one.name: one.read for one in fields.SORTS if one.kept == "texts"}
_REFERENCES = [(one.name, one.read) for one in fields.FIELDS if one.type.kept == "references"]


def columns_of(documents: Sequence[Document], versions: Sequence[int] = ()) -> Columns:
    """The columns of so many documents: at most `MOST_ROWS`, in any order; `versions` are those of their rows."""
    columns = Columns()
    order = sorted(range(len(documents)), key=lambda at: (fields.began(documents[at]), documents[at].replay_id))
    for number, at in enumerate(order):
        _add(columns, number, documents[at])
        if versions:
            columns.numbers[VERSION].append(versions[at])
    return columns


def _add(columns: Columns, number: int, document: Document) -> None:
    columns.began.append(fields.began(document))
    columns.ids.append(bytes.fromhex(document.replay_id))
    for name, one in _numbers_of(document).items():
        columns.numbers[name].append(one)
    for name, read in _REFERENCES:
        found = set(read(document))
        columns.references[name].extend((form.digest(each), number) for each in found)
        if found:
            columns.texts[form.key(name, form.ANY)].append(number)
    for name, values in _texts_of(document).items():
        for value in values:
            columns.texts[form.key(name, value)].append(number)
        if values:
            columns.texts[form.key(name, form.ANY)].append(number)
        if len(values) > 1 and name in _SHOWN:
            columns.shown.append((number, name, _SHOWN[name](document)))


def _numbers_of(document: Document) -> dict[str, int | None]:
    row = document.row
    return {
        **{name: read(document) for name, read in _NUMBERS},
        **{name: value if (value := sort.read(document)) != -1 else None for name, sort in _SORTED.items()},
        ENDED: int(row["finished"]),
        **{name: int(row[name]) if name in row else None for name in (EXPIRES, FIRST, LAST)},
    }


def _texts_of(document: Document) -> dict[str, Collection[bytes]]:
    """The values of each column, each once; elements as often as they were clicked."""
    row = document.row
    slow, addresses = row.get("slow", {}), row.get("scalars", {}).get("user.ip", ())
    clicks = [(slow.get(identity, 0), texts) for identity, (_, _, texts) in row.get("clicks", {}).items() if texts[0]]
    return {
        **{name: {str(value).encode() for value in read(document)} for name, read in _TEXTS},
        HIDDEN_ADDRESSES: [address.encode() for address in addresses if ":" in address],
        **{fields.tag_column(key): [value.encode() for value in values] for key, values in row.get("tags", {}).items()},
        fields.CLICKED: [form.element(*click) for click in clicks],
    }


# --- From blocks --------------------------------------------------------------------------------------------------------------------------


def merged(blocks: Sequence[tuple[Block, int]]) -> list[Columns]:
    """The rows of several blocks, of each those in its bitmap, in order; as many columns as blocks are to be made of them.

    Versions of rows stay where all blocks have them.
    """
    order = sorted(
        (block.began[row], block.row_id(row), number, row)
        for number, (block, wanted) in enumerate(blocks)
        for row in form.rows_of(wanted, block.rows)
    )
    count = -(-len(order) // form.MOST_ROWS)
    size = -(-len(order) // count) if count else 0
    return [_taken(blocks, order[at : at + size]) for at in range(0, len(order), size)] if count else []


def _taken(blocks: Sequence[tuple[Block, int]], order: Sequence[tuple[int, bytes, int, int]]) -> Columns:
    columns = Columns([began for began, *_ in order], [replay for _, replay, *_ in order])
    places: list[dict[int, int]] = [{} for _ in blocks]
    for place, (_, _, number, row) in enumerate(order):
        places[number][row] = place
    names = [name for name in blocks[0][0].head.numbers if all(name in block.head.numbers for block, _ in blocks)]
    for (block, _), place_of in zip(blocks, places, strict=True):
        if place_of:
            _copy(columns, block, names, place_of, len(order))
    for listed in columns.texts.values():
        listed[:] = array("H", sorted(listed))
    return columns


def _copy(columns: Columns, block: Block, names: Collection[str], place_of: dict[int, int], count: int) -> None:
    for name in names:
        values = columns.numbers[name]
        values.extend([None] * (count - len(values)))
        told = block.numbers(name).values()
        for row, place in place_of.items():
            values[place] = told[row]
    for key, rows in block.dictionary():
        kept = [place_of[row] for row in rows if row in place_of]
        if kept:
            columns.texts[key].extend(kept)
    for name in block.head.references:
        columns.references[name].extend((digest, place_of[row]) for digest, row in block.references(name) if row in place_of)
    columns.shown.extend((place_of[row], name, value) for row, name, value in block.shown() if row in place_of)


# --- To bytes -----------------------------------------------------------------------------------------------------------------------------


class _Sections:
    """The object so far. What is there already is not written twice."""

    def __init__(self) -> None:
        self.parts, self.size, self._known = [form.PREAMBLE], len(form.PREAMBLE), dict[bytes, Range]()

    def add(self, data: bytes) -> Range:
        if data not in self._known:
            self._known[data] = Range(self.size, len(data))
            self.parts.append(data)
            self.size += len(data)
        return self._known[data]


def write(columns: Columns) -> tuple[bytes, Head]:
    """A block: its bytes, and its head."""
    count = len(columns.began)
    if not 0 < count <= form.MOST_ROWS:
        raise ValueError(f"A block has at least one and at most {form.MOST_ROWS} rows.")
    sections = _Sections()
    projects = sorted({number for number in columns.numbers["project_id"] if number is not None})
    ids = sections.add(b"".join(columns.ids))
    began = sections.add(_began(columns.began))
    numbers = {name: _numbers(sections, values) for name, values in columns.numbers.items()}
    pages = list(_pages(sections, columns.texts, count))
    references = {name: list(_references(sections, entries)) for name, entries in columns.references.items() if entries}
    shown = sections.add(form.deflate(form.pack(columns.shown)))
    head = Head(
        form.VERSION, count, columns.began[0], columns.began[-1], projects, began, ids, shown, numbers, pages, references
    )
    packed = form.pack_head(head)
    return b"".join([*sections.parts, packed, len(packed).to_bytes(4, "little"), form.MAGIC]), head


def _began(moments: Sequence[int]) -> bytes:
    anchors = moments[:: form.MOMENTS]
    distances = [moment - anchors[row // form.MOMENTS] for row, moment in enumerate(moments)]
    width = max(distances).bit_length() + 7 >> 3
    return array("Q", [width, *anchors]).tobytes() + b"".join(distance.to_bytes(width, "little") for distance in distances)


def _numbers(sections: _Sections, values: Sequence[int | None]) -> Numbers:
    known = [int(value) for value in values if value is not None]
    if not known:
        return Numbers(None, None, 1, [], Range(0, 0), sections.add(form.pack_bits((1 << len(values)) - 1, len(values))))
    low, high = min(known), max(known)
    step = _step(known, low)
    codes = array("Q", [0 if value is None else (value - low) // step for value in values])
    planes = [form.pack_bits(plane, len(values)) for plane in form.slices(codes, ((high - low) // step).bit_length())]
    absent = form.bitmap([row for row, value in enumerate(values) if value is None], len(values))
    bits = sections.add(b"".join(planes))
    return Numbers(low, high, step, list(map(len, planes)), bits, sections.add(form.pack_bits(absent, len(values))) if absent else None)


def _step(known: Sequence[int], low: int) -> int:
    """1000 where all are whole seconds, told in milliseconds."""
    return 1000 if all((value - low) % 1000 == 0 for value in known) and known else 1


def _pages(sections: _Sections, texts: dict[bytes, array[int]], count: int) -> Iterator[Page]:
    """The dictionary, cut where a page is full."""
    page, size, before = list[tuple[bytes, Sequence[int], bytes]](), 0, b""
    column = b""
    for key in sorted(texts):
        last, column = column, key.split(form.OF, 1)[0]
        if column != last and size > form.PAGE // 8:
            yield _page(sections, page, before)
            page, size, before = [], 0, page[-1][0]
        rows: Sequence[int] = texts[key]
        bits = b""
        if len(rows) > form.FEW and len(rows) * form.FREQUENT > count:
            distinct = form.bitmap(rows, count)
            if distinct.bit_count() * form.FREQUENT > count:
                bits = form.pack_bits(distinct, count)
                rows = [] if distinct.bit_count() == len(rows) else [row for at, row in enumerate(rows) if at and rows[at - 1] == row]
        shared = _shared(key, page[-1][0]) if page else 0
        size += len(key) - shared + 4 + 2 * len(rows) + len(bits)
        page.append((key, rows, bits))
        if size > form.PAGE:
            yield _page(sections, page, before)
            page, size, before = [], 0, key
    if page:
        yield _page(sections, page, before)


def _page(sections: _Sections, entries: Sequence[tuple[bytes, Sequence[int], bytes]], before: bytes) -> Page:
    runs: list[list[Any]] = []
    values: list[list[bytes]] = []
    for key, _, bits in entries:
        column, value = key.split(form.OF, 1)
        if not runs or runs[-1][0] != column:
            runs.append([column, 0, 0, 0, [], b""])
            values.append([])
        if bits:
            runs[-1][4].append((runs[-1][1], len(bits)))
        runs[-1][1] += 1
        values[-1].append(value)
    told: list[bytes] = []
    for run, several in zip(runs, values, strict=True):
        plain = b"".join(several).replace(form.ANY, b"")
        run[3] = plain.isascii() + (plain.isascii() and plain == plain.lower())
        run[5] = several[0][: _shared(several[0], several[-1])] if several[-1] != form.ANY else b""
        told.append(form.BETWEEN.join(value[len(run[5]) :] for value in several))
        run[2] = len(told[-1])
    lengths = array("I", (len(rows) for _, rows, _ in entries))
    listed = array("H", chain.from_iterable(rows for _, rows, _ in entries))
    table = form.pack(runs)
    texts = form.deflate(b"".join([len(table).to_bytes(4, "little"), table, *told]))
    rows = form.deflate(form.transposed(lengths.tobytes(), 4) + listed.tobytes())
    at = sections.add(b"".join([texts, rows, *(bits for _, _, bits in entries)]))
    return Page(_boundary(before, entries[0][0]), at.offset, len(texts), len(rows), at.length)


def _shared(one: bytes, other: bytes) -> int:
    """How many bytes they both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _boundary(before: bytes, first: bytes) -> bytes:
    """The shortest beginning of `first` that is greater than the key before it."""
    return next(first[:length] for length in range(1, len(first) + 1) if first[:length] > before)


def _references(sections: _Sections, entries: Sequence[tuple[bytes, int]]) -> Iterator[References]:
    ordered = sorted(entries)
    for at in range(0, len(ordered), form.REFERENCES):
        page = ordered[at : at + form.REFERENCES]
        where = sections.add(b"".join(digest for digest, _ in page) + array("H", [row for _, row in page]).tobytes())
        yield References(page[0][0], where.offset, where.length)
