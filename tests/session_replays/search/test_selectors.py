"""CSS for clicks: the subset that is understood, the words in which the rest is refused, and what is no CSS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.errors import Invalid
from tapedeck.session_replays.recording import TEXTS
from tapedeck.session_replays.search import selectors
from tests.session_replays.search.worlds import said

BUTTON = {
    "tag": "button",
    "id": "buy",
    "classes": "big red b:hover",
    "alt": "an alt",
    "role": "button",
    "testid": "t1",
    "label": "Buy it",
    "title": "1",
    "component_name": "Buy",
    "text": "Buy",
}


def selects(css: str, **texts: str) -> bool:
    return selectors.matches(selectors.parse(css), [({**BUTTON, **texts}).get(name, "") for name in TEXTS])


@pytest.mark.parametrize(
    "css",
    [
        *(
            "button",
            "*",
            "#buy",
            "button#buy",
            ".red",
            ".red.big",
            "button.big#buy",
            "*.red",
            ".b\\:hover",
            "a, button",
            "#x,.red",
            " button ",
        ),
        *("[role=button]", "[role='button']", "[alt='an alt']", '[aria-label="Buy it"]', "[title='1']", "[data-sentry-component=Buy]"),
        *(
            "[data-testid=t1]",
            "[data-test-id=t1]",
            "[testid=t1]",
            "[component_name=Buy]",
            "#buy#other",
            "button[role=button].red[title='1']",
        ),
        "[role=button][role=link]",
    ],
)
def test_what_selects_the_button(css: str) -> None:
    assert selects(css)


@pytest.mark.parametrize(
    "css",
    [
        *(
            "a",
            "BUTTON",
            "#Buy",
            "#b",
            ".re",
            ".Red",
            ".red.blue",
            "button#other",
            "#other#buy",
            "[role=Button]",
            "[aria-label=Buy]",
            "a, b",
        ),
        *(
            "$#%",
            "",
            " ",
            "[title=1]",
            "button,",
            ",",
            "#",
            ".",
            "..a",
            "[",
            "[role=",
            "a[role='x]",
            "a:",
            ":is(a > b)",
            "\x00",
            "{}",
            "@media",
        ),
    ],
)
def test_what_does_not(css: str) -> None:
    assert not selects(css)


NESTED = "Nested selectors are not supported."
PSEUDO = "Pseudo-elements are not supported."
ONLY = "Only attribute, class, id, and tag name selectors are supported."
EQUAL = "Only the '=' operator is supported."
ATTRIBUTE = (
    "Invalid attribute specified. Only alt, aria-label, role, data-testid, data-test-id, data-sentry-component, and title are supported."
)


@pytest.mark.parametrize(
    ("css", "words"),
    [
        *((css, NESTED) for css in ("div > button", "div button", "a + b", "a ~ b", "a, b c")),
        *((css, PSEUDO) for css in ("a::visited", "a:before", "a:after", "a:first-line", "a, b::x", "a > b::x", "a::x(1)")),
        *((css, ONLY) for css in ("p:active", ":hover", "a:is(b)", "a:not(b)", "a:nth-child(2)", "a:has(b)", "svg|a", "*|a", ":is(" * 21)),
        *(
            (css, EQUAL)
            for css in ("[role~=a]", "[role|=a]", "[aria-label^=x]", "[alt$=a]", "[alt*=a]", "[alt!=a]", "[role]", "[role=a i]", "[x]")
        ),
        *((css, ATTRIBUTE) for css in ("div[xyz=a]", "[class=a]", "[id=a]", "[ns|role=a]", "[Role=a]")),
        ("a" * 2049, "The selector is longer than 2048 characters."),
        ("a," * 20 + "a", "The selector has more than 20 alternatives."),
    ],
)
def test_what_is_refused_and_how(css: str, words: str) -> None:
    with pytest.raises(Invalid) as refusal:
        selectors.parse(css)
    assert refusal.value.detail == words


def test_what_is_no_css_selects_nothing() -> None:
    assert selectors.parse("$#%") == selectors.NOTHING


def test_classes_are_whole_names() -> None:
    assert not selects(".red", classes="")
    assert not selects(".a", classes="aa ba")


@given(st.text(st.sampled_from("ab#.[]='\",:()>+~|*\\ \n1-_") | st.characters(), max_size=40))
def test_whatever_is_typed_is_a_selector_or_is_refused_in_words(css: str) -> None:
    try:
        selectors.matches(selectors.parse(css), ["a"] * len(TEXTS))
    except Invalid as refusal:
        said(refusal)
