"""The language of `search/` over blocks: a tree becomes bitmaps, and an order becomes the best rows of one.

The tree and the table of fields are the same that documents are searched with; only what a condition does is told a second time here. Every
condition can say which ranges of a block it needs, before it is asked for its rows. AND begins with what is cheapest and stops at nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks import reading
from tapedeck.session_replays.blocks.format import Head, Range
from tapedeck.session_replays.blocks.reading import Block, Column, Entries
from tapedeck.session_replays.search import fields, selectors, wildcards
from tapedeck.session_replays.search.fields import CLICKED, Condition, Sort
from tapedeck.session_replays.search.language import And, Expression, Not, Or, Term

NONE = -1  # what `sort.read` says of who has no number


class Question(Protocol):
    """Something that is so of some rows of every block."""

    @property
    def cost(self) -> int:
        """Roughly, in microseconds."""

    def verdict(self, head: Head) -> bool | None:
        """Whether it is so of all rows of a block (True), or of none (False), where its head tells; else None."""

    def ranges(self, head: Head) -> Iterable[Range]:
        """What must be there before it is asked."""

    def rows(self, block: Block) -> int:
        """The rows of which it is so."""


def question(expression: Expression, viewer_id: int | None = None) -> Question:
    """What `evaluating.matcher` asks of a document, asked of a block. Raises Invalid as it does."""
    match expression:
        case Term():
            return _asked(fields.of_replay(expression), viewer_id)
        case Not(inner):
            return _Complement(question(inner, viewer_id))
        case And(terms):
            return _All(sorted((question(term, viewer_id) for term in terms), key=_cost))
        case Or(terms):
            return _Any([question(term, viewer_id) for term in terms])


def both(first: Question, second: Question) -> Question:
    """Whatever is so by both; the second is asked only of blocks of which the first leaves something."""
    return _All([first, second])


def _cost(asked: Question) -> int:
    return asked.cost


# --- Trees --------------------------------------------------------------------------------------------------------------------------------


class _All:
    def __init__(self, parts: Sequence[Question]) -> None:
        self.parts, self.cost = parts, sum(part.cost for part in parts)

    def verdict(self, head: Head) -> bool | None:
        told = [part.verdict(head) for part in self.parts]
        return False if False in told else None if None in told else True

    def ranges(self, head: Head) -> Iterable[Range]:
        return [each for part in self.parts for each in part.ranges(head)]

    def rows(self, block: Block) -> int:
        found = block.full
        for part in self.parts:
            found &= part.rows(block)
            if not found:
                break
        return found


class _Any(_All):
    def verdict(self, head: Head) -> bool | None:
        told = [part.verdict(head) for part in self.parts]
        return True if True in told else None if None in told else False

    def rows(self, block: Block) -> int:
        found = 0
        for part in self.parts:
            found |= part.rows(block)
        return found


@dataclass(frozen=True, slots=True)
class _Complement:
    inner: Question

    @property
    def cost(self) -> int:
        return self.inner.cost

    def verdict(self, head: Head) -> bool | None:
        told = self.inner.verdict(head)
        return None if told is None else not told

    def ranges(self, head: Head) -> Iterable[Range]:
        return self.inner.ranges(head)

    def rows(self, block: Block) -> int:
        return block.full & ~self.inner.rows(block)


# --- Conditions ---------------------------------------------------------------------------------------------------------------------------


def _asked(condition: Condition, viewer_id: int | None) -> Question:
    kind = condition.field.type
    if condition.field.element is not None:
        return _OfElements(condition)
    if kind is fields.ME:
        (wanted,) = condition.values
        mine = _OfTexts(Condition(condition.field, "=", (viewer_id,))) if viewer_id is not None else _Any([])
        return mine if wanted else _Complement(mine)
    if kind.kept == "numbers":
        return _OfNumbers(condition)
    return _OfReferences(condition) if kind.kept == "references" else _OfTexts(condition)


@dataclass(frozen=True, slots=True)
class _OfNumbers:
    condition: Condition
    cost: int = 1

    def ranges(self, head: Head) -> Iterable[Range]:
        return reading.number_ranges(head, self.condition.field.kept_in) if self.verdict(head) is None else []

    def rows(self, block: Block) -> int:
        known = self.verdict(block.head)
        if known is not None:
            return block.full if known else 0
        column, operator, values = block.numbers(self.condition.field.kept_in), self.condition.operator, self.condition.values
        if operator in ("=", "in", "!="):
            found = 0
            for value in values:
                found |= column.absent if value is None else column.equal(value)
            return block.full & ~found if operator == "!=" else found
        (wanted,) = values
        if wanted is None:
            return 0
        at_least = column.at_least(wanted if operator in (">=", "<") else wanted + 1)
        return at_least if operator in (">=", ">") else column.present & ~at_least

    def verdict(self, head: Head) -> bool | None:
        kept, operator, values = head.numbers[self.condition.field.kept_in], self.condition.operator, self.condition.values
        if kept.absent is not None or kept.low is None or kept.high is None or None in values:
            return None
        if operator in ("=", "in", "!="):
            if all(value < kept.low or value > kept.high for value in values):
                return operator == "!="
            return operator != "!=" if kept.low == kept.high else None
        (wanted,) = values
        bound = wanted if operator in (">=", "<") else wanted + 1
        upward = operator in (">=", ">")
        return upward if kept.low >= bound else not upward if kept.high < bound else None


@dataclass(frozen=True, slots=True)
class _OfTexts:
    condition: Condition

    @property
    def cost(self) -> int:
        return 20 if self.condition.operator == "like" else 2 * len(self.condition.values)

    def verdict(self, _head: Head) -> None:
        return None

    def ranges(self, head: Head) -> Iterable[Range]:
        column = self.condition.field.kept_in
        if self.condition.operator == "like":
            return reading.whole(reading.pages_of(head, column))
        return reading.whole(page for value in self.condition.values for page in reading.page_of(head, column, _kept(value)))

    def rows(self, block: Block) -> int:
        column, values = self.condition.field.kept_in, self.condition.values
        if self.condition.operator == "like":
            (pattern,) = values
            found = 0
            for entries in block.entries(column):
                found |= entries.union(matching(entries, pattern))
            return found
        found = 0
        for value in dict.fromkeys(values):
            rows = block.having(column, _kept(value))
            found |= block.full & ~rows if value is None else rows
        return found


@dataclass(frozen=True, slots=True)
class _OfReferences:
    condition: Condition

    @property
    def cost(self) -> int:
        return 3 * len(self.condition.values)

    def verdict(self, _head: Head) -> None:
        return None

    def ranges(self, head: Head) -> Iterable[Range]:
        column = self.condition.field.kept_in
        for value in self.condition.values:
            if value is None:
                yield from reading.whole(reading.page_of(head, column, form.ANY))
            else:
                yield from reading.whole(reading.references_of(head, column, form.digest(value)))

    def rows(self, block: Block) -> int:
        column, found = self.condition.field.kept_in, 0
        for value in dict.fromkeys(self.condition.values):
            if value is None:
                found |= block.full & ~block.having(column, form.ANY)
            else:
                found |= block.referring(column, form.digest(value))
        return found


@dataclass(frozen=True, slots=True)
class _OfElements:
    condition: Condition
    cost: int = 50

    def verdict(self, _head: Head) -> None:
        return None

    def ranges(self, head: Head) -> Iterable[Range]:
        return reading.whole(reading.pages_of(head, CLICKED))

    def rows(self, block: Block) -> int:
        read, test = self.condition.field.element, _test(self.condition)
        assert read is not None
        found, any_value = 0, 0
        for entries in block.entries(CLICKED):
            values = [read(*form.element_of(value)) if value != form.ANY else () for value in entries.values()]
            found |= entries.union(at for at, several in enumerate(values) if any(map(test, several)))
            if None in self.condition.values:
                any_value |= entries.union(at for at, several in enumerate(values) if several)
        return found | block.full & ~any_value if None in self.condition.values else found


def _test(condition: Condition) -> Callable[[Any], bool]:
    """Of one value of an element."""
    if condition.field.type is fields.SELECTOR:
        (selector,) = condition.values
        return lambda texts: selectors.matches(selector, texts)
    if condition.operator == "like":
        (pattern,) = condition.values
        return lambda value: wildcards.matches(pattern, value)
    choice = frozenset(value for value in condition.values if value is not None)
    return lambda value: value in choice


def _kept(value: Any) -> bytes:
    return form.ANY if value is None else str(value).encode()


def matching(entries: Entries, pattern: wildcards.Pattern) -> Sequence[int]:
    """The places of the values that match, found by the longest part of the pattern: the text is searched, not each value in it."""
    part = max(pattern, key=len, default="").encode()
    if not entries.plain or not part:
        values = enumerate(entries.values())
        return [at for at, value in values if value != form.ANY and wildcards.matches(pattern, value.decode())]
    prefix = entries.prefix.lower()
    if part in prefix:
        return [at for at, value in enumerate(entries.values()) if len(pattern) == 1 or wildcards.matches(pattern, value.decode())]
    text = form.BETWEEN + (entries.text.lower() if entries.plain < 2 else entries.text) + form.BETWEEN
    begun = [form.BETWEEN + part[length:] for length in range(1, len(part)) if prefix.endswith(part[:length])]
    found = {place for wanted in (part, *begun) for place in _places(text, wanted, prefix, pattern)}
    return sorted(found)


def _places(text: bytes, wanted: bytes, prefix: bytes, pattern: wildcards.Pattern) -> Iterator[int]:
    """Which of the rests of values, each between two FF, have something in them (or begin with it) and match, together with the prefix."""
    at, before, place = text.find(wanted), 0, -1
    while at >= 0:
        place += text.count(form.BETWEEN, before, at + 1)
        before, end = at + 1, text.find(form.BETWEEN, at + 1)
        begin = text.rfind(form.BETWEEN, 0, at + 1) + 1
        if len(pattern) == 1 or wildcards.matches(pattern, (prefix + text[begin:end]).decode()):
            yield place
        at = text.find(wanted, end)


# --- Order --------------------------------------------------------------------------------------------------------------------------------


def sort_ranges(sort: Sort, head: Head) -> Iterable[Range]:
    """What must be there before a block's rows are put into this order."""
    if sort.kept == "numbers":
        return reading.number_ranges(head, sort.name)
    return [*reading.whole(reading.pages_of(head, sort.name)), head.shown] if sort.kept == "texts" else []


