"""Looking after destinations: every live one is checked each five minutes, side by side, and one is tried when somebody asks for it."""

from __future__ import annotations

import contextlib
from functools import partial
from itertools import islice

import msgspec
import orjson

from tapedeck import aws, clock, ids
from tapedeck.errors import Conflict
from tapedeck.event_replays.destinations import presenting, sending, store
from tapedeck.event_replays.destinations.model import Delivery, Destination, Health, Outcome
from tapedeck.events.model import Event, id_prefix

AT_ONCE = 32  # destinations that are waited for together: two rounds of the pool, so 20 seconds when nobody answers
SPENT = 60.0  # seconds after which no more are begun: the rest is first in the next round


def check(destination: Destination) -> Outcome:
    """Whether the destination is there, found out without changing anything in it."""
    with sending.open(destination) as sender:
        return sender.check()


def check_due() -> dict[str, int]:
    """Check those that are due and keep what comes out: how many there were, and how many are not well. Safe to repeat and to kill."""
    began = clock.now()
    healths: list[Health | None] = []
    found = (each for each in store.overdue() if each.type != "listen")
    while (part := list(islice(found, AT_ONCE))) and clock.now() - began < SPENT:
        healths += aws.together(*(partial(_checked, each) for each in part))
    return {"checked": len(healths), "failing": sum(health is not None and health.status == "error" for health in healths)}


def try_out(destination: Destination) -> Health:
    """Send one test event, and keep what came of it. A `listen` one cannot be sent to: its health is answered as it is.

    The event says of itself that it is a test. Asked for again, another one is sent.
    """
    if destination.type == "listen":
        return destination.health
    now = clock.now()
    data = {"type": "tapedeck.test", "destination_id": destination.id, "sent_at": presenting.moment(now)}
    event = Event(
        id=f"{id_prefix(now, ids.random_hex(10))}000000",
        name="tapedeck.test",
        app="tapedeck",
        server="",
        at=int(now * 1000),
        data=msgspec.Raw(orjson.dumps(data)),
    )
    with sending.open(destination) as sender:
        [outcome] = sender.send([Delivery(f"test:{event.id}", event, 0)])
    return store.note_health(destination, outcome)


def _checked(destination: Destination) -> Health | None:
    with contextlib.suppress(Conflict):  # archived, and the index is a moment behind
        return store.note_health(destination, check(destination))
    return None
