"""Every place where the system keeps something, and how one person goes from it: the one list, which a test holds against what is written.

A new kind of row, or a new folder of the bucket, is entered here: with the eraser that empties it, or with the reason why nobody is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tapedeck.erasure import Eraser
from tapedeck.session_replays import erasing as session_replays

SESSIONS = session_replays.Sessions()
UPLOADS = session_replays.Uploads()
# In this order, round and round, until each of them has found nothing after all the others.
ERASERS: Sequence[Eraser] = (SESSIONS, UPLOADS)


class Place(NamedTuple):
    """Where something is kept: a table's partitions or the bucket's keys that begin so; by whom a person goes from it, or why not."""

    where: Literal["control", "replays", "events", "bucket"]
    prefix: str
    eraser: str | None
    how: str


PLACES: Sequence[Place] = (
    # --- session replays
    Place("replays", "R#", "sessions", "a replay's row, its segments: every replay in which the person appears goes whole"),
    Place("replays", "U#", "sessions", "in which replays the person appears: goes with them"),
    Place("replays", "N#", None, "names of environments (`production`)"),
    Place("bucket", "rec/", "sessions", "recordings; what no row names lies beside them, or is swept within half an hour"),
    Place("bucket", "pages/", "sessions", "copies of recordings for a large download"),
    Place("bucket", "up/", "uploads", "large envelopes, for a day"),
    Place("control", "E#", None, "tombstones: digests"),
    Place("control", "J#", None, "bulk deletions: what an administrator searched for, and numbers of replays"),
    # --- erasure itself
    Place("control", "ERASURE#", None, "deletion jobs: the request names the person, as decision 25 has it; digests otherwise"),
    Place("bucket", "receipts/", None, "receipts: digests and counts"),
    Place("control", "AUDIT#", None, "who ordered what: colleagues by number, persons by digest"),
    # --- organizations
    Place("control", "ORG#", None, "the organization's own people, environments and keys: colleagues are not the persons recorded"),
    Place("control", "SLUG#", None, "names of organizations"),
    Place("control", "DSN#", None, "which project a public key is of"),
    Place("control", "COLLECT#", None, "which collection a token is of"),
    Place("control", "KEY#", None, "keys: digests"),
    Place("control", "SEQ", None, "the last numbers given out"),
)


def named(name: str) -> Eraser:
    """The eraser of this name."""
    return next(eraser for eraser in ERASERS if eraser.name == name)
