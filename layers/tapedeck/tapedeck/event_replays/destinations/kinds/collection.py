"""collection: copies in another live collection of the organization, with all that an event has but its number and its receive time.

A copy keeps whose it is, so that erasing a person of that environment reaches it, and counts how many replays it has come through: after
MOST_HOPS it is not copied again, which ends every loop of collections. Its id is made of the event's key: a repetition has the same. A
batch that is sent again as it was is known by its receipt and adds nothing. Replays that go on with that collection are rung for.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import errors
from tapedeck.environments import store as environments
from tapedeck.environments.model import Environment
from tapedeck.event_replays import ringing
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome, later, never
from tapedeck.event_replays.destinations.packing import packed
from tapedeck.events import collections, ingesting
from tapedeck.events.ingesting import MOST_HOPS
from tapedeck.events.model import Event
from tapedeck.events.parsing import MAX_REQUEST
from tapedeck.events.store import CollectionId

_GONE = never("there is no such collection")
_ENOUGH = never(f"has come through {MOST_HOPS} replays already")
_SECONDS = 8  # hex digits of an id that tell its second


class Sender:
    """Adds to one collection. May be used by several threads."""

    batch = 500

    def __init__(self, destination: Destination, said: Mapping[str, Any]) -> None:
        self._collection = CollectionId(destination.organization_id, said["collection_id"])
        environment = _environment(self._collection)
        self._project_id = environment.project_id if environment else None
        self._collection = replace(self._collection, days=environment.retention_days if environment else None)

    def send(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """As few commits as may be for all that may be copied."""
        outcomes = [_ENOUGH if each.hops > MOST_HOPS else _GONE for each in deliveries]
        fresh = [index for index, outcome in enumerate(outcomes) if outcome is not _ENOUGH and self._project_id is not None]
        for part in packed([len(deliveries[index].body) for index in fresh], self.batch, MAX_REQUEST):
            self._copy([fresh[at] for at in part], deliveries, outcomes)
        return outcomes

    def check(self) -> Outcome:
        """Whether it is there."""
        return Outcome(True) if self._project_id is not None else _GONE

    def close(self) -> None:
        """There is nothing to let go."""

    def _copy(self, part: Sequence[int], deliveries: Sequence[Delivery], outcomes: list[Outcome]) -> None:
        started = time.perf_counter()
        copies = [copy(deliveries[index]) for index in part]
        key = "\n".join(deliveries[index].key for index in part)
        assert self._project_id is not None
        outcome = Outcome(True)
        try:
            ingesting.take_copies(self._collection, self._project_id, copies, key=key)
            ringing.events_came(self._collection)
        except errors.TooLarge as why:
            if len(part) > 1:  # too many different names in one commit: in two, then
                for half in (part[: len(part) // 2], part[len(part) // 2 :]):
                    self._copy(half, deliveries, outcomes)
                return
            outcome = never(str(why))
        except (errors.Unavailable, ClientError, BotoCoreError):
            outcome = later("the collection is busy")
        for index in part:
            outcomes[index] = outcome._replace(latency_ms=round((time.perf_counter() - started) * 1000))


def copy(delivery: Delivery) -> Event:
    """The event as it is in its new place; its receive time is decided there."""
    digest = hashlib.sha256(delivery.key.encode()).hexdigest()
    copied = f"{delivery.event.id[:_SECONDS]}{digest[: 24 - _SECONDS]}"
    return msgspec.structs.replace(delivery.event, received=0, id=copied, hops=delivery.hops)


def _environment(collection: CollectionId) -> Environment | None:
    """The environment that a live collection belongs to."""
    organization = environments.organization(collection.organization_id)
    if organization is None:
        return None
    try:
        found = collections.one(organization, organization.environments, collection.id)
    except errors.NotFound:
        return None
    if found.window is not None:
        return None
    return next((each for each in organization.environments if each.env_id == found.env_id), None)
