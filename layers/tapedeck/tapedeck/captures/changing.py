"""What people do to captures: begin, stop, edit, delete. Each is one conditional write; the worker that is rung for does the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tapedeck import clock, errors, ids
from tapedeck.captures import bells, model, store
from tapedeck.captures.asking import Change, Wanted
from tapedeck.captures.model import Capture
from tapedeck.environments.model import Caller, Environment
from tapedeck.events import pins
from tapedeck.events.pins import Pin
from tapedeck.events.store import CollectionId

_MOST_ATTEMPTS = 12


def create(organization_id: int, environment: Environment, caller: Caller, wanted: Wanted, *, request: str | None = None) -> Capture:
    """A new capture: SCHEDULED, or STARTED when its start is not more than a minute away (then its window begins now).

    The row is written first, then its events are pinned, so that nobody empties the bucket under it; the worker sets its bells. A crash
    leaves no capture, or one that the sweeper carries on. Raises store.Taken, unless the capture that has the name was made by the same
    idempotent `request`: that one is the answer.
    """
    at = clock.milliseconds()
    capture = _timed(
        Capture(
            organization_id=organization_id,
            id=store.next_id(),
            env_id=environment.env_id,
            name=wanted.name,
            owner_id=caller.user_id,
            username=caller.user.email if caller.user else None,
            source=environment.collection_id,
            collection_id=ids.random_uuid(),
            status="STARTED",
            begins=at,
            created_at=at,
            moved_at=at,
            duration=wanted.duration,
            request=request,
        ),
        wanted.scheduled_start,
        at,
    )
    try:
        capture = _persistently(lambda: store.create(capture))
    except store.Taken as taken:
        capture = store.read(organization_id, taken.capture_id)
        if request is None or capture.request != request:
            raise
    pins.pin(CollectionId(organization_id, capture.source), pin_name(capture), Pin(capture.begins, capture.ends))
    bells.ring(capture)
    return capture


def stop(capture: Capture) -> Capture:
    """Stop a running capture: its window ends now. Unsupported for a scheduled one, Conflict for any other (decision 15)."""
    capture = _change(capture, lambda known: model.stopped(known, clock.milliseconds()))
    bells.ring(capture)
    return capture


def edit(capture: Capture, change: Change) -> Capture:
    """Change a capture: its name at any time, its window while it is SCHEDULED and not due. Conflict otherwise; Taken for a name in use."""
    edited = _change(capture, lambda known: _edited(known, change))
    if change.is_of_time:
        bells.ring(edited)
    return edited


def delete(capture: Capture) -> Capture:
    """Delete a capture, its name and its collection at once; bells, pin and metrics are cleaned up by the worker. Answers what it was.

    A running one is stopped first: the answer says when.
    """
    last = capture

    def bury(known: Capture) -> Capture:
        nonlocal last
        last = model.stopped(known, clock.milliseconds()) if known.status == "RUNNING" else known
        return model.deleted(last, clock.milliseconds())

    _change(capture, bury)
    bells.ring(capture)
    return last


def pin_name(capture: Capture) -> str:
    """Under which a capture pins its events."""
    return f"capture-{capture.id}"


def _edited(known: Capture, change: Change) -> Capture:
    renamed = replace(known, name=change.name or known.name)
    if not change.is_of_time:
        return renamed
    if known.status != "SCHEDULED" or known.begins <= clock.milliseconds():
        raise errors.Conflict("Only the name of a capture can be changed once it has been started.")
    changed = replace(renamed, armed=False, duration=change.duration or known.duration)
    return changed if change.scheduled_start is None else _timed(changed, change.scheduled_start, clock.milliseconds())


def _timed(capture: Capture, scheduled_start: int | None, at: int) -> Capture:
    """The capture with this start: scheduled, or begun now when that is not more than SOON away."""
    timed = replace(capture, scheduled_start=scheduled_start)
    if scheduled_start is None or scheduled_start <= at + model.SOON:
        return replace(timed, status="STARTED", begins=at, moved_at=at)
    return replace(timed, status="SCHEDULED", begins=scheduled_start)


def _change(capture: Capture, change: Callable[[Capture], Capture]) -> Capture:
    """What `change` makes of the capture as it is now: looked at again as often as somebody else moves it meanwhile."""
    known = capture

    def attempt() -> Capture:
        nonlocal known
        try:
            changed = change(known)
            return known if changed == known else store.save(known, changed)
        except store.Overtaken:
            known = store.read(known.organization_id, known.id)
            if known.status == "DELETED":
                raise errors.NotFound from None
            raise

    return _persistently(attempt)


def _persistently(write: Callable[[], Capture]) -> Capture:
    for _ in range(_MOST_ATTEMPTS):
        try:
            return write()
        except store.Overtaken:
            continue
    raise errors.Unavailable
