"""What is said of one value: a text, a number or a truth value of an event's JSON. Numbers and truth values are compared by value.

A text is met whole or by one of its tokens, without regard to case. A token is what is between white space, and what is left of that
between all that is neither letter nor digit nor `_`: "paid order.created" has the tokens paid, order.created, order and created. A phrase
is met by the smaller tokens, one behind the other, or by the whole.

A range compares numbers where both sides are (a text may be one), instants where both sides are of ISO 8601 (without a zone: UTC), else
texts, in small letters. A value is on each side of a range by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, TypeAlias

import orjson

from tapedeck.events.lucene import globs
from tapedeck.events.lucene.globs import Glob
from tapedeck.events.lucene.language import Exists, Pattern, Phrase, Range, Text, Value

Scalar: TypeAlias = str | int | float | bool
Test: TypeAlias = Callable[[Any], bool]

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORD = re.compile(r"\w+")
_TRUTH = {"true": True, "false": False}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MOST_DIGITS = 400  # of a number in a text: what is longer is none


def test(value: Value) -> Test:
    """Whether a scalar is what a term of the language asks for."""
    match value:
        case Text(text):
            return _text(text)
        case Phrase(text):
            return _phrase(text)
        case Pattern(glob):
            return _pattern(glob)
        case Range():
            return _range(value)
        case Exists():
            return lambda _: True


def number(text: str) -> float | None:
    """The number that a text is, as JSON's parser would have it: what is beyond 64 bits is a float."""
    if len(text) > _MOST_DIGITS or not _NUMBER.fullmatch(text):
        return None
    try:
        whole = int(text)
    except ValueError:
        return float(text)
    return _short(whole)


def _short(amount: float) -> float:
    return amount if -(2**63) <= amount < 2**64 else float(amount)


def instant(text: str) -> int | None:
    """Microseconds since the epoch, of ISO 8601."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def folded(value: Scalar) -> str:
    """A value as a text in small letters; numbers as JSON has them."""
    return value.casefold() if isinstance(value, str) else orjson.dumps(_short(value)).decode()


# --- Texts --------------------------------------------------------------------------------------------------------------------------------


def _text(text: str) -> Test:
    wanted, by_value = text.casefold(), _by_value(text)
    is_edge = _is_no_word if _WORD.fullmatch(wanted) else str.isspace
    is_token = not any(map(str.isspace, wanted))

    def met(value: Any) -> bool:
        if type(value) is not str:
            return by_value(value)
        small = value.casefold()
        if wanted not in small:
            return False
        return small == wanted or (is_token and _has_token(small, wanted, is_edge))

    return met


def _by_value(text: str) -> Test:
    amount, truth = number(text), _TRUTH.get(text.casefold())
    return lambda value: (value is truth) if type(value) is bool else (amount is not None and _short(value) == amount)


def _is_no_word(letter: str) -> bool:
    return not (letter.isalnum() or letter == "_")


def _has_token(value: str, wanted: str, is_edge: Callable[[str], bool]) -> bool:
    at = value.find(wanted)
    while at >= 0:
        end = at + len(wanted)
        if (at == 0 or is_edge(value[at - 1])) and (end == len(value) or is_edge(value[end])):
            return True
        at = value.find(wanted, at + 1)
    return False


def _phrase(text: str) -> Test:
    wanted, by_value = text.casefold(), _by_value(text)
    tokens = _WORD.findall(wanted)
    consecutive = f" {' '.join(tokens)} "

    def met(value: Any) -> bool:
        if type(value) is not str:
            return by_value(value)
        small = value.casefold()
        if small == wanted:
            return True
        if not tokens or not all(token in small for token in tokens):
            return False
        return consecutive in f" {' '.join(_WORD.findall(small))} "

    return met


def _pattern(glob: Glob) -> Test:
    runs, matches = [run for piece in glob for _, run in piece.runs], globs.matcher(glob)
    everywhere = len(glob) > 1 and not glob[0].length and not glob[-1].length  # *a*: what fits a token fits the whole

    def met(value: Any) -> bool:
        small = folded(value)
        for run in runs:
            if run not in small:
                return False
        if matches(small):
            return True
        if everywhere or type(value) is not str:
            return False
        return any(map(matches, (*small.split(), *_WORD.findall(small))))

    return met


# --- Ranges -------------------------------------------------------------------------------------------------------------------------------


def _range(asked: Range) -> Test:
    tests = []
    if asked.lower is not None:
        tests.append(_limit(asked.lower, ge if asked.includes_lower else gt))
    if asked.upper is not None:
        tests.append(_limit(asked.upper, le if asked.includes_upper else lt))
    if len(tests) == 1:
        return tests[0]
    assert asked.lower is not None
    assert asked.upper is not None
    if not _limit(asked.upper, le)(asked.lower):
        return lambda _: False  # reversed
    above, below = tests
    return lambda value: above(value) and below(value)


def _limit(bound: str, compare: Callable[[Any, Any], bool]) -> Test:
    amount, moment, small = number(bound), instant(bound), bound.casefold()

    def met(value: Any) -> bool:
        kind = type(value)
        if kind is str:
            if amount is not None and (told := number(value)) is not None:
                return compare(told, amount)
            if moment is not None and (at := instant(value)) is not None:
                return compare(at, moment)
        elif amount is not None and kind is not bool:
            return compare(_short(value), amount)
        return compare(folded(value), small)

    return met
