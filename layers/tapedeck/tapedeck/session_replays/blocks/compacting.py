"""The compactor: replays that nobody has written to for a while leave the hot tier and go into blocks, and small blocks become large ones.

A replay goes in four steps: its row says in which block its copy is going to be (`store.point`); the block is put, and committed to the
manifest with the deaths of the copies that it replaces; a minute later, when no search is left that has not seen it, the row leaves the hot
tier (`store.cool`), if it is as it was packed. Whatever is written to it meanwhile or later lists it again, and a listed row stands for its
copies. So there is no moment at which it is in neither tier, and none at which it is counted twice; every step is conditional on the one
before and may be killed, repeated and run by two at once. What a step leaves undone is done by the next run: what was pointed and not
committed is packed again, an object that no row names is swept.

Each replay's line in the lake goes along: the row says where it is going to be when it says in which block; it is put before the commit,
and stays by it; lines of the replay as it was before are taken out after that minute, so that the row need not tell of them any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from math import inf

from tapedeck import aws, clock, objects
from tapedeck.session_replays import store
from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks import keeping, locating, manifest, writing
from tapedeck.session_replays.blocks.manifest import Kept
from tapedeck.session_replays.blocks.reading import Block
from tapedeck.session_replays.lake import landing, leaving
from tapedeck.session_replays.store import Hot, ReplayId

IDLE = 120  # seconds without a write: SDKs write every five
ENOUGH = 500  # replays that are worth a block: fewer are searched as quickly where they are
MOST_PACKED = 16_384  # replays at once: their documents lie in memory
GRACE = 60  # seconds from a block's commit to the first replay's leaving: more than any search takes
LEFT = 29 + 300  # seconds after which nobody is at work any more on an object that no row names
FAN_IN = 8  # blocks of one size that are made one
MOST_MERGED = 2 * form.MOST_ROWS  # rows
LINGERS = 2 * 86_400  # seconds after which a row that has expired goes from its block: TTL takes as long with its row
WORN = 16  # a block is written again when more than a 16th of its rows are dead
BUDGET = 200.0  # seconds after which a run begins nothing new
_AT_ONCE = 64  # writes side by side
_MOST_CHANGED = 40  # blocks in which one new block may replace copies: a transaction takes a hundred parts


def run() -> dict[str, int]:
    """Everything that is due, in every organization: how many replays were packed and left the hot tier, how many blocks were merged, how
    many days of the lake have expired."""
    done: Counter[str] = Counter({"packed": 0, "cooled": 0, "merged": 0, "swept": 0, "expired": 0})
    end = clock.now() + BUDGET
    for organization_id, project_ids in _owners().items():
        steps: dict[str, Callable[[int], int]] = {
            "cooled": settle,
            "packed": partial(pack, project_ids=project_ids),
            "merged": merge,
            "swept": sweep,
        }
        for name, step in steps.items():
            while clock.now() < end and (number := step(organization_id)):
                done[name] += number
    done["expired"] = leaving.expire()
    return dict(done)


def _owners() -> dict[int, list[int]]:
    """The organizations that have replays or, when the last recording has expired, blocks still; with their projects."""
    return {organization_id: list[int]() for organization_id in objects.organizations("blocks")} | dict(objects.owners("rec"))


def settle(organization_id: int) -> int:
    """Take older lines of the replays of young blocks out of the lake, and let them leave the hot tier. Answers how many did."""
    cooled = 0
    for block in manifest.read(organization_id, consistent=True):
        if not block.fresh or clock.now() < block.since + GRACE:
            continue
        opened = locating.whole(block)
        if opened is None:
            continue
        packed = list(_packed(organization_id, block, opened))
        leaving.take_out(block.older, {name: version for name, version, _ in packed})
        cooled += sum(_side_by_side(partial(store.cool, *each, block.id) for each in packed))
        manifest.commit(organization_id, manifest.turn_of(organization_id), changed=[replace(block, fresh=False, older=())])
    return cooled


def pack(organization_id: int, project_ids: Sequence[int]) -> int:
    """Pack replays that nobody writes to any more into one block, and land them in the lake. Answers how many.

    Those that were deleted and are in the lake do not wait until there are enough.
    """
    turn = manifest.turn_of(organization_id)
    blocks = manifest.read(organization_id, consistent=True)
    known = {block.id for block in blocks}
    waiting = (hot for hot in store.hot(organization_id, project_ids) if _is_due(hot, known))
    due = list(islice(waiting, min(MOST_PACKED, form.MOST_ROWS)))
    if len(due) < ENOUGH:
        due = [hot for hot in due if landing.is_to_leave(hot)]
    if not due:
        return 0
    name = manifest.fresh_name()
    planned = landing.plan(name, due)
    pointed = _side_by_side(partial(store.point, hot, name, planned.places.get(hot.replay)) for hot in planned.due)
    due = [hot for hot, is_so in zip(planned.due, pointed, strict=True) if is_so]
    try:
        replaced = locating.copies(blocks, {hot.replay: hot.version.cold.moments for hot in due if hot.version.cold})
    except manifest.Overtaken:
        return 0  # somebody else is at work: what is pointed and not committed is due again
    if len(replaced) > _MOST_CHANGED or not due:
        return 0
    columns = writing.columns_of([hot.document for hot in due], [hot.version.number for hot in due])
    data, head = writing.write(columns)
    made = manifest.new(organization_id, turn, head, name=name, fresh=True, older=tuple(sorted(landing.older_keys(due))))
    lake = planned.objects(due)
    if lake:
        manifest.announce(organization_id, name, list(lake))
        landing.put(lake)
    objects.put(made.object_key, data)
    changed = [replace(block, dead=block.dead | rows) for block, rows in replaced]
    if not manifest.commit(organization_id, turn, new=[made], changed=changed, announced=name if lake else None):
        objects.delete_many([made.object_key, *lake])
        if lake:
            manifest.retract(organization_id, name)
        return 0
    return len(due)


def merge(organization_id: int) -> int:
    """Make large blocks of small ones, and new ones of worn ones; drop those past their retention. Answers how many went."""
    turn = manifest.turn_of(organization_id)
    blocks = [block for block in manifest.read(organization_id, consistent=True) if not block.fresh]
    over = [block for block in blocks if _is_over(block)]
    if over:
        return len(over) if manifest.commit(organization_id, turn, gone=over[:50]) else 0
    run_ = _run(blocks)
    return len(run_) if run_ and rewrite(organization_id, turn, [(block, block.living) for block in run_]) else 0


def rewrite(organization_id: int, turn: int, blocks: Sequence[tuple[Kept, int]]) -> bool:
    """Put new blocks in the place of some, with those of their rows that are in a bitmap and have not expired. False when one of them has
    changed or gone."""
    opened = aws.together(*(partial(locating.whole, block) for block, _ in blocks))
    if None in opened:
        return False
    made: list[Kept] = []
    now = clock.now()
    for columns in writing.merged([(each, rows & keeping.unexpired(each, now)) for each, (_, rows) in zip(opened, blocks, strict=True)]):
        data, head = writing.write(columns)
        fresh, older = all(block.fresh for block, _ in blocks), {key for block, _ in blocks for key in block.older}
        new = manifest.new(organization_id, turn, head, fresh=fresh, older=tuple(sorted(older)))
        made.append(replace(new, since=max(block.since for block, _ in blocks)) if fresh else new)
        objects.put(made[-1].object_key, data)
    if manifest.commit(organization_id, turn, new=made, gone=[block for block, _ in blocks]):
        return True
    objects.delete_many([block.object_key for block in made])
    return False


def sweep(organization_id: int) -> int:
    """Delete what nobody is at work on any more: objects that no row names, and what was put into the lake and not committed. Answers how
    many objects went."""
    left = _abandoned(organization_id)
    return left + _unnamed(organization_id)


def _abandoned(organization_id: int) -> int:
    left = [pack for pack in manifest.under_way(organization_id) if pack.since < clock.now() - LEFT]
    for pack in left:
        objects.delete_many(pack.object_keys)
        manifest.retract(organization_id, pack.name)
    return sum(len(pack.object_keys) for pack in left)


def _unnamed(organization_id: int) -> int:
    old = [key for key, put_at in objects.put_under(f"blocks/{organization_id}/") if put_at < clock.now() - LEFT]
    if not old:
        return 0
    known = {block.object_key for block in manifest.read(organization_id, consistent=True)}
    left = [key for key in old if key not in known]
    objects.delete_many(left)
    return len(left)


def _is_due(hot: Hot, known: set[str]) -> bool:
    cold = hot.version.cold
    is_packed = cold is not None and cold.number == hot.version.number and cold.block in known
    now = clock.now()
    return hot.written < now - IDLE and now < hot.document.row.get("expires", inf) and not is_packed


def _packed(organization_id: int, block: Kept, opened: Block) -> Iterable[tuple[ReplayId, int, int]]:
    """(replay, the version that was packed, when it began) of each row."""
    versions, projects = opened.numbers(writing.VERSION).values(), opened.numbers("project_id").values()
    for row in form.rows_of(block.living, block.head.rows):
        version, project = versions[row], projects[row]
        assert version is not None
        assert project is not None
        yield ReplayId(organization_id, project, opened.row_id(row).hex()), version, opened.began[row]


def _is_over(block: Kept) -> bool:
    """Whether nothing in it is visible any more."""
    ended, now = block.head.numbers[writing.ENDED].high, clock.now()
    return not block.living or ended is None or ended < int(now - store.retention()) or keeping.is_over(block.head, now)


def _run(blocks: Sequence[Kept]) -> list[Kept]:
    """Blocks that are to become others: a worn one, or FAN_IN neighbours of the smallest size of which there are so many."""
    over = clock.now() - LINGERS
    worn = next((each for each in blocks if each.dead.bit_count() * WORN > each.head.rows or keeping.first_expiry(each.head) < over), None)
    if worn:
        return [worn]
    tiers: dict[int, list[Kept]] = {}
    for block in sorted(blocks, key=lambda each: (each.head.first, each.id)):
        if 2 * block.head.rows < form.MOST_ROWS:
            tiers.setdefault(_tier(block), []).append(block)
    for _, several in sorted(tiers.items()):
        if len(several) >= FAN_IN:
            taken = several[:FAN_IN]
            while sum(block.head.rows for block in taken) > MOST_MERGED:
                taken.pop()
            return taken
    return []


def _tier(block: Kept) -> int:
    """Which power of FAN_IN its number of rows is."""
    return (block.head.rows.bit_length() - 1) // (FAN_IN.bit_length() - 1)


def _side_by_side(calls: Iterable[Callable[[], bool]]) -> list[bool]:
    several, done = list(calls), list[bool]()
    for at in range(0, len(several), _AT_ONCE):
        done += aws.together(*several[at : at + _AT_ONCE])
    return done
