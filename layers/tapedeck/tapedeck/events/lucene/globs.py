"""Values with wildcards: `*` stands for any text, `?` for one character, letters are compared without regard to case.

A glob is cut at its asterisks. The first and the last piece are held against the ends of a value, the others are looked for one behind
the other: finding each as early as possible leaves the most room for the next, so that nothing is ever tried twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias


class Piece(NamedTuple):
    """What is between two asterisks: so many characters, of which those from some offsets on are told, in small letters."""

    length: int
    runs: tuple[tuple[int, str], ...] = ()


Glob: TypeAlias = tuple[Piece, ...]

MAX_WILDCARDS = 32
_PIECE = re.compile(r"((?:\\.|[^\\*])*)\*", re.DOTALL)
_RUN = re.compile(r"\?|(?:\\.|[^\\?])+", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def unescaped(text: str) -> str:
    """A text without the backslashes that take the meaning from what follows them."""
    return _ESCAPED.sub(r"\1", text)


def parse(text: str) -> Glob:
    r"""The pieces of a text as it was written.

    >>> parse(r"A?c*\*")
    (Piece(length=3, runs=((0, 'a'), (2, 'c'))), Piece(length=1, runs=((0, '*'),)))
    """
    first, *others = [_piece(found) for found in _PIECE.findall(text + "*")]
    if not others:
        return (first,)
    *between, last = others
    return (first, *(piece for piece in between if piece.length), last)


def matcher(glob: Glob) -> Callable[[str], bool]:
    """Whether a whole value, in small letters, is such as the glob describes."""
    match [_letters(piece) for piece in glob]:  # what most globs are
        case [str(head), ""]:
            return lambda value: value.startswith(head)
        case ["", str(tail)]:
            return lambda value: value.endswith(tail)
        case ["", str(part), ""]:
            return lambda value: part in value
    return lambda value: _matches(glob, value)


def _matches(glob: Glob, value: str) -> bool:
    first, last = glob[0], glob[-1]
    if len(glob) == 1:
        return len(value) == first.length and _fits(first, value, 0)
    at, end = first.length, len(value) - last.length
    if at > end or not _fits(first, value, 0) or not _fits(last, value, end):
        return False
    for piece in glob[1:-1]:
        at = _find(piece, value, at, end)
        if at < 0:
            return False
        at += piece.length
    return True


def _letters(piece: Piece) -> str | None:
    """All of a piece, if all of it is told."""
    letters = "".join(run for _, run in piece.runs)
    return letters if len(letters) == piece.length else None


def _piece(text: str) -> Piece:
    length, runs = 0, list[tuple[int, str]]()
    for part in _RUN.findall(text):
        letters = unescaped(part).casefold()
        if part != "?":
            runs.append((length, letters))
        length += len(letters)
    return Piece(length, tuple(runs))


def _fits(piece: Piece, value: str, at: int) -> bool:
    return all(value.startswith(run, at + offset) for offset, run in piece.runs)


def _find(piece: Piece, value: str, at: int, end: int) -> int:
    """Where the piece first fits in value[at:end], or -1: looked for by its longest run."""
    if not piece.runs:
        return at if at + piece.length <= end else -1
    offset, run = max(piece.runs, key=lambda each: len(each[1]))
    before = at + offset
    while (hit := value.find(run, before, end)) >= 0:
        if hit - offset + piece.length > end:
            return -1
        if _fits(piece, value, hit - offset):
            return hit - offset
        before = hit + 1
    return -1
