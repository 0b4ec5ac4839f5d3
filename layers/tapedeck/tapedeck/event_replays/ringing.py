"""The bells of event replays: wake a worker for one; wake those of a collection's continuous replays when events have come.

A bell says which replay, and nothing that is not in its row. It may be lost, rung twice, early or late: a worker goes by row and clock.
"""

from __future__ import annotations

from math import ceil

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import aws, clock
from tapedeck.event_replays import store
from tapedeck.events.store import CollectionId

MOST_DELAY = 900  # seconds: SQS keeps no message back for longer; what is due later is the sweeper's
REMEMBERED = 10.0  # seconds for which a container remembers who follows a collection
_MOST_REMEMBERED = 1_000

_followers: dict[CollectionId, tuple[float, list[str]]] = {}


def forget() -> None:
    """Forget who follows what: what a new container knows."""
    _followers.clear()


def ring(organization_id: int, replay_id: str, *, at: float = 0.0) -> None:
    """Wake a worker for a replay, not before `at` (seconds since the epoch): nothing when that is too far away. Safe to repeat."""
    delay = max(0, ceil(at - clock.now()))
    if delay > MOST_DELAY:
        return
    aws.client("sqs").send_message(
        QueueUrl=aws.setting("REPLAY_BELLS_QUEUE"),
        MessageBody=orjson.dumps({"organization_id": organization_id, "replay_id": replay_id}).decode(),
        **({"DelaySeconds": delay} if delay else {}),
    )


def events_came(collection: CollectionId) -> None:
    """Ring for the continuous replays of a collection: one lookup in REMEMBERED seconds, and no call more when there are none.

    The events are committed, and their sender is to hear that, whatever becomes of this: a bell that cannot be rung is the sweeper's.
    """
    try:
        for replay_id in _following(collection):
            ring(collection.organization_id, replay_id)
    except (BotoCoreError, ClientError):
        return


def _following(collection: CollectionId) -> list[str]:
    known = _followers.get(collection)
    if known is not None and 0 <= clock.now() - known[0] < REMEMBERED:
        return known[1]
    found = store.followers(collection.organization_id, collection.id)
    if len(_followers) >= _MOST_REMEMBERED:
        _followers.clear()
    _followers[collection] = (clock.now(), found)
    return found
