"""From text to tree: precedence, words, quotes, lists; and that whatever is typed becomes a tree or a refusal in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tapedeck.errors import Invalid
from tapedeck.session_replays.search import language
from tapedeck.session_replays.search.language import EVERYTHING, And, Expression, Not, Or, Term, parse, terms
from tests.session_replays.search.worlds import said

A, B, C, D = (Term(name, (name,)) for name in "abcd")


def free(text: str) -> Term:
    return Term("message", (text,))


EXAMPLES: list[tuple[str, Expression]] = [
    ("", EVERYTHING),
    ("   ", EVERYTHING),
    ('""', EVERYTHING),
    ("a:a", A),
    (" a:a  b:b ", And((A, B))),
    ("a:a AND b:b", And((A, B))),
    ("a:a OR b:b c:c", Or((A, And((B, C))))),
    ("a:a b:b OR c:c", Or((And((A, B)), C))),
    ("a:a oR b:b aNd c:c", Or((A, And((B, C))))),
    ("a:a (b:b OR c:c)", And((A, Or((B, C))))),
    ("a:a(b:b OR c:c)d:d", And((A, Or((B, C)), D))),
    ("a:a (b:b (c:c d:d))", And((A, B, C, D))),
    ("((((a:a))))", A),
    ("a:a OR (b:b OR (c:c))", Or((A, B, C))),
    ("a:a OR", A),
    ("(a:a and) b:b OR ", And((A, B))),
    ("!a:a", Not(A)),
    ("!a:a b:b", And((Not(A), B))),
    ("!(a:a b:b)", Not(And((A, B)))),
    ("!(!a:a)", Not(Not(A))),
    # free text
    ("hello", free("hello")),
    ("hello  big world", free("hello  big world")),
    ("hello a:a world", And((free("hello"), A, free("world")))),
    ('"hello (world)" a:a', And((free("hello (world)"), A))),
    ("()", free("()")),
    ("foo() bar", free("foo() bar")),
    ("!foo", free("!foo")),
    ("!!!!", free("!!!!")),
    ("!", free("!")),
    ("not a:a", And((free("not"), A))),
    ("order ANDROID", free("order ANDROID")),
    ("AND(a:a)", And((free("AND"), A))),
    ("~a:b", free("~a:b")),
    (":a", free(":a")),
    ('sa\\"id', free('sa"id')),
    ("\x00\x1f", free("\x00\x1f")),
    # keys
    ("a-b.C_1:x", Term("a-b.C_1", ("x",))),
    ('"a:b":x', Term("a:b", ("x",))),
    ("tags[a:b.c]:x", Term("a:b.c", ("x",), is_tag=True)),
    ("tags[a,string]:x", Term("a", ("x",), is_tag=True)),
    ("!tags[a, string]:x", Not(Term("a", ("x",), is_tag=True))),
    ("has:a", Not(Term("a", ("",)))),
    ("!has:tags[a]", Term("a", ("",), is_tag=True)),
    ('has:"a:b"', Not(Term("a:b", ("",)))),
    ("tags[has]:x", Term("has", ("x",), is_tag=True)),
    # values
    ('a:""', Term("a", ("",))),
    ('a:"b c"', Term("a", ("b c",))),
    ('a:"b \\"c\\" (d)\n"', Term("a", ('b "c" (d)\n',))),
    ('a:b\\"c', Term("a", ('b"c',))),
    ('a:"b"c', And((Term("a", ("b",)), free("c")))),
    ("a:b:c", Term("a", ("b:c",))),
    ("a:https://b/c?d=e#f", Term("a", ("https://b/c?d=e#f",))),
    ("a:b\\*c*", Term("a", ("b\\*c*",))),
    ("a:OR", Term("a", ("OR",))),
    ("a:!b", Term("a", ("!b",))),
    # operators
    ("a:>5", Term("a", ("5",), ">")),
    ("a:>=5", Term("a", ("5",), ">=")),
    ("a:<5", Term("a", ("5",), "<")),
    ("a:<=5", Term("a", ("5",), "<=")),
    ("a:=5", Term("a", ("5",), "=")),
    ("!a:!=5", Not(Term("a", ("5",), "!="))),
    ("a:>", Term("a", ("",), ">")),
    ('a:">5"', Term("a", (">5",))),
    # lists
    ("a:[b]", Term("a", ("b",), "in")),
    ('a:[b, c ,"d, e" , ""]', Term("a", ("b", "c", "d, e", ""), "in")),
    ('!a:["b \\"c\\""]', Not(Term("a", ('b "c"',), "in"))),
    ("(a:[b])", Term("a", ("b",), "in")),
    ("a:[ b ]", Term("a", ("b",), "in")),
    ("a:[]", Term("a", ("[]",))),
    ("a:[b,,c]", Term("a", ("[b,,c]",))),
    ("a:[b,]", Term("a", ("[b,]",))),
    ("a:[b]c", Term("a", ("[b]c",))),
    ("a:[b", Term("a", ("[b",))),
    ("a:[b c]", And((Term("a", ("[b",)), free("c]")))),
    # what the search box's buttons write
    ("a:\uf00dContains\uf00db", Term("a", ("*b*",))),
    ("!a:\uf00dStartsWith\uf00db", Not(Term("a", ("b*",)))),
    ('a:\uf00dEndsWith\uf00d"b *"', Term("a", ("*b \\*",))),
    ("a:\uf00dContains\uf00d>5", Term("a", ("*>5*",))),
    ("a:\uf00dContains\uf00d[b, c]", Term("a", ("*b*", "*c*"), "in")),
    ("a:\uf00dcontains\uf00db", Term("a", ("\uf00dcontains\uf00db",))),
    # what another kind of search would answer
    ("p95():>1", EVERYTHING),
    ("p95(transaction.duration):>=1.5s a:a", A),
    ("a:a OR !count():<2", A),
    ("!(count():2)", EVERYTHING),
    ("foo():bar", free("foo():bar")),
]


@pytest.mark.parametrize(("text", "tree"), EXAMPLES)
def test_what_is_written_and_what_is_meant(text: str, tree: Expression) -> None:
    assert parse(text) == tree


def test_terms_say_where_they_begin() -> None:
    found = list(terms(parse('a:a OR !b:b (hello "x y" c:c)')))
    assert [(term.key, term.column) for term in found] == [("a", 1), ("b", 8), ("message", 14), ("message", 20), ("c", 26)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a" * 4097, "The query is longer than 4096 characters."),
        ("a:b " * 201, "The query has more than 200 terms."),
        ("a:b OR (c:d e:f) " * 67, "The query has more than 200 terms."),
        ("a:[" + "b," * 200 + "b]", "The list of `a` has more than 200 values."),
        ("!(" * 40 + "a:b" + ")" * 40, "The query is nested more than 40 levels deep."),
        ("(a:b OR a:b (" * 20 + "a:b" + "))" * 20, "The query is nested more than 40 levels deep."),
        ("a" + "()" * 401, "The query has more than 400 parentheses."),
        (")", "Parse error at ')' (column 1)."),
        ("( )", "Parse error at '( )' (column 3)."),
        ("!(", "Parse error at '!(' (column 1)."),
        ("(a:b) (!(c:d) e:f", "Parse error at ':b) (!(c:d' (column 7)."),
        ("a:b\tc:d", "Parse error at 'a:b\tc:d' (column 4)."),
        ("a:b\nc:d", "Parse error at 'a:b\nc:d' (column 4)."),
        ("a:\uf00dContains\uf00d", "Empty string after 'a:'"),
        ("!a:", "Empty string after 'a:'"),
        ("a:(b)", "Empty string after 'a:'"),
        ('hello"world"', "Invalid quote at 'hello\"world\"': quotes must enclose text or be escaped."),
        ("AND", "Condition is missing on the left side of 'AND' operator"),
        ("a:b or or c:d", "Missing condition in between two condition operators: 'or or'"),
    ],
)
def test_what_is_refused_and_how(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse(text)
    assert str(refusal.value.detail).startswith(words)


def test_the_caps_let_through_what_is_just_allowed() -> None:
    assert len(list(terms(parse("a:b " * 200)))) == 200
    assert len(parse("a:[" + "b," * 199 + "b]").values) == 200  # type: ignore[union-attr]
    parse("!(" * 39 + "a:b" + ")" * 39)
    parse("(" * 400 + "a:b" + ")" * 400)
    parse("a" * 4096)


# --- What is printed is read again --------------------------------------------------------------------------------------------------------

PLAIN = re.compile(r"[\w.*@/\\-]*[\w.*@/-]")


def printed(tree: Expression, inside: type | None = None) -> str:
    """A query that says this."""
    if isinstance(tree, Not):
        return f"!{printed(tree.term)}" if isinstance(tree.term, Term) and tree.term.key != "message" else f"!({printed(tree.term)})"
    if isinstance(tree, Term):
        if tree.key == "message":
            return quoted(tree.values[0])
        name = f"tags[{tree.key}]" if tree.is_tag else tree.key if re.fullmatch(r"[\w.-]+", tree.key, re.ASCII) else f'"{tree.key}"'
        if tree.operator == "in":
            return f"{name}:[{', '.join(map(either, tree.values))}]"
        return f"{name}:{tree.operator}{tree.values[0]}" if tree.operator else f"{name}:{either(tree.values[0])}"
    text = (" OR " if isinstance(tree, Or) else " ").join(printed(part, type(tree)) for part in tree.terms)
    return f"({text})" if isinstance(tree, Or) and inside is And else text


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def either(text: str) -> str:
    return text if PLAIN.fullmatch(text) else quoted(text)


# A backslash before a quote, or at the end, cannot be said between quotes.
sayable = st.text(st.sampled_from('ab *\\"()[],:!<=>\uf00d\tü\x00\n') | st.characters(codec="utf-8"), max_size=8).filter(
    lambda text: '\\"' not in text and not text.endswith("\\")
)
keys = st.from_regex(r"[a-zA-Z0-9_.-]{1,6}", fullmatch=True).filter(lambda key: key not in ("has", "is", "message"))
term_trees = st.one_of(
    st.builds(Term, keys | st.just("a:b"), st.tuples(sayable)),
    st.builds(Term, keys | st.just("a:b"), st.tuples(sayable), is_tag=st.just(True)),
    st.builds(Term, keys, st.tuples(st.from_regex(r"[a-z0-9.]{0,4}", fullmatch=True)), st.sampled_from([">", ">=", "<", "<=", "=", "!="])),
    st.builds(Term, keys, st.lists(sayable, min_size=1, max_size=3).map(tuple), st.just("in")),
    st.builds(free, sayable.filter(lambda text: text.strip(" "))),
)


def flat(kind: type[And | Or], parts: list[Expression]) -> Expression:
    return kind(tuple(inner for part in parts for inner in (part.terms if isinstance(part, kind) else (part,))))  # type: ignore[union-attr]


trees: st.SearchStrategy[Expression] = st.recursive(
    term_trees,
    lambda inner: (
        st.builds(Not, inner) | st.builds(flat, st.sampled_from([And, Or]), st.lists(inner, min_size=2, max_size=3))  # type: ignore[arg-type]
    ),
    max_leaves=8,
)


@given(trees)
def test_what_is_printed_is_read_again(tree: Expression) -> None:
    assert parse(printed(tree)) == tree


@given(st.text(st.sampled_from('ab:!()[]," \t\n\\*<>=\uf00d.ORANDhasis') | st.characters(), max_size=60))
@example("a:b\ud800")
@example("\ud800:\udfff")
def test_whatever_is_typed_is_a_tree_or_is_refused_in_words(text: str) -> None:
    try:
        tree = parse(text)
    except Invalid as refusal:
        said(refusal)
    else:
        assert sum(1 for _ in terms(tree)) <= language.MAX_TERMS


def test_the_parser_is_loaded_by_those_who_search_and_by_nobody_else() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from tapedeck.session_replays.search import evaluating, language; language.parse(''); "
        "assert not {'lark', 'cssselect'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "layers/tapedeck"})
