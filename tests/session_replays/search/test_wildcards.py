"""The asterisk: what it finds, that it finds what a regular expression would, and that it cannot be made to think."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.session_replays.search import wildcards


@pytest.mark.parametrize(
    ("pattern", "value", "found"),
    [
        ("abc*", "xabcx", True),
        ("*abc", "xabcx", True),
        ("*abc*", "xABCx", True),
        ("a*c", "xabcx", True),
        ("a*c", "xa\nCx", True),
        ("a*c", "ca", False),
        ("a*a", "a", False),
        ("a*a*b", "aab", True),
        ("ab*ba", "aba", False),
        ("*", "x", True),
        ("a\\*b*", "xa*B", True),
        ("a\\*b*", "axb", False),
        ("ΣΑΣ*", "σας", True),
    ],
)
def test_anywhere_in_either_case(pattern: str, value: str, found: bool) -> None:
    assert wildcards.has_star(pattern)
    assert wildcards.matches(wildcards.pattern(pattern), value) is found


def test_an_escaped_asterisk_is_an_asterisk() -> None:
    assert not wildcards.has_star("a\\*b\\*")
    assert wildcards.literal("a\\*b\\*") == "a*b*"


letters = st.text("abAB*\n", max_size=12)


@given(letters, letters.map(lambda text: text.replace("*", "\\*")) | letters)
def test_it_finds_what_a_regular_expression_would(value: str, pattern: str) -> None:
    expression, rest = "", pattern
    while rest:
        if rest.startswith("\\*"):
            expression, rest = expression + re.escape("*"), rest[2:]
        else:
            expression, rest = expression + (".*" if rest[0] == "*" else re.escape(rest[0])), rest[1:]
    expected = re.search(expression, value, re.IGNORECASE | re.DOTALL) is not None
    assert wildcards.matches(wildcards.pattern(pattern), value) is expected


@pytest.mark.parametrize("pattern", ["*a" * 2000 + "b", "a*" * 2000, "*" * 4000, "*" + "a" * 4000 + "b", ("a" * 60 + "*") * 60 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    parts, value = wildcards.pattern(pattern), "a" * 4000
    start = time.process_time()
    wildcards.matches(parts, value)
    assert time.process_time() - start < 0.05
