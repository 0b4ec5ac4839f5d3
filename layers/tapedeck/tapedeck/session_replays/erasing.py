"""How one person goes from the session replays: every replay in which they appear in any segment goes whole; and what was uploaded of them.

Replays are found by the person's appearances (`store.appearances`), which are written in the transaction that commits a segment. A page
of them is sealed in the transaction that writes it down: each replay gets its tombstone, and must still be as it was listed. From then on
nothing can be added to it, so what was listed is all that there will ever be.

What is listed are a replay's rows, the recordings in the folders that the rows name (an orphan of a dead ingest lies there as well), and
the pages that were put together for large downloads. Lines leave the lake while the row still says where they are; when the rows have
gone, the blocks that hold copies of them are written again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

from tapedeck import aws, clock, errors, inflating, objects, tombstones
from tapedeck.erasure import Page, Subject
from tapedeck.session_replays import bucket, envelope, ingesting, store
from tapedeck.session_replays.blocks import erasing as blocks
from tapedeck.session_replays.blocks import manifest
from tapedeck.session_replays.lake import leaving
from tapedeck.session_replays.store import Holding, ReplayId

BATCH = 45  # replays a page: a transaction takes a hundred parts, and each replay is two
MOST_OBJECTS = 20_000  # a page: their digests are written down in one transaction
UPLOADS = 5  # opened at a time: each may be of 20 MB
_MOST_ROUNDS = 5


class Sessions:
    """Replays in which the person appears, with everything that belongs to them."""

    name = "sessions"

    def prepare(self, subject: Subject) -> None:
        """Nothing: the tombstone is a condition of every commit."""

    def find(self, subject: Subject, after: str) -> Page | None:  # noqa: ARG002 - what has gone is not found again
        """The next replays that hold the person and began, or were first heard of, before the cut-off."""
        due = list(islice(self.left(subject), BATCH))
        if not due:
            return None
        taken: list[_Found] = []
        for found in _look(due):
            taken.append(found)
            if sum(len(each.keys) for each in taken) >= MOST_OBJECTS:
                break
        return _page(taken)

    def left(self, subject: Subject) -> Iterator[ReplayId]:
        """Every replay that is still to go."""
        appearances = store.appearances(subject.organization_id, subject.project_id, subject.digest)
        return (each.replay for each in appearances if min(each.received, each.started) <= subject.until)

    def erase(self, subject: Subject, what: Sequence[Any]) -> None:
        """Delete these replays until a listing of their rows and their folders finds nothing."""
        replays = [ReplayId(subject.organization_id, subject.project_id, key) for key in what]
        name = tombstones.of_user(subject.user_id)
        _empty(replays, found_by=name)
        blocks.erase(subject.organization_id, replays)
        store.forget_appearances([(replay, name) for replay in replays])


class Uploads:
    """Envelopes that were uploaded because they are large: they wait for a day, finished or not."""

    name = "uploads"

    def prepare(self, subject: Subject) -> None:
        """Nothing: an upload is looked at when it is finished."""

    def find(self, subject: Subject, after: str) -> Page | None:
        """The next few uploads: those that hold the person, or belong to a replay that has been erased."""
        prefix = bucket.upload_key(subject.organization_id, subject.project_id, "")
        keys = list(islice(objects.keys_under(prefix, after), UPLOADS))
        if not keys:
            return None
        theirs = [key for key in keys if _is_of(subject, key.removeprefix(prefix))]
        return Page(theirs, counts={"uploads": len(theirs)}, object_keys=theirs, after=keys[-1])

    def erase(self, subject: Subject, what: Sequence[Any]) -> None:  # noqa: ARG002 - a key says all
        """Delete these uploads."""
        objects.delete_many(what)


def erase_refused(replay: ReplayId) -> dict[str, int]:
    """Erase what came of a replay before one of its segments was refused (`store.note_refusal`), and say how much that was.

    Nothing, when there is no such note, or when the person's tombstone has been lifted since. Safe to repeat and to kill.
    """
    refused = store.refused(replay)
    if refused is None:
        if store.is_gone(replay):  # who died may not have come as far as the blocks
            blocks.erase(replay.organization_id, [replay])
        return {}
    if store.is_covered(replay, refused):
        page = _page(_look([replay]))
        while not store.transact(page.seals):  # something came to it meanwhile
            page = _page(_look([replay]))
        _empty([replay])
        blocks.erase(replay.organization_id, [replay])
        return dict(page.counts)
    store.forget_refusal(replay)
    return {}


class _Found:
    """A replay's rows, and the objects that are there."""

    def __init__(self, holding: Holding) -> None:
        self.holding = holding
        folders = {segment.object_key.rpartition("/")[0] + "/" for segment in holding.segments}
        self.recordings = [key for folder in sorted(folders) for key in objects.keys_under(folder)]
        self.pages = list(objects.keys_under(bucket.pages_prefix(holding.replay)))
        self.keys = list(dict.fromkeys([*(segment.object_key for segment in holding.segments), *self.recordings, *self.pages]))

    @property
    def counts(self) -> dict[str, int]:
        """How many of each there are."""
        segments = len(self.holding.segments)
        recordings = len(self.keys) - len(self.pages)
        return {
            "sessions": 1, "segments": segments, "recordings": recordings, "pages": len(self.pages), "lines": len(self.holding.lake),
        }  # fmt: skip