def zone(sort: Sort, head: Head) -> tuple[Any, Any] | None:
    """The least and the greatest of the keys in a block, as `sort.read` tells them; None when only the block itself knows."""
    if sort.kept == "order":
        return head.first, head.last
    if sort.kept == "texts":
        return None
    kept = head.numbers[sort.name]
    known = [each for each in (kept.low, kept.high, NONE if kept.absent else None) if each is not None]
    return min(known), max(known)


def beyond(block: Block, sort: Sort, key: Any, *, descending: bool, equal: bool) -> int:
    """The rows that come before those with this key; `equal` adds the rows that have it."""
    if sort.kept != "numbers":
        return block.full
    column = block.numbers(sort.name)
    if descending:
        bound = key if equal else key + 1
        return column.at_least(bound) | (column.absent if bound <= NONE else 0)
    bound = key + 1 if equal else key
    return column.present & ~column.at_least(bound) | (column.absent if bound > NONE else 0)


def best(block: Block, wanted: int, sort: Sort, count: int, *, descending: bool) -> list[tuple[Any, int]]:
    """The first `count` of these rows in an order, ties in the order of the block: each with its key, as `sort.read` tells it."""
    if sort.kept == "order":
        return [(block.began[row], row) for row in _ends(wanted, count, block.rows, last=descending)]
    if sort.kept == "texts":
        return _best_texts(block, wanted, sort.name, count, descending=descending)
    return _best_numbers(block, block.numbers(sort.name), wanted, count, descending=descending)


