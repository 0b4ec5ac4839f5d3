"""The worker of event replays: take one, send what matches from its position on, say how far it is, let go.

One worker at a time holds a replay: a lease, that every checkpoint renews under the name of its owner. A checkpoint is one conditional
write, and what it finds there is also how the worker hears that the replay was paused, archived, changed, or given to somebody else; no
event is sent more than BETWEEN seconds after one. A worker that dies is succeeded when its lease has ended, and what it had sent since its
last checkpoint is sent again under the same keys: MOST_SENDS sends at most. One that leaves in order leaves nothing to be repeated.

What is to be tried again later is not waited for: the worker lets go, and rings for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress

from tapedeck import clock, errors, ids
from tapedeck.event_replays import model, noticing, ringing, store
from tapedeck.event_replays.destinations import rate, sending
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome
from tapedeck.event_replays.feeding import Source
from tapedeck.event_replays.model import Checkpoint, Ending, Failure, Fenced, Progress, Replay, Told
from tapedeck.event_replays.window import Place, Window

BETWEEN = 0.1  # seconds
MOST_SENDS = 64
RESERVE = 20.0  # seconds of the worker's time in which no new event is sent
SHORT = 1.0  # seconds that are worth waiting for in place
MOST_LINES = 90  # of a history in one transaction, which may hold a hundred items


def run(organization_id: int, replay_id: str, *, seconds_left: Callable[[], float]) -> int:
    """Carry a replay on until there is nothing to be sent now, or the time is up. Answers how many events were sent."""
    sent = 0
    with suppress(Fenced, errors.NotFound):  # somebody else has it, nobody should, or it is gone
        replay = store.read(organization_id, replay_id)
        if not replay.is_over and not replay.pulled and replay.progress.resumes_at <= clock.now() + SHORT:
            before = replay.progress.sent
            replay = _work(replay, seconds_left)
            sent = replay.progress.sent - before
        noticing.give(replay)
    return sent


def _work(replay: Replay, seconds_left: Callable[[], float]) -> Replay:
    owner = ids.random_hex(16)
    replay = store.change(replay, lambda it: model.acquired(it, owner, clock.now()))
    with ExitStack() as opened:
        try:
            source = Source.of(replay)
            destination = destinations.read(replay.organization_id, replay.destination_id)
            sender = opened.enter_context(sending.open(destination))
        except (errors.NotFound, errors.Invalid, errors.Conflict) as gone:
            ending = Ending("aborted", gone.detail or "What the replay needs is gone.")
            said = Checkpoint(owner, 1, replay.progress, ending=ending)
            return store.change(replay, lambda it: model.checkpointed(it, said, clock.now()))
        pool = opened.enter_context(ThreadPoolExecutor(replay.concurrency))
        worker = _Worker(replay, owner, source, destination, sender, pool)
        replay = worker.leave(worker.carry_on(seconds_left))
    if replay.state == "running" and (not replay.idle or source.goes_on(replay.progress)):
        ringing.ring(replay.organization_id, replay.id, at=replay.progress.resumes_at)
    return replay


class _Worker:
    """One invocation's work on a replay that it holds."""

    def __init__(
        self,
        replay: Replay,
        owner: str,
        source: Source,
        destination: Destination,
        sender: sending.Sender,
        pool: ThreadPoolExecutor,
    ) -> None:
        self._replay, self._owner, self._source, self._destination = replay, owner, source, destination
        self._query = replay.query
        self._sender, self._pool, self._in_flight = sender, pool, dict[Future[Sequence[Outcome]], list[Place]]()
        self._window = Window(replay.type, replay.concurrency * sender.batch, replay.progress)
        self._feed, self._fed_up = source.places(replay.progress), False
        self._mark, self._sends, self._at = 0, 0, clock.now()

    def carry_on(self, seconds_left: Callable[[], float]) -> Ending:
        """Send until there is a reason to let go, and say which."""
        while True:
            if self._is_stale():
                self._checkpoint()
            if not self._is_wanted() or seconds_left() < RESERVE:
                return Ending()
            if self._window.is_hopeless:
                return Ending("failed", f"The destination has failed everything for about a minute: {self._last_words()}")
            self._fill()
            if self._is_stale():
                continue
            if sent := self._send() or self._in_flight:
                self._collect(block=sent is not True)
            elif (at := self._window.resumes_at()) is not None:
                if at > clock.now() + SHORT:
                    return Ending()
                clock.sleep(max(at - clock.now(), 0.01))
            elif self._fed_up:
                progress = self._window.progress()
                if self._replay.until is not None:
                    return Ending("completed")
                if not self._source.goes_on(progress):
                    return Ending(idle=True)
                self._feed, self._fed_up = self._source.places(progress), False

    def leave(self, ending: Ending) -> Replay:
        """Wait for what is on its way, write the last checkpoint, and let go."""
        while self._in_flight:
            self._collect(block=True)
        if told := self._window.told:
            destinations.note_health(self._destination, Outcome(told.status == "ok", message=told.message, latency_ms=told.latency_ms))
        self._checkpoint(ending)
        return self._replay

    def _is_stale(self) -> bool:
        return self._sends >= MOST_SENDS or not 0 <= clock.now() - self._at < BETWEEN

    def _is_wanted(self) -> bool:
        """Whether the replay, as the last checkpoint found it, is still what this worker took up."""
        now = self._replay
        return now.state == "running" and (now.query, now.destination_id) == (self._query, self._destination.id)

    def _fill(self) -> None:
        while self._window.room > 0 and not self._fed_up and not self._is_stale():
            place = next(self._feed, None)
            if place is None:
                self._fed_up = True
            else:
                self._window.lay(place)

    def _send(self) -> bool:
        """Put one more send on its way, if there is one to be made and room for it."""
        if len(self._in_flight) >= self._replay.concurrency:
            return False
        places = self._window.ready(clock.now(), self._sender.batch)
        if not places:
            return False
        granted = rate.take(self._destination, len(places))
        self._window.put_back(places[granted:])
        if not granted:
            clock.sleep(1 - clock.now() % 1)
            return False
        deliveries = [self._delivery(place) for place in places[:granted]]
        self._sends += 1
        if self._replay.concurrency == 1:
            self._took(places[:granted], self._sender.send(deliveries))
        else:
            self._in_flight[self._pool.submit(self._sender.send, deliveries)] = places[:granted]
        return True

    def _collect(self, *, block: bool) -> None:
        """Take in what has come back; wait a moment for it, if it is to `block`."""
        if self._in_flight:
            for sent in wait(self._in_flight, SHORT if block else 0, FIRST_COMPLETED).done:
                self._took(self._in_flight.pop(sent), sent.result())

    def _took(self, places: Sequence[Place], outcomes: Sequence[Outcome]) -> None:
        for place, outcome in zip(places, outcomes, strict=True):
            told = Told("ok" if outcome.ok else "error", outcome.message, outcome.latency_ms, clock.now())
            if outcome.ok:
                self._window.succeeded(place, told)
            elif outcome.retry:
                self._window.failed(place, told, retry_after=outcome.retry_after)
            else:
                self._window.refused(place, told)

    def _delivery(self, place: Place) -> Delivery:
        assert place.event is not None
        return Delivery(f"{self._replay.id}:{place.event.id}", place.event, place.number)

    def _checkpoint(self, ending: Ending | None = None) -> None:
        """Say how far it is, and hear what has been decided. Raises Fenced when the replay is not this worker's any more."""
        failures = self._window.take_failures()
        while len(failures) > MOST_LINES:
            self._say(self._replay.progress, failures[:MOST_LINES], None)
            failures = failures[MOST_LINES:]
        self._say(self._window.progress(), failures, ending)

    def _say(self, progress: Progress, failures: Sequence[Failure], ending: Ending | None) -> None:
        now = clock.now()
        self._mark += 1
        said = Checkpoint(self._owner, self._mark, progress, self._window.told, failures, max(0.0, now - self._at), ending)
        self._replay = store.change(self._replay, lambda it: model.checkpointed(it, said, now))
        self._sends, self._at = 0, clock.now()

    def _last_words(self) -> str:
        return self._window.told.message if self._window.told else ""
