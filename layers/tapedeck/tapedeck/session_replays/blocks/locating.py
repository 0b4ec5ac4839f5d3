"""Finding replays in blocks, and reading blocks: ranges side by side, one round trip however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from tapedeck import aws, objects
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks import reading
from tapedeck.session_replays.blocks.format import Head, Range
from tapedeck.session_replays.blocks.manifest import Kept, Overtaken
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.store import ReplayId


def whole(block: Kept) -> Block | None:
    """A block with all its bytes; None when it has gone."""
    data = objects.get(block.object_key)
    return Block.of(data) if data is not None else None


def opened(blocks: Sequence[Kept], ranges_of: Callable[[Head], Iterable[Range]]) -> list[Block]:
    """The blocks, with the ranges that each of them needs: one round trip. Raises Overtaken when one has gone."""
    wanted = [reading.joined(ranges_of(block.head)) for block in blocks]
    spans = iter(fetched([(block.object_key, each) for block, ranges in zip(blocks, wanted, strict=True) for each in ranges]))
    return [Block(block.head, [(each.offset, next(spans)) for each in ranges]) for block, ranges in zip(blocks, wanted, strict=True)]


def fetched(wanted: Sequence[tuple[str, Range]]) -> list[bytes]:
    """These ranges of objects: one round trip. Raises Overtaken when a block has gone."""
    if not wanted:
        return []
    found = aws.together(*(partial(objects.get_range, object_key, each.offset, each.length) for object_key, each in wanted))
    if None in found:
        raise Overtaken
    return found


def copies(blocks: Sequence[Kept], replays: Mapping[ReplayId, Sequence[int]]) -> list[tuple[Kept, int]]:
    """The blocks in which replays are, each with their rows; of a replay it is known when its copies say that it began (none: any time)."""
    candidates = [(block, _could_hold(block, replays)) for block in blocks]
    candidates = [(block, names) for block, names in candidates if names]
    looked = opened([block for block, _ in candidates], lambda head: _references(head, replays))
    found: list[tuple[Kept, list[int]]] = []
    for (block, names), there in zip(candidates, looked, strict=True):
        rows = 0
        for name in names:
            rows |= there.referring("id", form.digest(name.key))
        found.append((block, form.rows_of(rows, block.head.rows)))
    ids = iter(fetched([(block.object_key, reading.id_range(block.head, row)) for block, rows in found for row in rows]))
    wanted = {bytes.fromhex(name.key) for name in replays}
    sure = [(block, [row for row in rows if next(ids) in wanted]) for block, rows in found]
    return [(block, form.bitmap(rows, block.head.rows)) for block, rows in sure if rows]


def _could_hold(block: Kept, replays: Mapping[ReplayId, Sequence[int]]) -> list[ReplayId]:
    head = block.head
    return [
        name
        for name, moments in replays.items()
        if name.project_id in head.projects and (not moments or any(head.first <= each <= head.last for each in moments))
    ]


def _references(head: Head, replays: Iterable[ReplayId]) -> Iterable[Range]:
    for name in replays:
        yield from reading.whole(reading.references_of(head, "id", form.digest(name.key)))