def _best_numbers(block: Block, column: Column, wanted: int, count: int, *, descending: bool) -> list[tuple[Any, int]]:
    """Rows without a number are among the others as if it were NONE."""
    if not column.absent:
        return _best_present(block, column, wanted, count, descending=descending)
    above, below = column.at_least(NONE + 1), column.present & ~column.at_least(NONE)
    found: list[tuple[Any, int]] = []
    for part in (above, None, below) if descending else (below, None, above):
        left = count - len(found)
        if part is not None:
            found += _best_present(block, column, wanted & part, left, descending=descending)
        else:
            none = wanted & ~above & ~below
            found += [(NONE, row) for row in _ends(none, left, block.rows, last=descending)]
    return found


def _best_present(block: Block, column: Column, wanted: int, count: int, *, descending: bool) -> list[tuple[Any, int]]:
    rows = column.best(wanted, count, greatest=descending) if count > 0 else 0
    if rows.bit_count() > count:  # many are equal to the last: of these the first in the order of the block
        edge = column.extreme(rows, greatest=not descending)
        assert edge is not None
        equal = column.equal(edge) & rows
        rows &= ~equal
        taken = _ends(equal, count - rows.bit_count(), block.rows, last=descending)
        rows |= form.bitmap(taken, block.rows)
    several = form.rows_of(rows, block.rows)
    return sorted(zip(column.numbers(several), several, strict=True), reverse=descending) if several else []


def _best_texts(block: Block, wanted: int, column: str, count: int, *, descending: bool) -> list[tuple[Any, int]]:
    several = {row: value for row, name, value in block.shown() if name == column}
    ambiguous = form.bitmap(list(several), block.rows)
    silent = wanted & ~block.having(column, form.ANY)
    none: list[tuple[Any, int]] = [("", row) for row in _ends(silent, count, block.rows, last=descending)]
    found: list[tuple[Any, int]] = [] if descending else none
    runs = list(block.entries(column))
    for run in reversed(runs) if descending else runs:
        values = run.values()
        for at in reversed(range(len(values))) if descending else range(len(values)):
            if len(found) >= count:
                return found[:count]
            if values[at] == form.ANY:
                continue
            rows = run.rows(at) & wanted
            if rows & ambiguous:
                value = values[at].decode()
                rows &= ~form.bitmap([row for row, shown in several.items() if shown != value], block.rows)
            if rows:
                text = values[at].decode()
                found += [(text, row) for row in _ends(rows, count - len(found), block.rows, last=descending)]
    return (found + none if descending else found)[:count]


def _ends(bits: int, count: int, rows: int, *, last: bool) -> list[int]:
    """The first (last) rows of a set, from the end inwards."""
    if count * 8 > bits.bit_count() or count > 1_000:
        found = form.rows_of(bits, rows)
        return found[: -count - 1 : -1] if last else found[:count]
    found = []
    while bits and len(found) < count:
        row = bits.bit_length() - 1 if last else (bits & -bits).bit_length() - 1
        found.append(row)
        bits ^= 1 << row
    return found
