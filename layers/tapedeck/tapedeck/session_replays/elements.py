"""Clicked elements over many replays: which one was clicked in vain, or in rage, how often (replay-selectors, contract §1.11)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from tapedeck.errors import Invalid
from tapedeck.session_replays.recording import TEXTS
from tapedeck.session_replays.search import document

if TYPE_CHECKING:
    from tapedeck.session_replays.blocks.counting import Reduction
    from tapedeck.session_replays.search.document import Document

SORTS = ("count_dead_clicks", "count_rage_clicks")
# An element is what these texts of a click say, in the order in which they are written; its text is not part of it.
_NAMES = {"role": "role", "alt": "alt", "testid": "testid", "label": "aria", "title": "title", "component_name": "component_name"}

Element: TypeAlias = tuple[int, tuple[str, ...]]  # the project, and the texts of recording.TEXTS but the last
Counts: TypeAlias = tuple[int, int]  # dead clicks, rage clicks


def count(replays: Sequence[Document]) -> Mapping[Element, Counts]:
    """The elements that were clicked in these replays, with their dead and rage clicks."""
    found: dict[Element, Counts] = {}
    for replay in replays:
        for click in document.clicks(replay.row):
            element = replay.project_id, tuple(click.texts[:-1])
            dead, rage = found.get(element, (0, 0))
            found[element] = dead + click.dead, rage + click.rage
    return found


def count_in_blocks() -> Reduction[Mapping[Element, Counts]]:
    """The same of rows of blocks."""
    from tapedeck.session_replays.blocks import counting

    return counting.elements()


def summed(pages: Iterable[Mapping[Element, Counts]]) -> dict[Element, Counts]:
    """What several pages tell of elements, as one."""
    total: dict[Element, Counts] = {}
    for page in pages:
        for element, (dead, rage) in page.items():
            known = total.get(element, (0, 0))
            total[element] = known[0] + dead, known[1] + rage
    return total


def describe(
    pages: Iterable[Mapping[Element, Counts]], *, sort: str | None, matches: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """The rows of replay-selectors that `matches` wants, the most clicked first or as `sort` says. Raises Invalid for another sort."""
    by = sort or f"-{SORTS[0]}"
    if by.removeprefix("-") not in SORTS:
        raise Invalid(f"The field `{by.removeprefix('-')[:64]}` is not a sortable field.")
    rows = [row for element, counts in summed(pages).items() if matches(row := _row(element, counts))]
    rows.sort(key=lambda row: (row["dom_element"], row["project_id"]))
    rows.sort(key=lambda row: int(row[by.removeprefix("-")]), reverse=by.startswith("-"))
    return rows


def _row(element: Element, counts: Counts) -> dict[str, Any]:
    project_id, texts = element
    said = dict(zip(TEXTS, texts, strict=False))
    classes = said["classes"].split()
    return {
        "count_dead_clicks": counts[0],
        "count_rage_clicks": counts[1],
        "dom_element": said["tag"]
        + (f"#{said['id']}" if said["id"] else "")
        + "".join(f".{name}" for name in classes)
        + "".join(f'[{name}="{said[text]}"]' for text, name in _NAMES.items() if said[text]),
        "element": {
            "alt": said["alt"],
            "aria_label": said["label"],
            "class": classes,
            "component_name": said["component_name"],
            "id": said["id"],
            "project_id": project_id,
            "role": said["role"],
            "tag": said["tag"],
            "testid": said["testid"],
            "title": said["title"],
        },
        "project_id": project_id,
    }
