"""From a query's tree to a function of what is searched (contract §2.4).

A term asks whether there is a value such as it describes, and negation asks whether there is none: of a replay that no segment tells a
release of, `!release:a` is true. So negation is always the complement, of deleted replays as well, and two terms may be met by two
different segments. On the clicks endpoint the question is asked of each click by itself, and every AND behaves as an OR (contract §5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from operator import ge, gt, itemgetter, le, lt
from typing import Any, TypeAlias

from tapedeck.session_replays.recording import Click
from tapedeck.session_replays.search import fields, selectors, wildcards
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.fields import Condition
from tapedeck.session_replays.search.language import And, Expression, Not, Or, Term

Test: TypeAlias = Callable[[Any], bool]


def matcher(expression: Expression, viewer_id: int | None = None) -> Callable[[Document], bool]:
    """Whether a replay is found; `viewer_id` is who asks. Raises Invalid for terms that make no sense of their fields."""
    return _compiled(expression, fields.of_replay, viewer_id)


def click_matcher(expression: Expression) -> Callable[[Click], bool]:
    """Whether a click is found. Raises Invalid for fields that clicks do not have."""
    return _compiled(expression, fields.of_click, alone=True)


def element_matcher(expression: Expression) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a row of replay-selectors, with its two counts, is found. Raises Invalid for other fields than these."""
    return _compiled(expression, fields.of_element)


def sort_key(sort: str) -> Callable[[Document], tuple[Any, int, str]]:
    """By what replays are ordered, for `sort` with or without its "-": ties by when they began, then by id. Raises Invalid for no sort.

    Replays without the value come first where values ascend. Descending is the reverse of ascending, ties and all.
    """
    read, began = fields.sort_of(sort).read, fields.began
    return lambda document: (read(document), began(document), document.replay_id)


def is_descending(sort: str) -> bool:
    """Whether a sort begins with what is greatest."""
    return sort.startswith("-")


# --- Trees --------------------------------------------------------------------------------------------------------------------------------


def _compiled(
    expression: Expression, understand: Callable[[Term], Condition], viewer_id: int | None = None, *, alone: bool = False
) -> Test:
    """One function for a tree. `understand` knows the fields; the depth of trees is bounded where they are made.

    `alone` is how the clicks of one replay are asked: AND behaves as OR, and what is no CSS finds nothing, negated or not.
    """
    conjunction = _any if alone else _all

    def compiled(node: Expression) -> tuple[int, Test]:
        """With what it costs: the cheapest of several is asked first."""
        match node:
            case Term():
                asked = understand(node)
                return _cost(asked), _test(asked, viewer_id)
            case Not(Term() as term):
                asked = understand(term)
                kind = asked.field.type
                if not kind.negatable:
                    raise fields.illegal_operator(term.key)
                if alone and kind is fields.SELECTOR and asked.values == (selectors.NOTHING,):
                    return 0, _nothing
                return _cost(asked), _none(_test(asked, viewer_id))
            case Not(inner):
                cost, test = compiled(inner)
                return cost, _none(test)
            case And(terms):
                return several(terms, conjunction)
            case Or(terms):
                return several(terms, _any)

    def several(terms: Sequence[Expression], join: Callable[[Sequence[Test]], Test]) -> tuple[int, Test]:
        parts = sorted(map(compiled, terms), key=itemgetter(0))
        return sum(cost for cost, _ in parts), join([test for _, test in parts]) if parts else _everything

    return compiled(expression)[1]


def _everything(_subject: Any) -> bool:
    return True


def _nothing(_subject: Any) -> bool:
    return False


def _none(test: Test) -> Test:
    return lambda subject: not test(subject)


def _all(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) and second(subject)

    def every(subject: Any) -> bool:
        for test in tests:  # noqa: SIM110  # a loop is twice as fast as all() of a generator
            if not test(subject):
                return False
        return True

    return every


def _any(tests: Sequence[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda subject: first(subject) or second(subject)

    def some(subject: Any) -> bool:
        for test in tests:  # noqa: SIM110
            if test(subject):
                return True
        return False

    return some


# --- Terms --------------------------------------------------------------------------------------------------------------------------------

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}


def _cost(asked: Condition) -> int:
    """Roughly, in tenths of a microsecond: a place in the row, a count, a list to be made of it, texts to be searched."""
    if asked.operator == "like":
        return 5 if asked.field.place else 20
    return 1 if asked.field.place else 3 if asked.field.type.single else 6


def _test(asked: Condition, viewer_id: int | None) -> Test:
    kind, read = asked.field.type, asked.field.read
    if asked.operator == "!=":
        return _none(_test(replace(asked, operator="="), viewer_id))
    if kind is fields.ME:
        (wanted,) = asked.values
        return lambda subject: (viewer_id in read(subject)) is wanted
    if kind is fields.SELECTOR:
        (selector,) = asked.values
        return lambda subject: any(selectors.matches(selector, texts) for texts in read(subject))
    if asked.field.place and asked.operator == "=" and asked.values != (None,):
        return _at(asked.field.place, asked.values[0])
    return _of_one(read, asked.operator, asked.values) if kind.single else _of_many(read, asked.operator, asked.values)


def _at(place: tuple[str, str], wanted: str) -> Test:
    """What `_of_many` says of a field's `read`, in one call instead of two."""
    outer, inner = place
    nothing: Mapping[str, Any] = {}
    return lambda subject: wanted in subject.row.get(outer, nothing).get(inner, nothing)


def _of_one(read: Callable[[Any], Any], operator: str, values: Sequence[Any]) -> Test:
    """Of a value or None; None is equal to None, which stands for "" in a query, and compares with nothing."""
    wanted = values[0]
    if operator == "=":
        return lambda subject: bool(read(subject) == wanted)
    if operator == "in":
        choice = frozenset(values)
        return lambda subject: read(subject) in choice
    compare = _COMPARISONS[operator]
    return lambda subject: (value := read(subject)) is not None and compare(value, wanted)


def _of_many(read: Callable[[Any], Any], operator: str, values: Sequence[Any]) -> Test:
    """Of any number of values: one that is as wanted suffices. None in a query is met by there being none."""
    wanted = values[0]
    if operator == "like":
        part = wanted[0] if len(wanted) == 1 else ""

        def contains(subject: Any) -> bool:
            for value in read(subject):  # noqa: SIM110
                if part in value.casefold():
                    return True
            return False

        def like(subject: Any) -> bool:
            for value in read(subject):  # noqa: SIM110
                if wildcards.matches(wanted, value):
                    return True
            return False

        return contains if part else like
    if operator == "in":
        choice = frozenset(value for value in values if value is not None)
        if len(choice) < len(set(values)):
            return lambda subject: not (found := read(subject)) or not choice.isdisjoint(found)
        return lambda subject: not choice.isdisjoint(read(subject))
    if wanted is None:
        return lambda subject: not read(subject)
    return lambda subject: wanted in read(subject)
