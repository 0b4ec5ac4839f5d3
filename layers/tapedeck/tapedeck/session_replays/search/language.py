"""The search language: from the text of `query=` to a tree of terms (contract §2.1), and the refusals of what is no query.

`search.lark` is the grammar, read by an LALR parser: one pass, linear in the length of the text. What a term means is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from tapedeck.errors import Invalid

if TYPE_CHECKING:
    from lark import Lark
    from lark.exceptions import UnexpectedInput

MAX_LENGTH = 4096  # characters: more than a hundred UUIDs
MAX_DEPTH = 40  #    of AND in OR in AND …: parentheses that change nothing count for nothing
MAX_TERMS = 200
MAX_VALUES = 200  #  in one list
MAX_GROUPS = 400  #  opening parentheses, in quotes or not: they are what the parser is slowest at


# --- The tree -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Term:
    """`key:value`. Free text is a term on the key "message", and `has:key` is the negation of `key:""`.

    `operator` is "in" before a list; else what stands between colon and value (`> >= < <= = !=`), to be read as an operator where the
    field knows operators and as the beginning of the text where it knows none; else "". Values are unquoted; asterisks are as written.
    """

    key: str
    values: tuple[str, ...]
    operator: str = ""
    is_tag: bool = False  # written tags[key]: a tag, even if a field has this name
    column: int = field(default=1, compare=False)  # where it begins, counted from 1


@dataclass(frozen=True, slots=True)
class Not:
    """Whatever `term` does not find."""

    term: Expression


@dataclass(frozen=True, slots=True)
class And:
    """What all of them find; of no terms, everything."""

    terms: tuple[Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """What any of them finds."""

    terms: tuple[Expression, ...]


Expression: TypeAlias = And | Or | Not | Term
EVERYTHING = And()


def terms(expression: Expression) -> Iterator[Term]:
    """Every term, in the order in which they are written."""
    return (node for node, _ in _walk(expression) if isinstance(node, Term))


# --- Reading ------------------------------------------------------------------------------------------------------------------------------


def parse(text: str) -> Expression:
    """The tree of a query; of a blank one, `EVERYTHING`. Raises Invalid, in the contract's words, for what is no query."""
    if len(text) > MAX_LENGTH:
        raise Invalid(f"The query is longer than {MAX_LENGTH} characters.")
    if text.count("(") > MAX_GROUPS:
        raise Invalid(f"The query has more than {MAX_GROUPS} parentheses.")
    if not text.strip(" "):
        return EVERYTHING
    from lark.exceptions import UnexpectedInput

    try:
        expression: Expression = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _refusal(text, error) from None
    if sum(1 for _ in terms(expression)) > MAX_TERMS:
        raise _too_many_terms()
    if any(depth > MAX_DEPTH for _, depth in _walk(expression)):
        raise Invalid(f"The query is nested more than {MAX_DEPTH} levels deep.")
    return expression


@cache
def _parser() -> Lark:
    from lark import Lark  # 60 ms with the tables: only for those who search

    grammar = Path(__file__).with_name("search.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", transformer=_Reader(), maybe_placeholders=False)


