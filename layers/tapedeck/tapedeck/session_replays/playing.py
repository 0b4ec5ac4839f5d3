"""A replay's recording, a page of segments at a time: bytes pass through inflated and joined, never parsed.

A Lambda answer may weigh 6 MB, base64 included. So a page ends before its segments weigh more than `PAGE_BYTES` inflated, and a
single segment that weighs more is answered with a redirect to S3, which has no such limit.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapedeck import aws, clock, objects
from tapedeck.errors import DomainError, NotFound
from tapedeck.session_replays import bucket, merging, recording, store
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.store import ReplayId, Segment

PAGE_BYTES = 4_000_000


@dataclass(frozen=True)
class Page:
    """Segments of a page, and whether more follow."""

    segments: Sequence[Segment]
    more: bool


@dataclass(frozen=True)
class Played:
    """A page's events: JSON bytes, or the URL where they wait when they are too many."""

    body: bytes = b""
    url: str | None = None


def page(replay: ReplayId, *, offset: int, limit: int, most_bytes: int | None = None) -> Page:
    """Committed segments in their order that have not expired; none of an unknown or archived replay (contract §1.5). One round trip."""
    version, found = aws.together(lambda: store.read(replay), lambda: store.segments(replay))
    committed = [segment for segment in found if _is_there(replay, version.row, segment)]
    taken: list[Segment] = []
    weight = 0
    for segment in committed[offset : offset + limit]:
        weight += segment.inflated + 1
        if most_bytes is not None and taken and weight > most_bytes:
            break
        taken.append(segment)
    return Page(taken, offset + len(taken) < len(committed))


def play(replay: ReplayId, segments: Sequence[Segment]) -> Played:
    """`[[events…],[events…]]`, byte for byte; `[]` in the place of a segment whose recording is missing. One round trip."""
    raws = [_inflated(body) for body in bucket.recordings(segments)]
    body = recording.join(raws)
    if len(body) <= PAGE_BYTES:
        return Played(body)
    name = hashlib.sha256(b"".join(segment.sha256.encode() for segment in segments)).hexdigest()[:32]
    key = bucket.put_page(replay, name, zlib.compress(body, 1))
    return Played(url=objects.presigned_get(key, content_type="application/json", encoding="deflate", filename=f"{replay.key}.json"))


def segment(replay: ReplayId, text: str) -> Segment:
    """The segment that a path names. NotFound in the contract's words (§1.6): unknown, not committed, or of an archived replay."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    version, found = aws.together(lambda: store.read(replay), lambda: store.segment(replay, number))
    if found is None or not _is_there(replay, version.row, found):
        raise NotFound("Replay recording segment not found.")
    segment: Segment = found
    return segment


def play_one(replay: ReplayId, segment: Segment) -> Played:
    """One segment's `[events…]`, byte for byte: a redirect to the recording itself when it is large."""
    stored = bucket.recording(segment)
    if stored is not None and segment.inflated > PAGE_BYTES:
        encoding = None if stored[:1] == b"[" else "deflate"
        return Played(
            url=objects.presigned_get(
                segment.object_key,
                content_type="application/octet-stream",
                encoding=encoding,
                filename=f"{replay.key}-{segment.number}.json",
            )
        )
    return Played(_inflated(stored))


def describe(replay: ReplayId, segment: Segment) -> dict[str, Any]:
    """A segment's metadata."""
    return {
        "replayId": replay.key,
        "segmentId": segment.number,
        "projectId": str(replay.project_id),
        "dateAdded": clock.iso(segment.timestamp),
    }


def _is_there(replay: ReplayId, row: Row | None, segment: Segment) -> bool:
    if row is None or merging.is_archived(row) or not merging.has_segment(row, segment.number):
        return False
    return store.is_kept(replay, row) and clock.now() < segment.expires


def _inflated(stored: bytes | None) -> bytes:
    try:
        return recording.events(stored) if stored else b"[]"
    except DomainError:  # it was inflated once, when it came: what cannot be now is as good as missing
        return b"[]"
