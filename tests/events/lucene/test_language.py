"""The grammar of event-replays.md §1.5 and decision 28: what a query's tree is, and what is refused rather than misunderstood."""

from __future__ import annotations

import pytest

from tapedeck.errors import Invalid
from tapedeck.events.lucene import compile, globs, language
from tapedeck.events.lucene.language import And, Exists, Expression, Not, Or, Pattern, Phrase, Range, Term, Text, parse

A, B, C = (Term(None, Text(name)) for name in "abc")
ANYTHING = Term(None, Exists())


def f(text: str) -> Term:
    return Term("f", Text(text))


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        # precedence: NOT, then AND, then OR
        ("a OR b AND c", Or((A, And((B, C))))),
        ("a AND b OR c", Or((And((A, B)), C))),
        ("(a OR b) AND c", And((Or((A, B)), C))),
        ("NOT a AND b", And((Not(A), B))),
        ("NOT (a AND b)", Not(And((A, B)))),
        ("a && b || !c", Or((And((A, B)), Not(C)))),
        ("a OR NOT b", Or((A, Not(B)))),
        ("a OR -b", Or((A, Not(B)))),
        ("a AND -b", And((A, Not(B)))),
        ("! a", Not(A)),
        ("NOT NOT a", Not(Not(A))),
        ("a AND(b OR c)", And((A, Or((B, C))))),
        # operators are in capitals
        ("a or b", Or((A, Term(None, Text("or")), B))),
        ("ANDa", Term(None, Text("ANDa"))),
        # beside each other: OR, but for + and -
        ("a b c", Or((A, B, C))),
        ("a\n\tb\u3000c", Or((A, B, C))),
        ("+a -b c", And((A, Not(B)))),
        ("a +b", B),
        ("a -b", And((A, Not(B)))),
        ("a NOT b", And((A, Not(B)))),
        ("a b -c", And((Or((A, B)), Not(C)))),
        ("a -c OR b", And((Or((A, B)), Not(C)))),
        ("-a -b", And((Not(A), Not(B)))),
        ("-a", Not(A)),
        ("+(a b) +c", And((Or((A, B)), C))),
        ("a b AND c", Or((A, And((B, C))))),
        ("+a -b AND c", And((A, And((Not(B), C))))),
        ("-(a OR b)", Not(Or((A, B)))),
        # fields
        ("f:a", f("a")),
        ("f: a", f("a")),
        ("f:\n a", f("a")),
        ("f:(a OR b)", Or((f("a"), f("b")))),
        ("f:(a -b)", And((f("a"), Not(f("b"))))),
        ("f:((a) AND (NOT b))", And((f("a"), Not(f("b"))))),
        ("f:a:b", f("a:b")),
        ("f:http://x.y/z", f("http://x.y/z")),
        ("f::1", f(":1")),
        (r"f:a\:b\ c\\", f("a:b c\\")),
        (r"a\.b\:c:d", Term("a.b:c", Text("d"))),
        ("größe:日本", Term("größe", Text("日本"))),
        ("batch.team.id: 'foo'", Term("batch.team.id", Phrase("foo"))),
        # quoted
        ('"a b"', Term(None, Phrase("a b"))),
        (r'"a\"b\\"', Term(None, Phrase('a"b\\'))),
        ("'a\"b'", Term(None, Phrase('a"b'))),
        ('f:""', Term("f", Phrase(""))),
        ('f:"a AND (b"', Term("f", Phrase("a AND (b"))),
        ("don't", Term(None, Text("don't"))),
        ('"*"', Term(None, Phrase("*"))),
        # wildcards, existence
        ("f:a*b?", Term("f", Pattern(globs.parse("a*b?")))),
        (r"f:a\*", f("a*")),
        ("*", ANYTHING),
        ("* ", ANYTHING),
        ("*:*", ANYTHING),
        ("f:*", Term("f", Exists())),
        ("f:**", Term("f", Exists())),
        ("_exists_:f", Term("f", Exists())),
        ('_exists_:"f"', Term("f", Exists())),
        ("_exists_:(f OR g)", Or((Term("f", Exists()), Term("g", Exists())))),
        # ranges
        ("f:[1 TO 2]", Term("f", Range("1", "2"))),
        ("f:{1 TO 2}", Term("f", Range("1", "2", False, False))),
        ("f:[1 TO 2}", Term("f", Range("1", "2", True, False))),
        ("f: [2026-01-01T00:00:00Z TO *]", Term("f", Range("2026-01-01T00:00:00Z", None))),
        ("f:['a b' TO \"c d\"]", Term("f", Range("a b", "c d"))),
        ("f:[-5 TO -1.5]", Term("f", Range("-5", "-1.5"))),
        ("f:[* TO *]", Term("f", Exists())),
        ("f:[2 TO 1]", Term("f", Range("2", "1"))),
        ("f:>5", Term("f", Range("5", None, False))),
        ("f:>=-5", Term("f", Range("-5", None))),
        ("f: <= 5", Term("f", Range(None, "5"))),
        ('f:<"a b"', Term("f", Range(None, "a b", True, False))),
        ("f:(>=1 AND <2)", And((Term("f", Range("1", None)), Term("f", Range(None, "2", True, False))))),
        ("f:(+>=1 +<2)", And((Term("f", Range("1", None)), Term("f", Range(None, "2", True, False))))),
        # boosts count for nothing
        ("a^2 b^0.5", Or((A, B))),
        ('(a b)^3 AND f:"c"^2', And((Or((A, B)), Term("f", Phrase("c"))))),
        # a window as Batch's command line adds it
        ("a OR b AND batch.info.date_human: [1 TO 2]", Or((A, And((B, Term("batch.info.date_human", Range("1", "2"))))))),
        # numbers begin with signs where a value is expected
        ("f:-5", f("-5")),
        ("f:+.5", f("+.5")),
        ("-5", Not(Term(None, Text("5")))),
    ],
)
def test_a_query_is_read(query: str, tree: Expression) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(
    ("query", "word"),
    [
        *((query, "regular") for query in ("/a/", "f:/a.*b/", "a AND /b c/", "f:(/a/)", "/", "f:[/a/ TO b]")),
        *((query, "fuzzy") for query in ("a~", "a~2", "f:a~0.8", '"a b"~5', '"a"~', "f:(a~ b)", "f:http://x/~y", "f:~a", "f:[a~ TO b]")),
        *((query, "too early") for query in ("(", "(a", "a AND", "a OR (b", "f:", "f:(", "NOT", "a ||", "f:>", "[1 TO 2", "f:[a TO b")),
        *((query, "character") for query in (")", "a)", '"a', "'a", 'f:"a', "AND a", "OR", "a AND OR b", "()", "f:()", "a ^2b")),
        *((query, "character") for query in ("a(b)", 'a"b"', '"a"b', "a[0]", "f:{1}", "f:[1]", "f:[1 2]", ":a", "a - b", "--a", "+ a")),
        *(
            (query, "character")
            for query in ("\\", "a\\", "f:'a'b", "${ORDER_BY a AND LIMIT 5}", "a ${LIMIT 5}", "f:[(a TO b]", "f:[1 TO2]")
        ),
        *((query, "operator") for query in ("f:!a", "f:-a", "f:+a", "f:=5", "a&&b", "f:a||b", "f:-")),
        *((query, "calculation") for query in ("f:[now-1h TO now]", "f:>now", "f:>=now/d", "f:[2026-01-01||/M TO *]")),
        *((query, "wildcards") for query in ("f.*:a", "us?r:a", "f:>a*", "f:[2026-* TO *]", "f:" + "*a" * 33)),
        *((query, "within another") for query in ("f:(g:a)", "f:(a OR (b AND g:*))", "_exists_:(f:a)")),
        *((query, "leave the field out") for query in ("*:a", "*:(a b)")),
        *((query, "_exists_") for query in ("_exists_:*", "_exists_:a*", "_exists_:>5")),
        *((query, "empty") for query in ("", " ", "\n\t")),
        ("a" * 4097, "longer"),
        ("ü" * 2049, "longer"),
        ("a " * 201, "200 clauses"),
        ("f:(" + "a OR " * 200 + "a)", "200 clauses"),
        ("(" * 41 + "a" + ")" * 41, "40 levels"),
        ("NOT " * 41 + "a", "40 levels"),
        (".".join("a" * 41) + ":b", "40 names"),
    ],
)
def test_what_is_not_done_is_refused_on_the_field_query(query: str, word: str) -> None:
    with pytest.raises(Invalid) as refusal:
        compile(query, team_id="t")
    assert list(refusal.value.fields) == ["query"]
    assert word in str(refusal.value), refusal.value


@pytest.mark.parametrize("query", ["a" * 4096, "ü" * 2048, "a " * 200, "(" * 40 + "a" + ")" * 40, "NOT " * 40 + "a", "f:" + "*a" * 32])
def test_the_limits_are_inclusive(query: str) -> None:
    compile(query, team_id="t")


def test_every_term_is_told_in_order() -> None:
    assert [term.value for term in language.terms(parse("a (b OR NOT c) +f:d"))] == [Text("d")]
    assert [term.value for term in language.terms(parse("a OR (b AND NOT c) OR f:d"))] == [Text(name) for name in "abcd"]
