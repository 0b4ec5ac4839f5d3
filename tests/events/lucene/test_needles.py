"""The assumptions about Unicode on which needles stand, held against its tables; and which needles there are."""

from __future__ import annotations

from unicodedata import category

import pytest

from tapedeck.events.lucene import language, needles

EVERY_CHARACTER = list(map(chr, range(0x110000)))


def test_only_some_characters_beyond_ascii_fold_to_ascii() -> None:
    assert set(needles.FOLDED) == {each for each in EVERY_CHARACTER if not each.isascii() and any(map(str.isascii, each.casefold()))}


def test_nothing_folds_into_letters_without_case() -> None:
    """So a needle may have them as they are."""
    assert not [each for each in EVERY_CHARACTER if any(category(letter) == "Lo" and letter != each for letter in each.casefold())]
    assert not [each for each in EVERY_CHARACTER if category(each) == "Lo" and each.casefold() != each]


def texts(query: str) -> list[set[str]]:
    return [{needle.text.decode() for needle in each} for each in needles.required(language.parse(query))]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type:Payment.Failed", [{"payment.failed"}]),
        ("a:xy AND b:zz", [{"xy"}, {"zz"}]),
        ("a:xy OR b:zz", [{"xy", "zz"}]),
        ("(a:xy OR b:zz) AND c:>=5", [{"xy", "zz"}, {'c"'}]),
        ("a:xy AND NOT b:zz", [{"xy"}]),
        ("NOT a:xy", []),
        ("a:xy OR NOT b:zz", []),
        ('"connection refused"', [{"connection"}, {"refused"}]),
        ("*@Example7.com", [{"@example7.com"}]),
        ("a:x*yz?w", [{"yz"}]),
        ("größe:straße", [{"strasse"}]),
        ("größe:>5", [{'größe"'}]),
        ("日本語", [{"日本語"}]),
        ("ошибка", []),
        (r"a:C\:\\dir\/file", [{"c:"}, {"dir"}, {"file"}]),
        # a number may be written in many ways; the member's name in one
        ("status:500", [{'status"'}]),
        ('http.status:"500"', [{'status"'}]),
        ("status:5*", [{'status"'}]),
        ("500", []),
        # a text or a truth value
        ("ok:true", [{"true"}]),
        # ours are called otherwise in a line, or are not in it
        ("event_name:paid", [{"paid"}]),
        ("pm_id:>3", []),
        ("_exists_:user", []),
        ("client.payload:>5", []),
        ("batch.info.date_human:[2026-01-01 TO *]", []),
        ("batch.info.source:web", []),
        ("x", []),
        ("*", []),
    ],
)
def test_what_every_line_must_have(query: str, expected: list[set[str]]) -> None:
    assert texts(query) == expected
