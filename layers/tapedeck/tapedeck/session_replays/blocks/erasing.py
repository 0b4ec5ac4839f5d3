"""How erased replays go from the blocks: every block that has a row of one is written again without it, and the old object is deleted.

The look is a turn of the manifest: it keeps out what is being packed at this moment. A block that was begun before is not committed after
it, and what is begun after it no longer finds the replays, whose rows went first. Safe to repeat and to kill.
"""

from __future__ import annotations

from collections.abc import Sequence

from tapedeck import errors, objects
from tapedeck.session_replays.blocks import compacting, locating, manifest
from tapedeck.session_replays.store import ReplayId

_MOST_ROUNDS = 20


def erase(organization_id: int, replays: Sequence[ReplayId]) -> int:
    """Let no byte of these replays, which have no rows any more, stay in any block. Answers how many blocks were written again."""
    looked, written = manifest.look(organization_id), 0
    for _ in range(_MOST_ROUNDS):
        blocks = manifest.read(organization_id, consistent=True)
        try:
            held = locating.copies(blocks, dict.fromkeys(replays, ()))
        except manifest.Overtaken:
            continue
        if not held:
            _sweep(organization_id, looked)
            return written
        for block, rows in held:
            turn = manifest.turn_of(organization_id)
            if compacting.rewrite(organization_id, turn, [(block, block.living & ~rows)]):
                objects.delete(block.object_key)
                written += 1
    raise errors.Unavailable("Blocks that hold erased replays are being written.")


def _sweep(organization_id: int, looked: int) -> None:
    """Delete the objects that were begun before the look and are in no row: they never will be."""
    known = {block.object_key for block in manifest.read(organization_id, consistent=True)}
    keys = objects.keys_under(f"blocks/{organization_id}/")
    if left := [key for key in keys if key not in known and int(key.split("/")[2]) < looked]:
        objects.delete_many(left)
