"""What one would write first: parse every line, make the stored event of it, and walk the query's tree, asking what the language asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import orjson

from tapedeck.events.lucene.language import And, Expression, Not, Or, Pattern, Phrase, Range, Term, Text
from tapedeck.events.model import iso


def select(query: Expression, text: bytes) -> Iterator[dict[str, Any]]:
    """The lines that the query means, parsed."""
    for raw in text.splitlines():
        if raw:
            line = orjson.loads(raw)
            if _found(query, _envelope(line)):
                yield line


def _envelope(line: dict[str, Any]) -> dict[str, Any]:
    metadata = {"event_name": line["name"], "app_name": line["app"], "server_name": line["server"], "user": line.get("user")}
    info = {"date_human": iso(line["received"]), "date_string": str(line["received"] * 10**6), "request_id": line["id"]}
    return {"batch": {"info": info}, "client": {"metadata": metadata, "payload": line["data"]}}


def _found(node: Expression, whole: dict[str, Any]) -> bool:
    if isinstance(node, And):
        return all(_found(term, whole) for term in node.terms)
    if isinstance(node, Or):
        return any(_found(term, whole) for term in node.terms)
    if isinstance(node, Not):
        return not _found(node.term, whole)
    return any(_is(node, value) for value in _values(node.field, whole))


def _values(field: str | None, whole: dict[str, Any]) -> list[Any]:
    client = whole["client"]
    if field is None:
        return list(_leaves(client))
    for root in (whole, client["payload"], client["metadata"]):
        if found := _at(root, field):
            return found
    return []


def _at(value: Any, path: str) -> list[Any]:
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return []
        value = value[name]
    return value if isinstance(value, list) else [value]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    else:
        yield value


def _is(term: Term, value: Any) -> bool:
    asked = term.value
    if isinstance(asked, Range):
        is_number = isinstance(value, (int, float))
        return is_number and (asked.lower is None or value >= float(asked.lower)) and (asked.upper is None or value <= float(asked.upper))
    small = str(value).lower()
    if isinstance(asked, Text):
        return small == asked.text.lower() or asked.text.lower() in re.findall(r"\w+", small)
    if isinstance(asked, Phrase):
        return f" {asked.text.lower()} " in " " + " ".join(re.findall(r"\w+", small)) + " "
    assert isinstance(asked, Pattern)
    return fnmatchcase(small, "*".join("".join(run for _, run in piece.runs) for piece in asked.glob))