def _walk(expression: Expression) -> Iterator[tuple[Expression, int]]:
    """All nodes with their depths, without recursion: this is what guards those who recurse."""
    waiting = [(expression, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        if isinstance(node, Not):
            waiting.append((node.term, depth + 1))
        elif isinstance(node, (And, Or)):
            waiting.extend((child, depth + 1) for child in reversed(node.terms))


_QUOTED = re.compile(r'"((?:[^"\\]|\\"|\\(?!"))*)"')
_ITEM = re.compile(rf'{_QUOTED.pattern}|([^ ,"]+)')
_OPERATOR = re.compile(r">=|<=|!=|>|<|=|")
_NAME = re.compile(r'([a-zA-Z0-9_.-]+)|"([a-zA-Z0-9_.:-]+)"|tags\[([^\[\] \t\n",]+)(?:, *string)?\]')
_SPREAD = {"Contains": "*{}*", "StartsWith": "{}*", "EndsWith": "*{}"}


class _Reader:
    """What the parser calls for every rule of the grammar. None is what says nothing, and is left out of the tree."""

    def start(self, found: list[Any]) -> Expression:
        return found[0] if found and found[0] is not None else EVERYTHING

    def both(self, found: list[Any]) -> Expression | None:
        return _joined(And, found)

    def either(self, found: list[Any]) -> Expression | None:
        return _joined(Or, found)

    def negated(self, found: list[Any]) -> Expression | None:
        return Not(found[1]) if found[1] is not None else None

    def filter(self, found: list[Any]) -> Expression:
        head, *spread, value = found
        negations, name = head.startswith("!"), head.strip("!:")
        if name == "is":
            raise Invalid('"is:" queries are not supported in this search.')
        if name == "has":
            term = _has(value, head.start_pos + 1)
            negations += 1
        else:
            term = _term(name, value, spread[0].strip("\uf00d") if spread else "", head.start_pos + 1)
        return Not(term) if negations % 2 else term

    def empty(self, found: list[Any]) -> Expression:
        raise Invalid(f"Empty string after '{found[0].removeprefix('!')}'")

    def aggregate(self, _found: list[Any]) -> None:
        return None

    def quoted(self, found: list[Any]) -> Expression | None:
        text = _unquoted(found[0])
        return Term("message", (text,), column=found[0].start_pos + 1) if text.strip(" ") else None

    def words(self, found: list[Any]) -> Expression:
        """Words in a row are one text, spaced as they were written."""
        gaps = [" " * (after.start_pos - before.end_pos) for before, after in pairwise(found)]
        text = "".join(gap + _unescaped(word) for gap, word in zip(["", *gaps], found, strict=True))
        return Term("message", (text,), column=found[0].start_pos + 1)


def _joined(kind: type[And | Or], found: list[Any]) -> Expression | None:
    """One And of And and And: the tree is as flat as it can be."""
    flat = tuple(part for each in found if each is not None for part in (each.terms if isinstance(each, kind) else (each,)))
    if len(flat) > MAX_TERMS:
        raise _too_many_terms()
    return kind(flat) if len(flat) > 1 else flat[0] if flat else None


def _term(name: str, value: Any, spread: str, column: int) -> Term:
    key, is_tag = _name(name)
    operator = ""
    if value.type == "LIST":
        texts = [_unquoted(f'"{quoted}"') if bare is None else bare for quoted, bare in _items(value)]
        if len(texts) > MAX_VALUES:
            raise Invalid(f"The list of `{key}` has more than {MAX_VALUES} values.")
        operator = "in"
    elif value.type == "QUOTED":
        texts = [_unquoted(value)]
    else:
        text = _unescaped(value)
        if not spread:
            operator = _OPERATOR.match(text)[0]  # type: ignore[index]  # it matches nothing at worst
        texts = [text[len(operator) :]]
    if spread:
        texts = [_SPREAD[spread].format(text.replace("*", "\\*")) for text in texts]
    return Term(key, tuple(texts), operator, is_tag, column)


def _has(value: Any, column: int) -> Term:
    if not _NAME.fullmatch(value):
        raise Invalid('Invalid format for "has" search: was expecting a field or tag name instead')
    key, is_tag = _name(value)
    return Term(key, ("",), "", is_tag, column)


def _name(text: str) -> tuple[str, bool]:
    found = _NAME.fullmatch(text)
    assert found
    return found[1] or found[2] or found[3], found[3] is not None


def _items(value: str) -> Iterator[tuple[str, str | None]]:
    return ((found[1], found[2]) for found in _ITEM.finditer(value[1:-1]))


def _unquoted(text: str) -> str:
    return text[1:-1].replace('\\"', '"')


def _unescaped(text: str) -> str:
    if re.search(r'(?<!\\)"', text):
        raise Invalid(f"Invalid quote at '{text}': quotes must enclose text or be escaped.")
    return text.replace('\\"', '"')


# --- Refusing -----------------------------------------------------------------------------------------------------------------------------


def _too_many_terms() -> Invalid:
    return Invalid(f"The query has more than {MAX_TERMS} terms.")


def _refusal(text: str, error: UnexpectedInput) -> Invalid:
    """The contract's words for what the parser could not read; an unclosed parenthesis is named where it opens."""
    at: int = getattr(error, "pos_in_stream", None) or 0
    token, read = getattr(error, "token", None), _read(error)
    if token is not None and token.type in ("_AND", "_OR"):
        before = read[-1] if read else None
        if getattr(before, "type", None) in ("_AND", "_OR"):
            return Invalid(f"Missing condition in between two condition operators: '{before} {token}'")
        return Invalid(f"Condition is missing on the left side of '{token}' operator")
    if token is not None and token.type == "$END":
        at = next((part.start_pos for part in read if getattr(part, "type", None) in ("LPAR", "NOT")), at)
    return Invalid(
        f"Parse error at '{text[max(0, at - 4) : at + 6]}' (column {at + 1}). "
        "This is commonly caused by unmatched parentheses. Enclose any text in double quotes."
    )


def _read(error: UnexpectedInput) -> list[Any]:
    """What the parser holds at the error: rules that it has read, and tokens that wait for theirs."""
    parser = getattr(error, "interactive_parser", None)
    return list(parser.parser_state.value_stack) if parser else []
