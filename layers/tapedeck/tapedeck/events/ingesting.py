"""From a request's body to committed events: parse, encode, summarise, and one transaction.

A request is taken once: the receipt under its `Idempotency-Key`, or under the SHA-256 of its body, answers its repetition with the same
ids. By key it is kept for a day; by content for five minutes only, which covers every client's retries, because the same words said
again later are another event.

What an erased person is said to have done before the erasure is refused after the 200: its number is there, without an event. That is
decided again when there is another erasure before the commit, so nothing erased comes back by a request that was under way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from msgspec import structs

from tapedeck import clock, errors, ids, tombstones
from tapedeck.events import batching, parsing, store
from tapedeck.events.model import Event
from tapedeck.events.store import Batch, CollectionId, Taken

BY_KEY = 86_400  # seconds for which a receipt is kept
BY_CONTENT = 300
MOST_HOPS = 3  # event replays that an event may have come through: here every loop ends
_MOST_KEY = 256
_INDEX = 6  # hex digits at the end of an event's id that number it within its request

Parse = Callable[..., list[Event]]
# The tombstones of a collection's environment, as they were after so many erasures.
_erased: dict[CollectionId, tuple[int, dict[str, float]]] = {}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ids of the events that a request brought, in their order; whether they had been there before."""

    ids: Sequence[str]
    repeated: bool


def take_records(collection: CollectionId, project_id: int, body: bytes, *, idempotency_key: str | None, hops: int = 0) -> Accepted:
    """Take what an agent or an application sends to a bucket (decision 22). Raises Invalid or TooLarge."""
    return _take(collection, project_id, body, parsing.bucket_records, idempotency_key, hops)


def take_payloads(collection: CollectionId, project_id: int, body: bytes, *, idempotency_key: str | None, hops: int = 0) -> Accepted:
    """Take what is sent to a collection: payloads that are kept byte for byte. Raises Invalid or TooLarge."""
    return _take(collection, project_id, body, parsing.collected, idempotency_key, hops)


def hops(told: str | None) -> int:
    """How many event replays a request has come through, as its `X-Replay-Hops` tells. Invalid beyond MOST_HOPS: it goes in a circle."""
    if not told:
        return 0
    if not (told.isascii() and told.isdigit() and len(told) < 10):
        raise errors.Invalid(fields={"X-Replay-Hops": ["must be a number"]})
    if int(told) > MOST_HOPS:
        raise errors.Invalid(fields={"X-Replay-Hops": [f"has come through more than {MOST_HOPS} replays: it goes in a circle"]})
    return int(told)


def take_copies(collection: CollectionId, project_id: int, copies: Sequence[Event], *, key: str) -> None:
    """Take the copies that a replay sends here: with the ids that it gave them, known for a day by `key`. Raises TooLarge."""
    digest = hashlib.sha256(b"copies:" + key.encode()).hexdigest()
    attempt = Taken(ids.random_hex(18), len(copies), 0)
    store.append(collection, attempt, partial(_kept, collection, project_id, copies), digest=digest, remembered=BY_KEY)


def forget() -> None:
    """Forget who was erased: what a new container knows."""
    _erased.clear()


def _take(collection: CollectionId, project_id: int, body: bytes, parse: Parse, idempotency_key: str | None, hops: int) -> Accepted:
    if idempotency_key and len(idempotency_key) > _MOST_KEY:
        raise errors.Invalid(fields={"Idempotency-Key": [f"at most {_MOST_KEY} characters"]})
    events = parse(body, now=clock.now(), unique=ids.random_hex(10))
    if hops:
        events = [structs.replace(event, hops=hops) for event in events]
    # The same bytes mean something else at another door: a record there, a payload here.
    said = b"key:" + idempotency_key.encode() if idempotency_key else b"body:" + body
    digest = hashlib.sha256(parse.__name__.encode() + b":" + said).hexdigest()
    taken = Taken(events[0].id[:-_INDEX], len(events), 0)
    remembered = BY_KEY if idempotency_key else BY_CONTENT
    kept = partial(_kept, collection, project_id, events)
    taken = store.append(collection, taken, kept, digest=digest, remembered=remembered)
    return Accepted([f"{taken.prefix}{index:0{_INDEX}x}" for index in range(taken.count)], taken.repeated)


def _kept(collection: CollectionId, project_id: int, events: Sequence[Event], erasures: int) -> Batch:
    """The events without those that a tombstone covers, after so many erasures in the collection."""
    erased = _tombstones(collection, project_id, erasures) if any(event.user for event in events) else {}
    batch = batching.of([None if _is_erased(event, erased) else event for event in events])
    if len(batch.summary) > store.MOST_SUMMARY:
        raise errors.TooLarge("Too many different names of events, applications and servers in one request: send it in parts.")
    return batch


def _is_erased(event: Event, erased: Mapping[str, float]) -> bool:
    return bool(erased and event.user) and event.at <= erased.get(tombstones.of_user(event.user or ""), -1.0) * 1000


def _tombstones(collection: CollectionId, project_id: int, erasures: int) -> dict[str, float]:
    known = _erased.get(collection)
    if known is None or known[0] != erasures:
        known = _erased[collection] = erasures, tombstones.of_users(collection.organization_id, project_id)
    return known[1]
