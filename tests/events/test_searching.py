"""Searching: whatever the chunks, a page and a total are what one list of all events would tell."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.events import chunks, lucene, searching, spans, store, summaries
from tapedeck.events.lucene import language, receiving
from tapedeck.events.model import Event, iso
from tapedeck.events.spans import Span
from tapedeck.events.store import Chunk, CollectionId

NOON = 1_772_712_000_000
HERE = CollectionId(1, "c")


def event(number: int, kind: str, received: int) -> Event:
    return Event(received=received, id=f"{number:024x}", name=kind, app="api", server="", at=NOON, data=msgspec.Raw(b'{"n":%d}' % number))


def chunk(first: int, lines: list[Event | None], received: list[int]) -> Chunk:
    """A chunk of these events; None was erased."""
    body, _ = chunks.without(chunks.encode([each or event(0, "", NOON) for each in lines]), lambda index, _: lines[index] is None)
    summary = summaries.encode(summaries.summarise([each for each in lines if each]))
    return Chunk(0, first, len(lines), received[0], received[-1], len(body), summary, body)


@st.composite
def stored(draw: Callable[[Any], Any]) -> tuple[list[Chunk], list[tuple[int, Event]]]:
    """Chunks, the oldest first, and all events that are in them by number."""
    kept, events, first, now = list[Chunk](), list[tuple[int, Event]](), 0, NOON
    for kinds in draw(st.lists(st.text("ab.", min_size=1, max_size=8), max_size=9)):
        times = list(accumulate(draw(st.lists(st.sampled_from([0, 0, 1000]), min_size=len(kinds), max_size=len(kinds))), initial=now))[1:]
        lines = [None if kind == "." else event(first + n, kind, times[n]) for n, kind in enumerate(kinds)]
        kept.append(chunk(first, lines, times))
        events += [(first + n, each) for n, each in enumerate(lines) if each]
        first, now = first + len(kinds), times[-1]
    return kept, events


QUERIES: dict[str, Callable[[Event], bool]] = {
    "*": lambda each: True,
    "event_name:a": lambda each: each.name == "a",
    "NOT event_name:a": lambda each: each.name != "a",
    f"batch.info.date_human:[{iso(NOON + 1000)} TO {iso(NOON + 2000)}]": lambda each: NOON + 1000 <= each.received <= NOON + 2000,
    f"event_name:b AND batch.info.date_human:>{iso(NOON + 1000)}": lambda each: each.name == "b" and each.received > NOON + 1000,
    f"event_name:b OR NOT batch.info.date_human:<{iso(NOON + 3000)}": lambda each: each.name == "b" or each.received >= NOON + 3000,
}


@given(
    stored(), st.sampled_from(sorted(QUERIES)), st.integers(0, 30), st.integers(0, 12), st.integers(0, 20), st.none() | st.integers(0, 40)
)
def test_a_page_is_a_slice_of_all(
    kept: tuple[list[Chunk], list[tuple[int, Event]]], query: str, offset: int, size: int, first: int, end: int | None
) -> None:
    span = Span(HERE, first, end, (0, 0))
    inside = [each for each in kept[0] if each.end > first and (end is None or each.first < end)]
    found = [each for number, each in reversed(kept[1]) if first <= number and (end is None or number < end) and QUERIES[query](each)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spans, "chunks_of", lambda _: inside)
        patch.setattr(store, "body", lambda each: each.body)
        answer = searching.search(span, lucene.compile(query, team_id="t"), offset=offset, size=size)
    assert (answer.total, [each.id for each in answer.events]) == (len(found), [each.id for each in found[offset : offset + size]])


@pytest.mark.parametrize(
    ("query", "may", "must"),
    [
        ("*", True, True),
        ("a", True, False),
        ("NOT *", False, False),
        ("batch.info.date_human:[2026-03-05T11:00:00Z TO *]", True, True),
        ("batch.info.date_human:>2026-03-05T12:00:00Z", True, False),
        ("batch.info.date_human:>=2026-03-05T12:00:01Z", True, False),
        ("batch.info.date_human:>2026-03-05T12:00:01Z", False, False),
        ("batch.info.date_human:<2026-03-05T12:00:00Z", False, False),
        ("batch.info.date_human:[2026-03-05 TO 2026-03-06]", True, True),
        ("batch.info.date_human:[2026-03-06 TO 2026-03-05]", False, False),
        ("batch.info.date_human:[2026 TO 2027]", True, True),
        ("a AND batch.info.date_human:[2026-03-05 TO 2026-03-06]", True, False),
        ("a OR batch.info.date_human:[2026-03-05 TO 2026-03-06]", True, True),
        ("a AND NOT batch.info.date_human:[2026-03-05 TO 2026-03-06]", False, False),
        ("a OR batch.info.date_human:>2027-01-01", True, False),
        ("batch.info.date_human:2026", True, False),
    ],
)
def test_receive_times_tell_of_a_chunk_before_it_is_opened(query: str, may: bool, must: bool) -> None:
    """A chunk whose first event was received at noon, and its last a second later."""
    expression = language.parse(query)
    assert (receiving.may_be(expression, NOON, NOON + 1000), receiving.must_be(expression, NOON, NOON + 1000)) == (may, must)
