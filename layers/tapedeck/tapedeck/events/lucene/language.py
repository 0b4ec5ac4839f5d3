"""The query language: from text to a tree of terms, and the refusals of what is no query or asks for what is not done here.

`lucene.lark` is the grammar, read by an LALR parser: one pass, linear in the length of the text, and no recursion however many parentheses.
Nothing that Lucene knows and this does not is passed over: regular expressions, fuzziness, dates that are told by calculation and the
like are refused, so that a query never finds something else than it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from tapedeck.errors import Invalid
from tapedeck.events.lucene import globs
from tapedeck.events.lucene.globs import Glob

if TYPE_CHECKING:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

MAX_LENGTH = 4096  # bytes of UTF-8
MAX_DEPTH = 40  #    of parentheses and negations in one another
MAX_TERMS = 200
MAX_NAMES = 40  #    between the dots of a field


# --- The tree -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """An unquoted value without wildcards: a whole value or a token of it, a number or a truth value."""

    text: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """A quoted value: consecutive tokens, or a number or a truth value."""

    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """An unquoted value with wildcards."""

    glob: Glob


@dataclass(frozen=True, slots=True)
class Range:
    """From `lower` to `upper`, as they were written; None is open. Each end belongs to the range or does not."""

    lower: str | None = None
    upper: str | None = None
    includes_lower: bool = True
    includes_upper: bool = True


@dataclass(frozen=True, slots=True)
class Exists:
    """Any value at all."""


Value: TypeAlias = Text | Phrase | Pattern | Range | Exists


@dataclass(frozen=True, slots=True)
class Term:
    """`field:value`. Without a field any value of the event may be meant; and any value of any field is in every event."""

    field: str | None
    value: Value


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever `term` does not find."""

    term: Expression


