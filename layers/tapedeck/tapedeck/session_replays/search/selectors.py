"""The CSS selectors by which clicks are found (contract §2.5): what one element can tell of itself, its tag, id, classes and attributes.

There is no page to select from: a click keeps ten texts of its element. So everything that asks about other elements or about a state is
refused in words, and what is no CSS at all selects nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tapedeck.errors import Invalid
from tapedeck.session_replays.recording import TEXTS

MAX_LENGTH = 2048  # longer than any that the list of selectors prints
MAX_ALTERNATIVES = 20
_MAX_PARENTHESES = 20  # what has any is refused or no CSS; the parser recurses into them

_PLACES = {name: TEXTS.index(name) for name in TEXTS}
_CLASSES = _PLACES["classes"]
_ATTRIBUTES = {
    "alt": _PLACES["alt"],
    "aria-label": _PLACES["label"],
    "role": _PLACES["role"],
    "title": _PLACES["title"],
    "data-testid": _PLACES["testid"],
    "data-test-id": _PLACES["testid"],
    "testid": _PLACES["testid"],
    "data-sentry-component": _PLACES["component_name"],
    "component_name": _PLACES["component_name"],
}


@dataclass(frozen=True, slots=True)
class Compound:
    """One of the alternatives between commas: texts that must be equal, by their place in `TEXTS`, and classes that must be there."""

    texts: tuple[tuple[int, str], ...]
    classes: frozenset[str]


Selector: TypeAlias = tuple[Compound, ...]
NOTHING: Selector = ()


def parse(css: str) -> Selector:
    """The alternatives of a selector; `NOTHING` of what is no CSS. Raises Invalid, in the contract's words, for CSS that asks for more."""
    if len(css) > MAX_LENGTH:
        raise Invalid(f"The selector is longer than {MAX_LENGTH} characters.")
    if css.count("(") > _MAX_PARENTHESES:
        raise Invalid("Only attribute, class, id, and tag name selectors are supported.")
    import cssselect

    try:
        found = cssselect.parse(css)
    except cssselect.SelectorSyntaxError:
        return NOTHING
    if len(found) > MAX_ALTERNATIVES:
        raise Invalid(f"The selector has more than {MAX_ALTERNATIVES} alternatives.")
    if any(selector.pseudo_element for selector in found):
        raise Invalid("Pseudo-elements are not supported.")
    return tuple(_compound(selector.parsed_tree) for selector in found)


def matches(selector: Selector, texts: Sequence[str]) -> bool:
    """Whether an element with these `TEXTS` is selected."""
    return any(
        all(texts[place] == text for place, text in compound.texts)
        and (not compound.classes or compound.classes.issubset(texts[_CLASSES].split(" ")))
        for compound in selector
    )


def _compound(node: object) -> Compound:
    """cssselect's tree has the last part outermost: from there inwards, so that of two ids the leftmost stays."""
    from cssselect import parser

    texts: dict[int, str] = {}
    classes: set[str] = set()
    while not isinstance(node, parser.Element):
        if isinstance(node, parser.CombinedSelector):
            raise Invalid("Nested selectors are not supported.")
        if isinstance(node, parser.Class):
            classes.add(node.class_name)
        elif isinstance(node, parser.Hash):
            texts[_PLACES["id"]] = node.id
        elif isinstance(node, parser.Attrib):
            place, text = _attribute(node)
            texts[place] = text
        else:
            raise Invalid("Only attribute, class, id, and tag name selectors are supported.")
        node = node.selector
    if node.namespace:
        raise Invalid("Only attribute, class, id, and tag name selectors are supported.")
    if node.element:
        texts[_PLACES["tag"]] = node.element
    return Compound(tuple(sorted(texts.items())), frozenset(classes))


def _attribute(node: object) -> tuple[int, str]:
    from cssselect import parser

    assert isinstance(node, parser.Attrib)
    if node.operator != "=" or node.value is None or node.flag == "i":
        raise Invalid("Only the '=' operator is supported.")
    if node.attrib not in _ATTRIBUTES or node.namespace:
        raise Invalid(
            "Invalid attribute specified. "
            "Only alt, aria-label, role, data-testid, data-test-id, data-sentry-component, and title are supported."
        )
    return _ATTRIBUTES[node.attrib], str(node.value.value)
