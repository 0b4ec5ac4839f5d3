"""The worker of captures: it makes the steps that are due, by status and clock, until none is.

Every step may be made twice, by two workers, and may die anywhere: what it does outside can be repeated, and its end is one conditional
write, after which the next step follows from the row alone. So it does not matter who rang, when, or how often.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import clock, objects
from tapedeck.captures import bells, metrics, model, store
from tapedeck.captures.changing import pin_name
from tapedeck.captures.model import Capture, Status
from tapedeck.errors import DomainError, NotFound
from tapedeck.events import pins, spans
from tapedeck.events import store as events
from tapedeck.events.pins import Pin
from tapedeck.events.store import CollectionId

RESERVE = 20.0  # seconds of the worker's time in which no new step is begun


def turn(organization_id: int, capture_id: int, *, seconds_left: Callable[[], float]) -> int:
    """Carry a capture on as far as it is due. Answers how many steps that were; a step that fails flies, and is retried by the queue."""
    steps = 0
    with suppress(NotFound):  # it was deleted, and all of it is gone
        capture: Capture | None = store.read(organization_id, capture_id)
        while capture is not None and _is_due(capture):
            if seconds_left() < RESERVE:
                bells.ring(capture)
                break
            try:
                capture = _step(capture)
                steps += 1
            except store.Overtaken:  # another worker was faster: see what it has left to do
                capture = store.read(organization_id, capture_id)
    return steps


def ring_overdue() -> int:
    """Ring for every capture that has a step to make and whose bell was lost. Answers how many."""
    found = list(store.overdue())
    for capture in found:
        bells.ring(capture)
    return len(found)


def _is_due(capture: Capture) -> bool:
    due = model.turns_at(capture)
    return due is not None and due <= clock.milliseconds()


def _step(capture: Capture) -> Capture | None:
    """What the next step makes of a capture; None when there is nothing left of it."""
    try:
        return _STEPS[capture.status](capture)
    except store.Overtaken:
        raise
    except Exception as why:
        _note_trouble(capture, why)
        raise


def _arm_or_start(capture: Capture) -> Capture:
    if capture.begins <= clock.milliseconds():
        return store.save(capture, model.moved(capture, "STARTING", clock.milliseconds()))
    _pin(capture)
    bells.set_for(capture, "start", capture.begins)
    if capture.scheduled_end is not None:
        bells.set_for(capture, "stop", capture.scheduled_end)
    return store.save(capture, replace(capture, armed=True, troubled_at=None))


def _start(capture: Capture) -> Capture:
    return store.save(capture, model.moved(capture, "STARTING", clock.milliseconds()))


def _run(capture: Capture) -> Capture:
    """Find the number with which the window begins, after which no event of an earlier time can be given one."""
    if not capture.armed:
        _pin(capture)
        if capture.scheduled_end is not None and capture.scheduled_end > clock.milliseconds():
            bells.set_for(capture, "stop", capture.scheduled_end)
    events.fence(_source(capture), capture.begins)
    place = spans.place_of(_source(capture), capture.begins)
    within = (place.generation, place.generation)
    return store.save(
        capture, replace(model.moved(capture, "RUNNING", clock.milliseconds()), first=place.number, generations=within, armed=True)
    )


def _stop(capture: Capture) -> Capture:
    return store.save(capture, model.stopped(capture, clock.milliseconds()))


def _finish(capture: Capture) -> Capture:
    """Find the number with which the window ends, take its metrics, and seal it.

    Metrics are no reason for a capture to fail: those that cannot be had now are taken again.
    """
    assert capture.ends is not None
    assert capture.generations is not None
    events.fence(_source(capture), capture.ends)
    place = spans.place_of(_source(capture), capture.ends)
    _pin(capture)
    taken = False
    with suppress(ClientError, BotoCoreError):
        taken = metrics.snapshot(capture)
    if capture.scheduled_end is not None and capture.scheduled_end > capture.ends:
        bells.unset(capture, "stop")
    sealed = replace(
        model.moved(capture, "DONE", clock.milliseconds()),
        stop=place.number,
        generations=(capture.generations[0], place.generation),
        metrics_at=None if taken else max(clock.milliseconds(), capture.ends) + model.SETTLES,
    )
    return store.save(capture, sealed)


def _take_metrics(capture: Capture) -> Capture:
    """Take the metrics again, now that CloudWatch knows them."""
    metrics.snapshot(capture)
    return store.save(capture, replace(capture, metrics_at=None, troubled_at=None))


def _give_back(capture: Capture) -> Capture:
    """What a failed capture holds on to."""
    _clean_up(capture)
    return store.save(capture, replace(capture, armed=False, troubled_at=None))


def _forget(capture: Capture) -> Capture | None:
    """Clean up after a deleted capture; and once more, when no worker is left that had seen it before it was deleted."""
    _clean_up(capture)
    objects.delete(store.metrics_key(capture))
    if capture.armed:
        return store.save(capture, replace(capture, armed=False, troubled_at=None))
    store.forget(capture)
    return None


_STEPS: Mapping[Status, Callable[[Capture], Capture | None]] = {
    "SCHEDULED": _arm_or_start,
    "STARTED": _start,
    "STARTING": _run,
    "RUNNING": _stop,
    "STOPPING": _finish,
    "DONE": _take_metrics,
    "FAILED": _give_back,
    "DELETED": _forget,
}


def _clean_up(capture: Capture) -> None:
    bells.unset(capture, "start")
    bells.unset(capture, "stop")
    pins.unpin(_source(capture), pin_name(capture))


def _pin(capture: Capture) -> None:
    pins.pin(_source(capture), pin_name(capture), Pin(capture.begins, capture.ends))


def _note_trouble(capture: Capture, why: Exception) -> None:
    """Write down since when a step fails; after an hour the capture does, or goes without its metrics."""
    with suppress(ClientError, BotoCoreError, DomainError):
        if capture.troubled_at is None:
            store.save(capture, replace(capture, troubled_at=clock.milliseconds()))
        elif model.is_hopeless(capture, clock.milliseconds()):
            cause = why.response["Error"]["Code"] if isinstance(why, ClientError) else type(why).__name__
            store.save(capture, model.given_up(capture, cause, clock.milliseconds()))


def _source(capture: Capture) -> CollectionId:
    return CollectionId(capture.organization_id, capture.source)