@dataclass(frozen=True, slots=True)
class And:
    """What all of them find."""

    terms: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What any of them finds."""

    terms: tuple[Expression, ...]


Expression: TypeAlias = And | Or | Not | Term


def terms(expression: Expression) -> Iterator[Term]:
    """Every term, in the order in which they are written."""
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Term):
            yield node
        elif isinstance(node, Not):
            waiting.append(node.term)
        else:
            waiting.extend(reversed(node.terms))


# --- Reading ------------------------------------------------------------------------------------------------------------------------------


def parse(text: str) -> Expression:
    """The tree of a query. Raises Invalid, on the field `query`, for what is no query, or too large a one."""
    if len(text.encode(errors="surrogatepass")) > MAX_LENGTH:
        raise refused(f"is longer than {MAX_LENGTH} bytes")
    if not text.strip():
        raise refused("is empty; * finds everything")
    from lark.exceptions import UnexpectedInput

    try:
        whole: _Part = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _refusal(text, error) from None
    if sum(1 for _ in terms(whole.expression)) > MAX_TERMS:
        raise refused(f"has more than {MAX_TERMS} clauses")
    return whole.expression


def refused(why: str) -> Invalid:
    """The refusal of a query."""
    return Invalid(fields={"query": [why]})


@cache
def _parser() -> Lark:
    from lark import Lark  # 60 ms with the tables: only for those who search

    grammar = Path(__file__).with_name("lucene.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Reader(), maybe_placeholders=False)


class _Part(NamedTuple):
    """What has been read of a query, and what its signs say to those beside it."""

    expression: Expression
    depth: int = 1
    is_must: bool = False  #     a + stands before it, or before a part of a conjunction
    is_signed: bool = False  #   a conjunction of which a part has a + or a -
    is_negation: bool = False


class _Reader:
    """What the parser calls for every rule of the grammar."""

    def start(self, found: list[_Part]) -> _Part:
        return found[0]

    def joined(self, found: list[Any]) -> _Part:
        """A list joined by OR or by nothing. As in Lucene, what must be is asked for, what must not be is not there, and of the rest one
        is enough, or none where something must be. A negation after OR is one of the alternatives."""
        first, *others = found
        must, must_not, should = list[Expression](), list[Expression](), list[Expression]()
        for beside, part in [(others[0][0], first), *others]:
            if beside and part.is_negation:
                must_not.append(part.expression)
            elif part.is_must or (beside and part.is_signed):
                must.append(part.expression)
            else:
                should.append(part.expression)
        asked = must or ([_one_of(Or, should)] if should else [])
        return _Part(_one_of(And, asked + must_not), max(part.depth for part in (first, *(part for _, part in others))))

    def either(self, found: list[_Part]) -> tuple[bool, _Part]:
        return False, found[0]

    def beside(self, found: list[_Part]) -> tuple[bool, _Part]:
        return True, found[0]

    def both(self, found: list[_Part]) -> _Part:
        return _Part(
            And(tuple(part.expression for part in found)),
            max(part.depth for part in found),
            is_must=any(part.is_must for part in found),
            is_signed=any(part.is_signed for part in found),
        )

    def negated(self, found: list[_Part]) -> _Part:
        return _Part(Not(found[0].expression), _deeper(found[0]), is_negation=True)

    def must(self, found: list[_Part]) -> _Part:
        return found[0]._replace(is_must=True, is_signed=True)

    def must_not(self, found: list[_Part]) -> _Part:
        return _Part(Not(found[0].expression), found[0].depth, is_signed=True, is_negation=True)

    def boosted(self, found: list[Any]) -> _Part:
        """A boost says how much a clause counts for the order, and here the order is of time."""
        part: _Part = found[0]
        return part

    def group(self, found: list[_Part]) -> _Part:
        return _Part(found[0].expression, _deeper(found[0]))

    def named(self, found: list[Any]) -> _Part:
        field, part = found
        read: _Part = part
        return read._replace(expression=_named(_field(field[:-1]), read.expression))

    def text(self, found: list[Any]) -> _Part:
        return _term(_value(found[0]))

    def quoted(self, found: list[Any]) -> _Part:
        return _term(Phrase(globs.unescaped(found[0][1:-1])))

    def comparison(self, found: list[Any]) -> _Part:
        relation, bound = found
        limit = _bound(bound)
        if limit is None:
            return _term(Exists())
        inclusive = relation.endswith("=")
        return _term(Range(lower=limit, includes_lower=inclusive) if relation[0] == ">" else Range(upper=limit, includes_upper=inclusive))

    def range(self, found: list[Any]) -> _Part:
        opening, lower, upper, closing = found
        asked = Range(_bound(lower), _bound(upper), opening == "[", closing == "]")
        return _term(Exists() if asked.lower is None and asked.upper is None else asked)


def _term(value: Value) -> _Part:
    return _Part(Term(None, value))


def _one_of(kind: type[And | Or], found: list[Expression]) -> Expression:
    return kind(tuple(found)) if len(found) > 1 else found[0]


def _deeper(part: _Part) -> int:
    if part.depth > MAX_DEPTH:
        raise refused(f"is nested more than {MAX_DEPTH} levels deep")
    return part.depth + 1


def _named(field: str | None, expression: Expression) -> Expression:
    """The same, asked of a field; None is `*`, and `_exists_` asks whether there are the fields that are named."""
    match expression:
        case Term(None, Text(name) | Phrase(name)) if field == "_exists_":
            return Term(_checked(name), Exists())
        case Term(None, value) if field is None:
            if not isinstance(value, Exists):
                raise refused("has * as a field: leave the field out to look everywhere")
            return expression
        case Term(None, value) if field != "_exists_":
            return Term(field, value)
        case Term(None, _):
            raise refused("needs the name of a field after _exists_")
        case Term(name, _):
            raise refused(f"has the field {name} within another one: a colon in a value must be escaped or quoted there")
        case Not(term):
            return Not(_named(field, term))
        case _:
            return replace(expression, terms=tuple(_named(field, term) for term in expression.terms))


# --- Words --------------------------------------------------------------------------------------------------------------------------------

_SIGNED = re.compile(r"[+-][0-9.]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CALCULATED = re.compile(r"now([-+/|].*)?|.+\|\|.*", re.DOTALL)


def _field(raw: str) -> str | None:
    """The name of a field, as it is written before its colon."""
    if raw == "*":
        return None
    value = _value(raw)
    if not isinstance(value, Text):
        raise refused(f"has wildcards in the name of a field: {raw}")
    return _checked(value.text)


def _checked(name: str) -> str:
    if name.count(".") >= MAX_NAMES:
        raise refused(f"has a field of more than {MAX_NAMES} names")
    return name


def _value(raw: str) -> Text | Pattern | Exists:
    """What an unquoted text means."""
    bare = _ESCAPED.sub("x", raw)
    if bare.startswith("/"):
        raise refused(f"has a regular expression, which is not supported: {raw}. Quote or escape a text that begins with a slash")
    if "~" in bare:
        raise refused(f"is fuzzy, which is not supported: {raw}. Quote or escape a text that has a tilde")
    if (bare[0] in "+-" and not _SIGNED.match(bare)) or bare[0] in "!=":
        raise refused(f"has an operator where a value is expected: {raw}. Quote or escape it, if it is meant")
    if "&&" in bare or "||" in bare:
        raise refused(f"has an operator within a word: {raw}. Put spaces around it, or quote it")
    if "*" not in bare and "?" not in bare:
        return Text(globs.unescaped(raw))
    if not bare.strip("*"):
        return Exists()
    if bare.count("*") + bare.count("?") > globs.MAX_WILDCARDS:
        raise refused(f"has a value of more than {globs.MAX_WILDCARDS} wildcards")
    return Pattern(globs.parse(raw))


def _bound(found: Any) -> str | None:
    """One end of a range: quoted (a part already), or not; `*` is open."""
    if isinstance(found, _Part):
        assert isinstance(found.expression, Term)
        assert isinstance(found.expression.value, Phrase)
        return found.expression.value.text
    if found == "*":
        return None
    bare = _ESCAPED.sub("x", found)
    if "*" in bare or "?" in bare:
        raise refused(f"has wildcards in a range: {found}")
    if _CALCULATED.fullmatch(bare):
        raise refused(f"has a date that is told by calculation, which is not supported: {found}")
    value = _value(found)
    assert isinstance(value, Text)
    return value.text


# --- Refusing -----------------------------------------------------------------------------------------------------------------------------


def _refusal(text: str, error: UnexpectedInput) -> Invalid:
    """Where the parser could not go on, in words."""
    at: int = getattr(error, "pos_in_stream", None) or 0
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return refused("ends too early: a parenthesis is not closed, or an operator or a field has nothing after it")
    near = text[at : at + 20]
    return refused(
        f"cannot be read at character {at + 1}, where it says {near!r}: quotes and brackets must match, and special characters be quoted"
    )
