"""What is counted in blocks: tags, their values, clicked elements, transactions. The same as tagging, elements and tallying count.

Each is a `Reduction`: the ranges of a block that it needs, and what it makes of some of the block's rows. It has a name, by which another
function can be asked for the same (`fanning`).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Generic, TypeVar

from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks import locating, reading, writing
from tapedeck.session_replays.blocks.format import Head, Range
from tapedeck.session_replays.blocks.manifest import Kept
from tapedeck.session_replays.blocks.reading import Block, Entries
from tapedeck.session_replays.counting import RAGE
from tapedeck.session_replays.elements import Counts, Element, summed
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.tagging import HIDDEN, Seen, field_of, joined

T = TypeVar("T")
_TAGS = fields.tag_column("")


@dataclass(frozen=True)
class Reduction(Generic[T]):
    """What is to be made of the rows of a block that count: something of the type `told`, by whatever name and arguments made this.

    `joined` makes one of what several blocks have told, `finish` makes of what all have told what is wanted, in a round trip.
    """

    name: str
    arguments: tuple[Any, ...]
    told: Any
    ranges: Callable[[Head], Iterable[Range]]
    rows: Callable[[Kept, Block, int], Any]
    joined: Callable[[list[Any]], Any]
    finish: Callable[[list[Any]], list[T]] = list


def keys() -> Reduction[Counter[str]]:
    """How often each tag is on these replays: once for each value that a replay has of it."""
    return Reduction(
        "keys",
        (),
        dict[str, int],
        lambda head: reading.whole(_tag_pages(head)),
        lambda _, block, rows: _keys(block, rows),
        lambda pages: sum(pages, Counter()),
        lambda pages: [Counter(page) for page in pages],
    )


def _keys(block: Block, rows: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for page in _tag_pages(block.head):
        for column, run in block.page(page).runs.items():
            if column.startswith(_TAGS.encode()):
                key = column.decode().removeprefix(_TAGS)
                for at, value in enumerate(run.values()):
                    if value != form.ANY and key != HIDDEN and (count := (run.rows(at) & rows).bit_count()):
                        found[key] += count
    return found


def _tag_pages(head: Head) -> list[form.Page]:
    return reading.pages_between(head, _TAGS.encode(), _TAGS.encode() + form.BETWEEN)


def values(key: str) -> Reduction[dict[str, Seen]]:
    """The values of a tag, or of a field that goes by a tag's name."""
    name = field_of(key)
    columns = [name or fields.tag_column(key)] if key != HIDDEN else []
    if name == "user.ip":
        columns.append(writing.HIDDEN_ADDRESSES)

    def ranges(head: Head) -> Iterator[Range]:
        for column in columns:
            yield from reading.whole(reading.pages_of(head, column))
        for column in (writing.FIRST, writing.LAST):
            yield from reading.number_ranges(head, column)

    return Reduction("values", (key,), dict[str, Seen], ranges, lambda _, block, rows: _values(block, rows, columns), joined)


def _values(block: Block, rows: int, columns: Sequence[str]) -> dict[str, Seen]:
    first, last = block.numbers(writing.FIRST), block.numbers(writing.LAST)
    found: dict[str, Seen] = {}
    for value, bits in _each(block, rows, columns):
        began, ended = first.extreme(bits, greatest=False), last.extreme(bits, greatest=True)
        assert began is not None
        assert ended is not None
        found[value.decode()] = Seen(bits.bit_count(), began, ended)
    return found


def _each(block: Block, rows: int, columns: Sequence[str]) -> Iterator[tuple[bytes, int]]:
    for column in columns:
        for run in block.entries(column):
            for at, value in enumerate(run.values()):
                if value != form.ANY and (bits := run.rows(at) & rows):
                    yield value, bits


def elements() -> Reduction[Mapping[Element, Counts]]:
    """The elements that were clicked, with their dead and rage clicks."""

    def ranges(head: Head) -> Iterator[Range]:
        yield from reading.whole(reading.pages_of(head, fields.CLICKED))
        yield from reading.number_ranges(head, "project_id")

    return Reduction("elements", (), dict[Element, Counts], ranges, lambda _, block, rows: _elements(block, rows), summed)


def _elements(block: Block, rows: int) -> dict[Element, Counts]:
    found: dict[Element, Counts] = {}
    ours = {project: block.numbers("project_id").equal(project) & rows for project in block.head.projects}
    for run in block.entries(fields.CLICKED):
        for at, value in enumerate(run.values()):
            if value == form.ANY:
                continue
            anger, texts = form.element_of(value)
            for project, mask in ours.items():
                if clicks := _times(run, at, mask, block.rows):
                    element = project, texts[:-1]
                    dead, rage = found.get(element, (0, 0))
                    found[element] = dead + clicks * (anger > 0), rage + clicks * (anger == RAGE)
    return found


def _times(run: Entries, at: int, mask: int, count: int) -> int:
    """How often a value is on these rows, each as often as it has it."""
    flags = mask.to_bytes(count + 7 >> 3, "little")
    listed: array[int] = run.listed(at)
    return (run.bitmap(at) & mask).bit_count() + sum(flags[row >> 3] >> (row & 7) & 1 for row in listed)


def transactions(wanted: Sequence[str], most: int) -> Reduction[list[tuple[str, str]]]:
    """(transaction, replay's id) of those that are wanted, of each at most so many a block."""
    column = fields.tag_column("transaction")

    def ranges(head: Head) -> Iterator[Range]:
        for value in wanted:
            yield from reading.whole(reading.page_of(head, column, value.encode()))

    def rows(kept: Kept, block: Block, bits: int) -> list[tuple[str, str, Range]]:
        having = [(value, form.rows_of(block.having(column, value.encode()) & bits, block.rows)[:most]) for value in wanted]
        return [(value, kept.object_key, reading.id_range(kept.head, row)) for value, several in having for row in several]

    def finish(told: list[list[tuple[str, str, Range]]]) -> list[list[tuple[str, str]]]:
        entries = list(chain.from_iterable(told))
        ids = locating.fetched([(object_key, where) for _, object_key, where in entries])
        return [[(value, name.hex()) for (value, _, _), name in zip(entries, ids, strict=True)]]

    told = list[tuple[str, str, Range]]
    return Reduction("transactions", (wanted, most), told, ranges, rows, lambda pages: list(chain.from_iterable(pages)), finish)


NAMED: Mapping[str, Callable[..., Reduction[Any]]] = {
    "keys": keys,
    "values": values,
    "elements": elements,
    "transactions": transactions,
}