def _look(replays: Sequence[ReplayId]) -> list[_Found]:
    return aws.together(*(partial(lambda replay: _Found(store.holding(replay)), replay) for replay in replays))


def _page(found: Sequence[_Found]) -> Page:
    counts: Counter[str] = Counter()
    for each in found:
        counts.update(each.counts)
    return Page(
        [each.holding.replay.key for each in found],
        counts=counts,
        object_keys=[key for each in found for key in each.keys],
        seals=[seal for each in found for seal in store.seals(each.holding)],
    )


def _empty(replays: Sequence[ReplayId], *, found_by: str = "") -> None:
    """Objects before rows: who dies in between finds by the rows what is left. The person's own appearances go last, by the caller:
    another job would find by them what this one left.

    Only a compactor may still write to a row: it says there where in the lake it is about to put a line. So a row goes as it was read, and
    between reading and going is the look: a pack that had named a place has put its line by then, or never commits it."""
    for _ in range(_MOST_ROUNDS):
        found = [each for each in _look(replays) if each.keys or each.holding.keys]
        if not found:
            return
        if any(each.holding.lake for each in found):
            manifest.look(replays[0].organization_id)
            leaving.erase([each.holding for each in found])
        objects.delete_many([key for each in found for key in each.keys])
        named = [(each.holding.replay, tombstones.of_user(user)) for each in found for user in each.holding.users]
        store.forget_appearances([(replay, name) for replay, name in named if name != found_by])
        store.delete_rows([key for each in found for key in each.holding.keys if key["sk"]["S"] not in ("M", "E")])
        if store.delete_unchanged([each.holding for each in found]):  # and last that by which who takes over knows what there is to do
            store.delete_rows([key for each in found for key in each.holding.keys if key["sk"]["S"] == "E"])
    raise errors.Unavailable("What was deleted is still there.")


def _is_of(subject: Subject, upload_id: str) -> bool:
    try:
        body, encoding = bucket.upload(subject.organization_id, subject.project_id, upload_id, ingesting.MAX_ENVELOPE)
        said = envelope.parse(inflating.inflate(body, encoding or "identity", ingesting.MAX_INFLATED))
    except errors.DomainError:  # no envelope: nobody's, and never to be anybody's
        return False
    segment = envelope.segment_of(said, now=clock.now(), client_ip=None, client_agent=None)
    if segment is None or isinstance(segment, envelope.Dropped):
        return False
    event = segment.event
    if event.user_id == subject.user_id and event.started <= subject.until:
        return True
    return store.is_gone(ReplayId(subject.organization_id, subject.project_id, event.replay_id))
