"""`*` in a text stands for anything (contract §2.3): letters of either case, anywhere in the value, so that `a*c` finds `xABCx`.

A pattern is its literal parts; a value matches when it holds them one behind the other. Finding each as early as possible leaves the
most room for the next, so nothing is ever tried twice: the time is linear in the value, whatever the pattern. `\\*` is an asterisk.
"""

from __future__ import annotations

import re
from typing import TypeAlias

Pattern: TypeAlias = tuple[str, ...]

MAX_PARTS = 32  # each is looked for in every value of every replay

_STAR = re.compile(r"(?<!\\)\*")


def has_star(text: str) -> bool:
    """Whether an asterisk in it stands for anything."""
    return _STAR.search(text) is not None


def literal(text: str) -> str:
    """What a text without such an asterisk means."""
    return text.replace("\\*", "*")


def pattern(text: str) -> Pattern:
    r"""The parts between the asterisks.

    >>> pattern(r"*Shop/\*/*cart")
    ('shop/*/', 'cart')
    """
    return tuple(literal(part).casefold() for part in _STAR.split(text) if part)


def matches(pattern: Pattern, value: str) -> bool:
    """Whether the value holds all parts, in their order and without overlap."""
    value = value.casefold()
    at = 0
    for part in pattern:
        at = value.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True
