"""From the bytes of an envelope to committed rows: the ingest protocol of docs/ingest.md, told from top to bottom.

1. Decide, without a call: what the envelope holds, whether the replay is valid, which clicks it has.
2. One round trip: the recording to S3 and, side by side, a look at the replay's row.
3. One round trip, one transaction: the replay's row, merged, if nobody was faster; the segment's row, if there is none; no tombstone.
   Only now is the answer 200.

A segment that a person's tombstone refuses tells whose replay it is: the rest of it, which came without a user, is noted for erasure.

A crash before 3 leaves an object that no row names: no reader sees it, the client's next attempt has an object of its own, and the
janitor deletes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import orjson

from tapedeck import aws, clock, errors, inflating, objects
from tapedeck.session_replays import bucket, merging, recording, store
from tapedeck.session_replays import envelope as envelopes
from tapedeck.session_replays.store import ReplayId, Segment

# Lambda takes 6 MB of base64: what arrives through the gateway is smaller than this anyway; uploads may be this large.
MAX_ENVELOPE = 20 * 1024 * 1024
# A recording may hold 20 MiB of JSON (trust.md T7), and an envelope may hold it uncompressed.
MAX_INFLATED = recording.MAX_INFLATED + 4 * 1024 * 1024


@dataclass
class Outcome:
    """What became of an envelope: its id, and why parts of it were dropped after the 200 (contract §6.1), for the log."""

    event_id: str | None
    accepted: int = 0
    dropped: list[str] = field(default_factory=list)


def ingest(
    organization_id: int,
    project_id: int,
    body: bytes,
    *,
    days: int | None = None,
    encoding: str = "",
    client_ip: str = "",
    client_agent: str = "",
) -> Outcome:
    """Take an envelope, to be kept for so many days (None: as the stack does). Raises Invalid or TooLarge for what is no envelope; drops
    what is an envelope but no valid replay."""
    if len(body) > MAX_ENVELOPE:
        raise errors.TooLarge("envelope exceeds size limits", causes=[f"more than {MAX_ENVELOPE} bytes"])
    envelope = envelopes.parse(inflating.inflate(body, encoding or "identity", MAX_INFLATED))
    outcome = Outcome(envelope.event_id)
    recorded = envelopes.segment_of(envelope, now=clock.now(), client_ip=client_ip or None, client_agent=client_agent or None)
    if isinstance(recorded, envelopes.Dropped):
        outcome.dropped.append(recorded.reason)
    elif recorded is not None:
        _segment(ReplayId(organization_id, project_id, recorded.event.replay_id, days), recorded, outcome)
    for link in envelopes.links_of(envelope, now=clock.now()):
        replay = ReplayId(organization_id, project_id, link.replay_id, days)
        _guarded(outcome, partial(_link, replay, link))
    return outcome


def _segment(replay: ReplayId, recorded: envelopes.Segment, outcome: Outcome) -> None:
    event = recorded.event
    try:
        raw = recording.events(recorded.body)
        clicks = recording.clicks(raw)
    except errors.DomainError as why:
        outcome.dropped.append(f"recording: {why.detail}")
        return
    segment = Segment(
        event.segment_id,
        bucket.recording_key(replay, event.segment_id),
        len(recorded.body),
        len(raw),
        hashlib.sha256(recorded.body).hexdigest(),
        event.timestamp,
    )
    delta = merging.expiring(merging.segment_delta(event, clicks), store.expires(replay))
    guards = store.guards_of(replay, event.user_id, event.started)
    _guarded(outcome, partial(_write, replay, segment, recorded.body, delta, guards, outcome))


def _write(replay: ReplayId, segment: Segment, body: bytes, delta: merging.Row, guards: store.Guards, outcome: Outcome) -> bool:
    version = store.look(replay, merging.environment(delta), lambda: bucket.put_recording(replay, segment, body))
    try:
        store.commit(replay, delta, version, segment=segment, guards=guards)
    except store.Erased as why:
        _refused(replay, guards, why)
        objects.delete(segment.object_key)
        raise
    except store.Taken:
        holder = store.segment(replay, segment.number, consistent=True)
        if holder != segment:  # else the answer to our own commit was lost on its way
            objects.delete(segment.object_key)
        if holder is None or holder.sha256 != segment.sha256:
            outcome.dropped.append("segment: another recording has this number")
            return False
    except errors.DomainError:
        objects.delete(segment.object_key)
        raise
    return True


def _refused(replay: ReplayId, guards: store.Guards, why: store.Erased) -> None:
    """A replay turns out to be an erased person's: what came of it before, without a user, goes as well.

    The bell is rung when the note is written. Who dies in between has not answered: the client sends again.
    """
    by = next((guard for guard in guards if guard.name in why.causes and guard.name.startswith("U#")), None)
    if by is not None and len(why.causes) == 1:  # else the replay has a tombstone of its own already
        store.note_refusal(replay, by.name, by.since)
        bell = {"organization_id": replay.organization_id, "project_id": replay.project_id, "replay_id": replay.key}
        aws.client("sqs").send_message(QueueUrl=aws.setting("ERASURE_BELLS_QUEUE"), MessageBody=orjson.dumps(bell).decode())


def _link(replay: ReplayId, link: envelopes.EventLink) -> bool:
    delta = merging.expiring(merging.link_delta(link), store.expires(replay))
    store.commit(replay, delta, guards=store.guards_of(replay, None, link.timestamp))
    return True


def _guarded(outcome: Outcome, write: Callable[[], bool]) -> None:
    try:
        outcome.accepted += write()
    except store.Erased:
        outcome.dropped.append("erased")
    except errors.TooLarge as why:
        outcome.dropped.append(f"replay: {why.detail}")
