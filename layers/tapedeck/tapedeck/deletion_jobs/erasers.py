"""Every place where the system keeps something, and how one person goes from it: the one list, which a test holds against what is written.

A new kind of row, or a new folder of the bucket, is entered here: with the eraser that empties it, or with the reason why nobody is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from tapedeck.erasure import Eraser, Subject
from tapedeck.events import erasing as events
from tapedeck.session_replays import erasing as session_replays
from tapedeck.session_replays.lake import answers

SESSIONS = session_replays.Sessions()
UPLOADS = session_replays.Uploads()
EVENTS = events.Events()
ANSWERS = answers.Answers()
# In this order, round and round, until each of them has found nothing after all the others.
ERASERS: Sequence[Eraser] = (SESSIONS, UPLOADS, EVENTS, ANSWERS)


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
    Place("replays", "BLOCKS#", "sessions", "which blocks there are, with a few values of theirs: made anew with the block"),
    Place("bucket", "blocks/", "sessions", "finished replays in columns: what holds one of the person's is written again without it"),
    Place("bucket", "lake/", "sessions", "a line for each finished replay: what holds one of the person's is written again without it"),
    Place("bucket", "athena/", "answers", "what Athena answered, for a day: whomever an answer tells of, all of them go"),
    Place("bucket", "rec/", "sessions", "recordings; what no row names lies beside them, or is swept within half an hour"),
    Place("bucket", "pages/", "sessions", "copies of recordings for a large download"),
    Place("bucket", "up/", "uploads", "large envelopes, for a day"),
    Place("control", "E#", None, "tombstones: digests"),
    Place("control", "J#", None, "bulk deletions: what an administrator searched for, and numbers of replays"),
    # --- events
    Place("events", "C#", "events", "chunks: the person's lines become empty, the summary is made anew; a head has numbers only"),
    Place("events", "U#", "events", "whose events a chunk holds: four bytes a person, made anew with the chunk"),
    Place("events", "I#", None, "receipts of requests: digests, ids, for a day"),
    Place("events", "W#", None, "numbers of generations that were left behind; their chunks are emptied like others"),
    Place("events", "P#", None, "windows of time that captures keep"),
    Place("bucket", "ev/", "events", "bodies of larger chunks; those that no chunk knows are swept within half an hour"),
    Place("control", "K#", None, "collections: names that colleagues gave, and the windows of captures"),
    # --- captures
    Place("control", "CAPTURE#", None, "windows over the same chunks: what is erased there is not in them any more"),
    Place("bucket", "captures/", None, "metrics: counts by the minute"),
    # --- event replays
    Place("control", "REPLAY#", None, "replays, and what a reader that pulls has in hand: numbers and ids of events, no payload"),
    Place("control", "HISTORY#", None, "lines of histories: counts, ids of events, kinds of failures, no payload"),
    Place("control", "DESTINATION#", None, "where events go: addresses that colleagues gave, secrets under a key"),
    Place("control", "RATE#", None, "how much was sent to a destination in this second"),
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


def prepare(subject: Subject) -> None:
    """The person's tombstone has been put, or lifted: let that hold everywhere. Safe to repeat."""
    for eraser in ERASERS:
        eraser.prepare(subject)


def named(name: str) -> Eraser:
    """The eraser of this name."""
    return next(eraser for eraser in ERASERS if eraser.name == name)
