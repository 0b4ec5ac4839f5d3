"""Telling people's own systems that a replay is over: a message to every http destination that asked for it, as Standard Webhooks.

Its body is `{"type": "replay.completed", "timestamp": …, "data": the replay}`; it is signed when the destination has a signing secret,
and its id is the same at every attempt, so a message that comes twice is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from tapedeck import aws, clock
from tapedeck.event_replays.destinations import presenting, sealing, store
from tapedeck.event_replays.destinations.kinds import http
from tapedeck.event_replays.destinations.model import NOTICES, Destination


def tell(organization_id: int, kind: str, replay: Mapping[str, Any]) -> bool:
    """Tell everybody who wants to know; whether all have been told, or refused for good. False: tell again later, which is safe."""
    if kind not in NOTICES:
        return True
    wanting = [each for each in store.of_organization(organization_id) if kind in each.notifications and not each.archived]
    body = orjson.dumps({"type": kind, "timestamp": presenting.moment(clock.now()), "data": replay})
    message_id = f"{replay['id']}:{kind.partition('.')[2]}"
    return all(aws.together(*(partial(_told, each, message_id, body) for each in wanting))) if wanting else True


def _told(destination: Destination, message_id: str, body: bytes) -> bool:
    sender = http.Sender(sealing.revealed(destination))
    try:
        outcome = sender.post(body, message_id, {})
    finally:
        sender.close()
    store.note_health(destination, outcome)
    return outcome.ok or not outcome.retry
