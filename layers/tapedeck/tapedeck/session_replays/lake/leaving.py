"""Lines leave the lake: what was packed again, deleted or erased; and whole days, past their retention.

An object is read, and written again without the lines where it is still as it was read (S3 compares ETags), or deleted when it would be
empty. Lines only ever leave an object, so whoever loses that race reads again, two who do the same work do it once, and nobody puts back
what another has taken out. It is over when a read finds nothing to take.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from tapedeck import aws, clock, errors, objects
from tapedeck.environments import store as environments
from tapedeck.session_replays import store
from tapedeck.session_replays.lake import lines, places
from tapedeck.session_replays.store import Holding, ReplayId

EVERY = float("inf")  # above any version
_AT_ONCE = 4  # objects side by side: compressed they lie in memory, as they were and as they are to be
_MOST_ROUNDS = 20
_FIRST_HOUR = 3600


def take_out(object_keys: Iterable[str], below: Mapping[ReplayId, float]) -> int:
    """Let objects have no line of these replays that is of a version below the one named. Answers how many went.

    Safe to repeat and to kill. Unavailable when others write the same object without an end.
    """
    by_project: dict[int, dict[str, float]] = {}
    for replay, version in below.items():
        by_project.setdefault(replay.project_id, {})[replay.key] = version
    calls, taken = [partial(_take_out, key, by_project.get(places.project_of(key), {})) for key in object_keys], 0
    for at in range(0, len(calls), _AT_ONCE):
        taken += sum(aws.together(*calls[at : at + _AT_ONCE]))
    return taken


def erase(held: Sequence[Holding]) -> int:
    """Let no line of these replays be at any place that their rows name. Answers how many went."""
    named = [places.object_key(each.replay.organization_id, each.replay.project_id, place) for each in held for place in each.lake]
    return take_out(dict.fromkeys(named), {each.replay: EVERY for each in held})


def expire() -> int:
    """Delete the days that are past their environment's retention, of organizations that record nothing any more as well: the bucket's
    lifecycle knows the stack's alone, and counts anew from what was written again. Answers how many days went. In a day's first hour; in
    any other there is nothing that was not there in that one."""
    if clock.now() % 86400 >= _FIRST_HOUR:
        return 0
    gone = 0
    for folder in objects.folders(places.PREFIX):
        organization = environments.organization(places.organization_of(folder))
        kept = {each.project_id: each.retention_days for each in organization.environments} if organization else {}
        for project in objects.folders(folder):
            period = store.retention(kept.get(places.project_of(project)))
            over = [day for day in objects.folders(project) if places.is_over(places.day_of(day), clock.now(), period)]
            for day in over:
                objects.delete_many(list(objects.keys_under(day)))
            gone += len(over)
    return gone


def _take_out(key: str, below: Mapping[str, float]) -> int:
    taken = 0
    for _ in range(_MOST_ROUNDS):
        found = objects.get_tagged(key)
        if found is None:
            return taken
        body, tag = found
        going, staying = _count(body, below)
        if not going:
            return taken
        if not staying:
            objects.delete(key)
        elif not objects.put_over(key, _without(body, below), tag):
            continue
        taken += going
    raise errors.Unavailable("The lake is being written.")


def _count(body: bytes, below: Mapping[str, float]) -> tuple[int, int]:
    """How many of an object's lines are to go, and how many stay."""
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as said:
        going = [_goes(line, below) for line in said]
    return sum(going), len(going) - sum(going)


def _without(body: bytes, below: Mapping[str, float]) -> bytes:
    left = io.BytesIO()
    with gzip.GzipFile(fileobj=io.BytesIO(body)) as said, gzip.GzipFile("", "wb", places.LEVEL, left, mtime=0) as staying:
        staying.writelines(line for line in said if not _goes(line, below))
    return left.getvalue()


def _goes(line: bytes, below: Mapping[str, float]) -> bool:
    limit = below.get(lines.replay_of(line), 0)
    return limit == EVERY or (limit > 0 and lines.version_of(line) < limit)
