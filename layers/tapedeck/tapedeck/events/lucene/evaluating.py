"""From a query's tree to a function of an event's line: whether the event is found.

A term asks whether there is a value such as it describes, of the many that a field may have; negation asks whether there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import itemgetter
from typing import Any, TypeAlias

from tapedeck.events.lucene import fields, values
from tapedeck.events.lucene.fields import Field, Line, Source
from tapedeck.events.lucene.language import And, Exists, Expression, Not, Or, Term

Matcher: TypeAlias = Callable[[Line], bool]
Probe: TypeAlias = Callable[[Line], bool | None]  # None: there is nothing to ask it of
_SCALARS = frozenset((str, int, float, bool))


def matcher(expression: Expression, source: Source) -> Matcher:
    """One function for a tree, whose depth is bounded where it is made."""

    def compiled(node: Expression) -> tuple[int, Matcher]:
        """With what it costs: the cheapest of several is asked first."""
        match node:
            case Term():
                return _term(node, source)
            case Not(inner):
                cost, test = compiled(inner)
                return cost, lambda line: not test(line)
            case And(inners):
                return several(inners, _all)
            case Or(inners):
                return several(inners, _any)

    def several(inners: Sequence[Expression], join: Callable[[Sequence[Matcher]], Matcher]) -> tuple[int, Matcher]:
        parts = sorted(map(compiled, inners), key=itemgetter(0))
        return sum(cost for cost, _ in parts), join([test for _, test in parts])

    return compiled(expression)[1]


def _all(tests: Sequence[Matcher]) -> Matcher:
    def every(line: Line) -> bool:
        for test in tests:  # noqa: SIM110  # a loop is twice as fast as all() of a generator
            if not test(line):
                return False
        return True

    return every


def _any(tests: Sequence[Matcher]) -> Matcher:
    def some(line: Line) -> bool:
        for test in tests:  # noqa: SIM110
            if test(line):
                return True
        return False

    return some


# --- Terms --------------------------------------------------------------------------------------------------------------------------------


def _term(term: Term, source: Source) -> tuple[int, Matcher]:
    if term.field is None:
        return (0, lambda _: True) if isinstance(term.value, Exists) else (20, _anywhere(values.test(term.value)))
    first, *others = _probes(term.field, term, source)
    if not others:
        return 1, lambda line: first(line) is True

    def found(line: Line) -> bool:
        answer = first(line)
        for probe in others:
            if answer is not None:
                break
            answer = probe(line)
        return answer is True

    return 3, found


def _probes(path: str, term: Term, source: Source) -> list[Probe]:
    """Where a field is looked for, until there is something: by its whole path, in the payload, in the metadata."""
    probes = []
    if path in fields.BY_PATH:
        probes.append(_of_field(fields.BY_PATH[path], term, source))
    elif path == fields.PAYLOAD or path.startswith(f"{fields.PAYLOAD}."):
        probes.append(_of_payload(path.split(".")[2:], term))
    elif isinstance(term.value, Exists) and fields.is_object(path):
        return [lambda _: True]
    probes.append(_of_payload(path.split("."), term))
    if (field := fields.BY_PATH.get(fields.METADATA + path)) is not None:
        probes.append(_of_field(field, term, source))
    return probes


def _of_field(field: Field, term: Term, source: Source) -> Probe:
    test, read, member = values.test(term.value), field.read, field.member
    if member is not None:
        return lambda line: None if (text := read(line, source)) is None else test(text)

    @lru_cache(maxsize=1024)
    def of_time(received: int) -> bool:
        text = read({"received": received}, source)
        return text is not None and test(text)

    return lambda line: of_time(line["received"])


def _of_payload(path: Sequence[str], term: Term) -> Probe:
    test = values.test(term.value)
    reach = _reacher(path, objects=isinstance(term.value, Exists))

    def anything(data: Any) -> bool | None:
        found = reach(data)
        return any(map(test, found)) if found else None

    if len(path) not in (1, 2):
        return lambda line: anything(line["data"])
    first, last, whole = path[0], path[-1], ".".join(path)

    def probe(line: Line) -> bool | None:
        """The commonest cases at once: a scalar, or nothing, where the path leads through one or two objects."""
        data = line["data"]
        if type(data) is dict:
            value = data.get(first)
            if whole is not first:
                if type(value) is dict and whole not in data:
                    value = value.get(last)
                elif value is not None:
                    return anything(data)
                else:
                    value = data.get(whole)
            if type(value) in _SCALARS:
                return test(value)
            if value is None:
                return None
        return anything(data)

    return probe


def _reacher(path: Sequence[str], *, objects: bool) -> Callable[[Any], list[Any]]:
    """Everything but null to which a path leads in JSON: elements one by one; objects only if they are asked for."""
    # From each place of the path on: the names that may come next, each with the place behind it. Of a.b.c they are a, a.b and a.b.c.
    ways = [[(name, place + count) for count, name in enumerate(accumulate(path[place:], "{}.{}".format), 1)] for place in range(len(path))]

    def reach(value: Any, place: int, found: list[Any]) -> list[Any]:
        if type(value) is list:
            for element in value:
                reach(element, place, found)
        elif place == len(path):
            if value is not None and (objects or type(value) is not dict):
                found.append(value)
        elif type(value) is dict:
            for name, behind in ways[place]:
                if name in value:
                    reach(value[name], behind, found)
        return found

    return lambda data: reach(data, 0, [])


def _anywhere(test: values.Test) -> Matcher:
    """Whether any value in the payload or the metadata is met."""
    members = [field.member for field in fields.FIELDS if field.path.startswith(fields.METADATA) and field.member]

    def within(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            return test(value)
        if kind is dict:
            for inner in value.values():  # noqa: SIM110
                if within(inner):
                    return True
            return False
        if kind is list:
            for inner in value:  # noqa: SIM110
                if within(inner):
                    return True
            return False
        return value is not None and test(value)

    def found(line: Line) -> bool:
        for member in members:
            value = line.get(member)
            if value is not None and test(value if type(value) is str else str(value)):
                return True
        return within(line["data"])

    return found
