"""What is searched: a replay's row with its ids, and the clicks in it."""

from __future__ import annotations

from typing import NamedTuple

from tapedeck.session_replays.counting import RAGE
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.recording import Click


class Document(NamedTuple):
    """A replay; `replay_id` is 32 hex digits. `cold` tells when its copies in blocks say that it began (ms): it stands for them."""

    replay_id: str
    project_id: int
    row: Row
    cold: tuple[int, ...] = ()


def clicks(row: Row) -> list[Click]:
    """The clicks on elements that have a tag, earliest first, as they are now known: dead if any segment told so."""
    slow = row.get("slow", {})
    found = []
    for identity, (_, _, texts) in row.get("clicks", {}).items():
        if texts[0]:
            second, node = identity.split(":")
            anger = slow.get(identity, 0)
            found.append(Click(int(second), int(node), bool(anger), anger == RAGE, tuple(texts)))
    return sorted(found)
