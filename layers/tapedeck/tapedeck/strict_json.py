"""JSON from strangers: finite numbers, whole characters, and no deeper than two hundred."""

from __future__ import annotations

from typing import Any

import orjson

from tapedeck.errors import Invalid

MAX_DEPTH = 200


def loads(data: bytes | str) -> Any:
    """The value that `data` spells. Raises Invalid for what is not JSON, NaN, infinities, lone surrogates, broken UTF-8 and deep nesting.

    Integers beyond 64 bits become floats, so no number can be long enough to hurt.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Invalid("invalid JSON", causes=[str(error)]) from None
    if deeper_than(value, MAX_DEPTH):
        raise Invalid("invalid JSON", causes=[f"nested deeper than {MAX_DEPTH}"])
    return value


def deeper_than(value: Any, depth: int) -> bool:
    """Whether containers stand in one another more than `depth` times."""
    level = [value]
    for _ in range(depth + 1):
        level = [
            inner for outer in level if isinstance(outer, (dict, list)) for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not level:
            return False
    return True
