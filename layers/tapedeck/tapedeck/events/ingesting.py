"""From a request's body to committed events: parse, encode, summarise, and one transaction.

A request is taken once: the receipt under its `Idempotency-Key`, or under the SHA-256 of its body, answers its repetition with the same
ids. By key it is kept for a day; by content for five minutes only, which covers every client's retries, because the same words said
again later are another event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tapedeck import clock, errors, ids
from tapedeck.events import chunks, parsing, store, summaries
from tapedeck.events.model import Event
from tapedeck.events.store import CollectionId, Taken

BY_KEY = 86_400  # seconds for which a receipt is kept
BY_CONTENT = 300
_MOST_KEY = 256
_INDEX = 6  # hex digits at the end of an event's id that number it within its request

Parse = Callable[..., list[Event]]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The ids of the events that a request brought, in their order; whether they had been there before."""

    ids: Sequence[str]
    repeated: bool


def take_records(collection: CollectionId, body: bytes, *, idempotency_key: str | None) -> Accepted:
    """Take what an agent or an application sends to a bucket (decision 22). Raises Invalid or TooLarge."""
    return _take(collection, body, parsing.bucket_records, idempotency_key)


def take_payloads(collection: CollectionId, body: bytes, *, idempotency_key: str | None) -> Accepted:
    """Take what is sent to a collection: payloads that are kept byte for byte. Raises Invalid or TooLarge."""
    return _take(collection, body, parsing.collected, idempotency_key)


def _take(collection: CollectionId, body: bytes, parse: Parse, idempotency_key: str | None) -> Accepted:
    if idempotency_key and len(idempotency_key) > _MOST_KEY:
        raise errors.Invalid(fields={"Idempotency-Key": [f"at most {_MOST_KEY} characters"]})
    events = parse(body, now=clock.now(), unique=ids.random_hex(10))
    summary = summaries.encode(summaries.summarise(events))
    if len(summary) > store.MOST_SUMMARY:
        raise errors.TooLarge("Too many different names of events, applications and servers in one request: send it in parts.")
    # The same bytes mean something else at another door: a record there, a payload here.
    said = b"key:" + idempotency_key.encode() if idempotency_key else b"body:" + body
    digest = hashlib.sha256(parse.__name__.encode() + b":" + said).hexdigest()
    taken = Taken(events[0].id[:-_INDEX], len(events), 0)
    remembered = BY_KEY if idempotency_key else BY_CONTENT
    taken = store.append(collection, taken, chunks.encode(events), summary, digest=digest, remembered=remembered)
    return Accepted([f"{taken.prefix}{index:0{_INDEX}x}" for index in range(taken.count)], taken.repeated)
