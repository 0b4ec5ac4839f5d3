"""What a query says of receive times: which chunks need not be opened, for none of their events can be found, or all of them are.

Receive times never run backwards, so the first and the last of a chunk tell of all in it: a range that holds both holds all between them,
and one that ends before the first, or begins after the last, holds none.
"""

from __future__ import annotations

from dataclasses import replace

from tapedeck.events.lucene import fields, values
from tapedeck.events.lucene.language import And, Exists, Expression, Not, Or, Range, Term
from tapedeck.events.model import iso


def may_be(expression: Expression, first: int, last: int) -> bool:
    """Whether any event can be found that was received between two moments (ms), both included."""
    match expression:
        case Term(fields.RECEIVED, Range() as asked):
            since = asked.lower is None or values.test(replace(asked, upper=None))(iso(last))
            until = asked.upper is None or values.test(replace(asked, lower=None))(iso(first))
            return since and until
        case And(terms):
            return all(may_be(term, first, last) for term in terms)
        case Or(terms):
            return any(may_be(term, first, last) for term in terms)
        case Not(term):
            return not must_be(term, first, last)
        case _:
            return True


def must_be(expression: Expression, first: int, last: int) -> bool:
    """Whether every event is found that was received between two moments (ms), both included."""
    match expression:
        case Term(None, Exists()):
            return True
        case Term(fields.RECEIVED, Range() as asked):
            test = values.test(asked)
            return test(iso(first)) and test(iso(last))
        case And(terms):
            return all(must_be(term, first, last) for term in terms)
        case Or(terms):
            return any(must_be(term, first, last) for term in terms)
        case Not(term):
            return not may_be(term, first, last)
        case _:
            return False
