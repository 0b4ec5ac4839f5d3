"""Replays to search in, built as the ingest builds them: out of deltas, through the merge."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from tapedeck.errors import Invalid
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import Row, link_delta, merge, segment_delta
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.evaluating import matcher
from tapedeck.session_replays.search.language import parse

START = 1_700_000_000.0
ID = "0123456789abcdef" * 2
OTHER = "f" * 32


def segment(number: int = 0, clicks: Iterable[Click] = (), **changes: Any) -> Row:
    """A segment of a replay that lasts 17 seconds; `changes` are members of a ReplayEvent."""
    plain = ReplayEvent(ID, number, START + 17, START, {}, [], [], [], None, {})
    return segment_delta(plain._replace(**changes), clicks)


def link(event_id: str, level: str = "error") -> Row:
    return link_delta(EventLink(event_id, ID, level, START + 1, ""))


def click(second: int = 0, node: int = 1, *, dead: bool = False, rage: bool = False, **texts: str) -> Click:
    """A click on a div, or on whatever `texts` make of it."""
    return Click(int(START) + second, node, dead or rage, rage, tuple(({"tag": "div"} | texts).get(name, "") for name in TEXTS))


def replay(*deltas: Row, replay_id: str = ID, project_id: int = 1) -> Document:
    """What the deltas make of a replay; without any, of one with a single silent segment."""
    return Document(replay_id, project_id, reduce(merge, deltas or (segment(),)))


def finds(query: str, document: Document, viewer_id: int | None = None) -> bool:
    return matcher(parse(query), viewer_id)(document)


def said(refusal: Invalid) -> str:
    """The words in which something was refused: there are some."""
    assert refusal.detail
    return refusal.detail
