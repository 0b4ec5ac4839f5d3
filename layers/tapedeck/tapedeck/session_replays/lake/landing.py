"""Lines go into the lake: those of one pack, into objects that nobody has put before.

First the rows say where (`store.point`), then the manifest what is under way, then the objects are put, and the commit of the pack's block
makes them stay. A pack that is not committed leaves objects that are swept, and rows that name places where nothing is: neither does harm.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from tapedeck import aws, clock, objects
from tapedeck.session_replays import merging, store
from tapedeck.session_replays.lake import lines, places
from tapedeck.session_replays.store import Hot, ReplayId

MOST_IN_ONE = 32_000_000  # bytes of lines in an object: gzip cannot be split, and taking lines out reads all of it
MOST_BYTES = 256_000_000  # bytes of lines in a pack: they lie in memory
MOST_OBJECTS = 1_000  # that a pack puts: their keys are in one row
MOST_OLDER = 100  # objects out of which a pack's older lines are to be taken: each is written again
_AT_ONCE = 8


@dataclass(slots=True)
class Landing:
    """What a pack puts into the lake: the replays that it takes, and of those that are to have a line the line and its place."""

    pack: str
    due: list[Hot] = field(default_factory=list)
    lines: dict[ReplayId, bytes] = field(default_factory=dict)
    places: dict[ReplayId, str] = field(default_factory=dict)
    _older: set[str] = field(default_factory=set)
    _size: int = 0
    _filled: dict[tuple[int, str], list[int]] = field(default_factory=dict)  # (project, place of the first part) → bytes in each part

    def takes(self, hot: Hot) -> bool:
        """Take one more replay; False when it would be too much."""
        said, older = _line(hot), {*self._older, *older_keys([hot])}
        if self.due and (self._size + len(said) > MOST_BYTES or len(older) > MOST_OLDER or len(self._filled) >= MOST_OBJECTS):
            return False
        self.due.append(hot)
        self._older, self._size = older, self._size + len(said)
        if said:
            self.lines[hot.replay], self.places[hot.replay] = said, self._place(hot, len(said))
        return True

    def _place(self, hot: Hot, size: int) -> str:
        began = merging.started_at(hot.document.row) or 0.0
        parts = self._filled.setdefault((hot.replay.project_id, places.place(began, self.pack, 0)), [0])
        if parts[-1] and parts[-1] + size > MOST_IN_ONE:
            parts.append(0)
        parts[-1] += size
        return places.place(began, self.pack, len(parts) - 1)

    def objects(self, due: Iterable[Hot]) -> dict[str, list[bytes]]:
        """The lines of these of its replays, by the key of the object that is to have them."""
        found: dict[str, list[bytes]] = {}
        for hot in due:
            if hot.replay in self.lines:
                found.setdefault(_key(hot.replay, self.places[hot.replay]), []).append(self.lines[hot.replay])
        return found


def plan(pack: str, due: Sequence[Hot]) -> Landing:
    """What a pack of this name puts into the lake of the first of these replays: of as many as it takes, at least of one."""
    landing = Landing(pack)
    for hot in due:
        if not landing.takes(hot):
            break
    return landing


def put(wanted: dict[str, list[bytes]]) -> None:
    """Write lines into the objects of these keys. Safe to repeat until they are committed. The same lines are the same bytes."""
    calls = [partial(_put, key, said) for key, said in wanted.items()]
    for at in range(0, len(calls), _AT_ONCE):
        aws.together(*calls[at : at + _AT_ONCE])


def older_keys(due: Iterable[Hot]) -> set[str]:
    """The objects of the lake that may hold lines of replays as they were before."""
    return {_key(hot.replay, place) for hot in due if hot.version.cold for place in hot.version.cold.places}


def is_to_leave(hot: Hot) -> bool:
    """Whether a replay was deleted, and the lake still has it: not to wait until there are enough for a block."""
    return merging.is_archived(hot.document.row) and bool(hot.version.cold and hot.version.cold.places)


def _line(hot: Hot) -> bytes:
    """The line of a replay; nothing, when it was deleted or is past its retention."""
    row, replay = hot.document.row, hot.replay
    day = places.place(merging.started_at(row) or 0.0, "", 0).split("/")[0]
    if merging.is_archived(row) or places.is_over(day, clock.now(), store.retention()):
        return b""
    return lines.line(row, replay.organization_id, replay.project_id, replay.key, hot.version.number)


def _put(key: str, said: Sequence[bytes]) -> None:
    objects.put(key, gzip.compress(b"".join(said), places.LEVEL, mtime=0))


def _key(replay: ReplayId, place: str) -> str:
    return places.object_key(replay.organization_id, replay.project_id, place)
