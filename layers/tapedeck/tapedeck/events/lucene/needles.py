r"""What the bytes of every event that is found must have: so that a chunk is searched for them, and few of its lines are parsed.

A needle is a run of characters that a value, or the name of a field, must have. In a line it stands as it is, with letters in either
case, but for

- what its sender wrote as an escape, `\u0061` for a: a line with an escape that may stand for one of the needle's characters is looked at;
- the few characters beyond ASCII that are equal to letters of ASCII when case is disregarded, such as ß (ss) and the sign of Kelvin (k):
  a line with one of them that the needle may mean is looked at;
- the characters that JSON writes in its own ways (`"`, `\`, `/`, controls): a run ends before them, as before letters beyond ASCII
  that have two cases.

Numbers are compared by value, and 500 may be written 5e2: where a number is meant, only the name of its field is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias
from unicodedata import category

from tapedeck.events.lucene import fields, values
from tapedeck.events.lucene.language import And, Expression, Not, Or, Pattern, Phrase, Term, Text

# The characters beyond ASCII that case folding makes ASCII of, wholly or in part. A test holds it against Unicode's tables.
FOLDED = "\u00df\u0130\u0149\u017f\u01f0\u1e96\u1e97\u1e98\u1e99\u1e9a\u1e9e\u212a\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06"
MOST = 16  # needles of which one must be there

_WORD = re.compile(r"\w+")
_AS_NUMBERS = frozenset("0123456789.+-e")  # what the text of a number is made of
_ASCII_ESCAPES = tuple(b"\\u00%d" % high for high in range(8))


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes in small letters, and what else a line may have in their place: characters beyond ASCII, and escapes."""

    text: bytes
    odd: tuple[bytes, ...] = ()
    escapes: tuple[bytes, ...] = ()


Needles: TypeAlias = frozenset[Needle]  # one of these must be there


def required(expression: Expression) -> list[Needles]:
    """Of each of these one must be in the line of every event that is found."""
    match expression:
        case Term():
            return [frozenset((needle,)) for needle in _of_term(expression) if len(needle.text) > 1]
        case Not():
            return []
        case And(terms):
            return list(dict.fromkeys(needles for term in terms for needles in required(term)))
        case Or(terms):
            each = [required(term) for term in terms]
            if not all(each):
                return []
            whole = frozenset[Needle]().union(*(max(needles, key=_promise) for needles in each))
            return [whole] if len(whole) <= MOST else []


def _promise(needles: Needles) -> tuple[int, int]:
    return min(len(needle.text) for needle in needles), -len(needles)


def _of_term(term: Term) -> Iterator[Needle]:
    if term.field in fields.BY_PATH and fields.BY_PATH[term.field].member is None:
        return  # it is not in the line
    match term.value:
        case Text(text) if values.number(text) is None:
            yield from _runs(text.casefold())
        case Phrase(text) if values.number(text) is None:
            small = text.casefold()
            for token in _WORD.findall(small) or [small]:
                yield from _runs(token)
        case Pattern(glob) if not _AS_NUMBERS.issuperset(letters := "".join(run for piece in glob for _, run in piece.runs)) and letters:
            for piece in glob:
                for _, run in piece.runs:
                    yield from _runs(run)
        case _ if term.field is not None and not _is_metadata(term.field):
            yield from _name(term.field.rpartition(".")[2])


def _is_metadata(field: str) -> bool:
    """Whether the field may be one of ours, which lines call otherwise."""
    return field in fields.BY_PATH or fields.METADATA + field in fields.BY_PATH or fields.is_object(field)


def _runs(text: str) -> Iterator[Needle]:
    """The needles in a text in small letters."""
    run = ""
    for letter in (*text, '"'):
        if _is_plain(letter) or _is_caseless(letter):
            run += letter
        elif run:
            yield Needle(run.encode(), tuple(each.encode() for each in _odd(run)), _escapes(run))
            run = ""


def _name(name: str) -> Iterator[Needle]:
    """The name of a member, whose case counts, or the end of one, with the quote after it."""
    if name and all(_is_plain(letter) or ord(letter) > 127 for letter in name):
        yield Needle(f'{name}"'.encode(errors="surrogatepass").lower(), (), _escapes(name, folding=False))


def _is_plain(letter: str) -> bool:
    return " " <= letter <= "~" and letter not in '"\\/'


def _is_caseless(letter: str) -> bool:
    """Letters of scripts that have no case, and into which nothing is folded."""
    return ord(letter) > 127 and category(letter) == "Lo"


def _odd(run: str) -> list[str]:
    return [letter for letter in FOLDED if not set(run).isdisjoint(letter.casefold())]


def _escapes(run: str, *, folding: bool = True) -> tuple[bytes, ...]:
    """What escapes begin with that may stand for a part of the run, in small letters."""
    if not run.isascii():
        return (b"\\u",)
    return (*_ASCII_ESCAPES, *(b"\\u%04x" % ord(letter) for letter in (_odd(run) if folding else ())))
