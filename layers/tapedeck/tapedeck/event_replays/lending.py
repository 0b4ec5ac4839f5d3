"""Destinations that pull: whoever listens is the worker, without an address of its own.

A lease hands out the next events of the oldest running replay to the destination, and an acknowledgement moves that replay's checkpoint. An
event that is not acknowledged before the lease ends is handed out again, under the same key: delivered at least once, in receive order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from tapedeck import clock, errors, ids
from tapedeck.event_replays import model, ringing, store
from tapedeck.event_replays.asking import Ack
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Destination, Outcome
from tapedeck.event_replays.feeding import Source
from tapedeck.event_replays.model import Checkpoint, Ending, Fenced, Hand, Lent, Progress, Replay, Told, Waiting
from tapedeck.event_replays.steering import Desk
from tapedeck.event_replays.window import Place, Window
from tapedeck.events.model import Event, iso

LOOK = 1.0  # seconds between two looks for something to hand out
MOST_BYTES = 3_000_000  # of payloads in an answer: Lambda's may weigh 6 MB
LOOKING = 8.0  # seconds for which events are looked for in one replay
_ATTEMPTS = 5


def lease(desk: Desk, destination: Destination, *, limit: int, wait: float) -> dict[str, Any]:
    """`{lease, replay_id, events}`: up to `limit` events, waited for `wait` seconds; `lease` is null when there are none.

    Each: `{key, number, event_name, at, payload, headers}`, the payload as it was sent. Conflict for a destination that is sent to.
    """
    if destination.type != "listen":
        raise errors.Conflict("Events are sent to this destination: nothing is to be fetched.")
    until = clock.now() + wait
    while True:
        for replay in _open(desk, destination):
            with suppress(Fenced):  # somebody else was faster
                if handed := _hand_out(replay, limit):
                    return handed
        if clock.now() + LOOK > until:
            return {"lease": None, "replay_id": None, "events": []}
        clock.sleep(LOOK)


def acknowledge(desk: Desk, destination: Destination, ack: Ack) -> dict[str, Any]:
    """`{"settled": n}`: what was taken counts as sent, what was not as failed. Safe to repeat. Conflict when the lease has ended."""
    replay_id, _, owner = ack.lease.partition(".")
    for _ in range(_ATTEMPTS):
        replay = desk.find(replay_id)
        if replay.destination_id != destination.id:
            raise errors.NotFound("There is no such lease.")
        if replay.left_by == owner:
            return {"settled": 0}
        if replay.owner != owner:
            raise errors.Conflict("The lease has ended: its events are handed out again.")
        with suppress(Fenced):
            return {"settled": _settle(replay, destination, ack)}
    raise errors.Unavailable


def _open(desk: Desk, destination: Destination) -> Iterator[Replay]:
    """The replays to a destination from which something can be handed out now, the oldest first."""
    now = clock.now()
    for replay in reversed(desk.all(archived=False)):
        if replay.destination_id == destination.id and replay.state in ("pending", "running") and not replay.is_held(now):
            yield replay


def _hand_out(replay: Replay, limit: int) -> dict[str, Any] | None:
    """The next events of a replay, lent; None when there are none now, and then the replay is over, or its position moved on."""
    window, reach = _looked_at(replay, limit)
    places = window.ready(clock.now(), limit)
    owner = ids.random_hex(16)
    events = [(place.number, place.event) for place in places if place.event is not None]
    if events:
        hand = Hand(owner, [Lent(number, event.id) for number, event in events], reach)
        store.change(replay, lambda it: model.lent(it, replay.version, hand, clock.now()))
        return {"lease": f"{replay.id}.{owner}", "replay_id": replay.id, "events": [_shown(replay, *each) for each in events]}
    progress = window.progress()
    ending = _ending(replay, progress, window)
    if progress != replay.progress or ending.state:
        held = store.change(replay, lambda it: model.lent(it, replay.version, Hand(owner, (), reach), clock.now()))
        _say(held, Checkpoint(owner, 1, progress, ending=ending), ())
    return None


def _looked_at(replay: Replay, limit: int) -> tuple[Window, int]:
    """A window with the replay's next events, as many as may be handed out, and the number up to which they were looked for."""
    window, began, weight = Window(replay.type, limit, replay.progress), clock.now(), 0
    reach = replay.progress.position
    for place in Source.of(replay).places(replay.progress):
        weight += len(place.event.data) if place.event else 0
        if weight > MOST_BYTES and window.room < limit:
            break
        window.lay(place)
        reach = place.end
        if window.room <= 0 or clock.now() - began > LOOKING:
            break
    return window, reach


def _settle(replay: Replay, destination: Destination, ack: Ack) -> int:
    numbers = {f"{replay.id}:{each.event_id}": each.number for each in replay.lent}
    kept = {each.number for each in replay.progress.waiting}
    out = [Waiting(each.number, 0, 0.0) for each in replay.lent if each.number not in kept]
    held = replace(replay.progress, waiting=[*replay.progress.waiting, *out])
    window, places = Window(replay.type, len(numbers), held), dict[int, Place]()
    for place in Source.of(replay).places(held):
        if place.end > replay.reach:
            break
        window.lay(place)
        places[place.number] = place
    told = {key: Told("ok", "", 0, clock.now()) for key in ack.done}
    told |= {key: Told("error", message or "The listener did not take it.", 0, clock.now()) for key, message in ack.failed.items()}
    settled = {key: numbers[key] for key in told if key in numbers}
    for key, number in settled.items():
        found = places.get(number)
        if found is not None and found.event is not None:  # else it was erased meanwhile
            (window.succeeded if told[key].status == "ok" else window.refused)(found, told[key])
    left = [each for each in replay.lent if each.number not in settled.values()]
    progress = window.progress()
    ending = _ending(replay, progress, window) if not left else Ending() if ack.release else None
    _say(replay, Checkpoint(replay.owner or "", replay.mark + 1, progress, window.told, window.take_failures(), 0.0, ending), left)
    if window.told:
        destinations.note_health(destination, Outcome(window.told.status == "ok", message=window.told.message))
    return len(settled)


def _say(replay: Replay, said: Checkpoint, left: Sequence[Lent]) -> None:
    moved = store.change(replay, lambda it: model.acknowledged(it, replay.version, said, left, clock.now()))
    if moved.notice_at is not None:
        ringing.ring(moved.organization_id, moved.id)


def _ending(replay: Replay, progress: Progress, window: Window) -> Ending:
    is_over = replay.until is not None and progress.position >= replay.until and window.is_settled
    return Ending("completed") if is_over else Ending()


def _shown(replay: Replay, number: int, event: Event) -> dict[str, Any]:
    key = f"{replay.id}:{event.id}"
    return {
        "key": key,
        "number": number,
        "event_name": event.name,
        "at": iso(event.received or event.at),
        "payload": bytes(event.data).decode(),
        "headers": {"Content-Type": "application/json", "Idempotency-Key": key},
    }
