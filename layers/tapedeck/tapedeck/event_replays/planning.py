"""From a wish to a replay: what it reads, where it ends, and whether all that is the caller's to use. And what it would send (decision 30).

A new replay's id is made of the request's Idempotency-Key, where there is one: the same request again finds what it made before.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tapedeck import audit, clock, errors, ids
from tapedeck.environments.model import Caller, Environment, Organization
from tapedeck.event_replays import asking, presenting, ringing, store
from tapedeck.event_replays.asking import Wanted
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Destination
from tapedeck.event_replays.feeding import Source
from tapedeck.event_replays.model import Entry, Progress, Replay
from tapedeck.events import collections, lucene, spans
from tapedeck.events.collections import Collection

SAMPLE = 5  # events
LOOKING = 15.0  # seconds for which a dry run looks at events
PER_SEND = 0.05  # seconds that a send is taken to last, where nothing better is known
MOST_SAMPLE = 1_000_000  # bytes of a sample's events


@dataclass(frozen=True, slots=True)
class Plan:
    """A wish, with what it names."""

    wanted: Wanted
    collection: Collection
    destination: Destination
    query: lucene.Query


def plan(organization: Organization, environments: Sequence[Environment], wanted: Wanted) -> Plan:
    """What a wish names, all of it the caller's: a collection of `environments`. Invalid by field, of unknown and foreign things alike."""
    wrong: dict[str, list[str]] = {}
    collection = _or_wrong(wrong, "collection_id", lambda: collections.one(organization, environments, wanted.collection_id))
    destination = _or_wrong(wrong, "destination_id", lambda: destination_of(organization, wanted.destination_id))
    named = collection.name if collection else ""
    query = _or_wrong(wrong, "query", lambda: lucene.compile(wanted.query, team_id=organization.team_id, collection=named))
    if collection is None or destination is None or query is None:
        raise errors.Invalid(fields=wrong)
    return Plan(wanted, collection, destination, query)


def destination_of(organization: Organization, destination_id: str) -> Destination:
    """A destination that can be sent to. NotFound for one that is unknown, another organization's, or archived."""
    found = destinations.read(organization.id, destination_id)
    if found.archived:
        raise errors.NotFound("There is no such destination.")
    return found


def create(organization: Organization, caller: Caller, planned: Plan, *, key: str | None, redo_of: str | None = None) -> Replay:
    """A new replay, and a bell for its worker. One that ends does so at the head that its collection has now; a sealed one always does.

    Safe to repeat under the same Idempotency-Key. A crash before the bell: the replay is due, and the sweeper rings.
    """
    audit.write(caller, "events.export", planned.collection.id, destination_id=planned.destination.id)
    now = clock.now()
    wanted = planned.wanted
    span = collections.span(organization, planned.collection)
    replay = Replay(
        organization_id=organization.id,
        id=_id(organization.id, caller, key),
        name=wanted.name,
        notes=wanted.notes,
        type=wanted.type,
        query=wanted.query,
        collection_id=planned.collection.id,
        env_id=planned.collection.env_id,
        destination_id=planned.destination.id,
        concurrency=wanted.concurrency,
        created_at=now,
        updated_at=now,
        progress=Progress(span.first),
        until=spans.end_of(span) if span.is_sealed or wanted.type == "single" else None,
        author_id=caller.user_id,
        redo_of=redo_of,
        pulled=is_pulled(planned.destination),
    )
    still_there = destinations.still_there(organization.id, planned.destination.id)
    made = store.create(replay, Entry("created", now, 0, 0, 0, "pending"), [still_there])
    if _meant(made) != _meant(replay):
        raise errors.Conflict("Another replay was asked for under this Idempotency-Key.")
    if not made.pulled:
        ringing.ring(made.organization_id, made.id)
    return made


def same_as(old: Replay, *, name: str | None) -> Wanted:
    """The wish of a redo (decision 7): what the old replay means now."""
    return Wanted(name or old.name, old.notes, old.type, old.query, old.collection_id, old.destination_id, old.concurrency)


def dry_run(organization: Organization, planned: Plan) -> dict[str, Any]:
    """What a replay would send: how many events, the first of them, and how long that would take. Nothing is created.

    All events are looked at as long as that takes no longer than LOOKING; after that the answer says that it is not complete.
    """
    began = clock.now()
    source = Source(organization, planned.collection, planned.query, None)
    span = collections.span(organization, planned.collection)
    matched = looked_at = weight = edge = 0
    sample: list[dict[str, Any]] = []
    complete = True
    for place in source.places(Progress(span.first)):
        looked_at += place.covers
        edge = place.end
        if place.event is not None:
            matched += 1
            weight += len(place.event.data)
            if len(sample) < SAMPLE and weight <= MOST_SAMPLE:
                sample.append(lucene.envelope(place.event, team_id=organization.team_id, collection=planned.collection.name))
        if clock.now() - began > LOOKING:
            complete = False
            break
    return presenting.dry_run(
        matched=matched,
        sample=sample,
        looked_at=looked_at,
        events=looked_at + spans.end_of(span) - edge if not complete else looked_at,
        complete=complete,
        per_second=min(planned.wanted.concurrency / PER_SEND, planned.destination.max_per_second or float("inf")),
    )


def is_pulled(destination: Destination) -> bool:
    """Whether events are fetched from it, and not sent to it."""
    return destination.type == "listen"


def _or_wrong(wrong: dict[str, list[str]], field: str, find: Callable[[], Any]) -> Any:
    try:
        return find()
    except errors.NotFound as missing:
        wrong[field] = [missing.detail or "There is no such thing."]
    except errors.Invalid as refused:
        wrong[field] = [*refused.fields.get(field, [str(refused)])]
    return None


def _id(organization_id: int, caller: Caller, key: str | None) -> str:
    if not key:
        return ids.random_uuid()
    if len(key) > asking.MOST_NAME:
        raise errors.Invalid(fields={"Idempotency-Key": [f"at most {asking.MOST_NAME} characters"]})
    said = f"{organization_id}:{caller.user_id}:{key}"
    return str(uuid.UUID(bytes=hashlib.sha256(said.encode()).digest()[:16], version=4))


def _meant(replay: Replay) -> tuple[Any, ...]:
    """What of a wish cannot be changed: the same for a repetition, whatever has become of the replay since."""
    return replay.type, replay.collection_id, replay.concurrency, replay.redo_of

