"""The worker of event replays: take one, send what matches from its position on, say how far it is, let go.

One worker at a time holds a replay: a lease, that every checkpoint renews under the name of its owner. A checkpoint is one conditional
write, and what it finds there is also how the worker hears that the replay was paused, archived, changed, or given to somebody else. It
goes on beside the sends, and no event is sent more than BETWEEN seconds after the last one was heard of, or when MOST_SENDS sends are not
in one yet. So a worker that dies is succeeded when its lease has ended, and MOST_SENDS sends at most are made again, under the same keys.
One that leaves in order leaves nothing to be repeated.

What is to be tried again later is not waited for: the worker lets go, and rings for the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from threading import Condition

from tapedeck import clock, errors, ids
from tapedeck.event_replays import model, noticing, ringing, store
from tapedeck.event_replays.destinations import rate, sending
from tapedeck.event_replays.destinations import store as destinations
from tapedeck.event_replays.destinations.model import Delivery, Destination, Outcome
from tapedeck.event_replays.feeding import Source
from tapedeck.event_replays.model import Checkpoint, Ending, Failure, Fenced, Progress, Replay, Told
from tapedeck.event_replays.window import Place, Window

BETWEEN = 0.1  # seconds
MOST_SENDS = 128  # at 100 ms, only a destination that takes less than 0.8 ms for each meets this bound
RESERVE = 20.0  # seconds of the worker's time in which no new event is sent
SHORT = 1.0  # seconds that are worth waiting for in place
MOST_AHEAD = 1_000  # events
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
        beside = opened.enter_context(ThreadPoolExecutor(1))
        replay = Worker(replay, owner, source, destination, sender, beside).work(seconds_left)
    if replay.state == "running" and (not replay.idle or source.goes_on(replay.progress)):
        ringing.ring(replay.organization_id, replay.id, at=replay.progress.resumes_at)
    return replay


def start(beside: ThreadPoolExecutor, call: Callable[[], tuple[Replay, float]]) -> Future[tuple[Replay, float]]:
    """A call that goes on beside what its caller does meanwhile."""
    return beside.submit(call)


def _size(concurrency: int, batch: int) -> int:
    """How many events a window holds: of one at a time no more than that; of several some more, so that a slow one does not stop them all.

    The numbers of those that are settled ahead are in every checkpoint: that bounds it.
    """
    return batch if concurrency == 1 else max(batch, min(4 * concurrency * batch, MOST_AHEAD))


class Worker:
    """One invocation's work on a replay that it holds. Several threads of it send, one takes from the window or puts back at a time."""

    def __init__(
        self,
        replay: Replay,
        owner: str,
        source: Source,
        destination: Destination,
        sender: sending.Sender,
        beside: ThreadPoolExecutor,
    ) -> None:
        self._replay, self._owner, self._source, self._destination = replay, owner, source, destination
        self._query = replay.query
        self._sender, self._beside = sender, beside
        self._window = Window(replay.type, _size(replay.concurrency, sender.batch), replay.progress)
        self._feed, self._fed_up = source.places(replay.progress), False
        self._turn = Condition()
        self._on_their_way = 0
        self._ending: Ending | None = None
        # Checkpoints: how many sends there were and what time it was when the last one was begun, and when the last one was heard of.
        self._sends = self._mark = self._begun_sends = self._heard_sends = 0
        self._begun_at = self._heard_at = clock.now()
        self._saying: Future[tuple[Replay, float]] | None = None

    def work(self, seconds_left: Callable[[], float]) -> Replay:
        """Send until there is a reason to let go; then let go. Raises Fenced when the replay is not this worker's any more."""
        self._seconds_left = seconds_left
        if self._replay.concurrency == 1:
            self._send_on()
        else:
            with ThreadPoolExecutor(self._replay.concurrency) as threads:
                for each in [threads.submit(self._send_on) for _ in range(self._replay.concurrency)]:
                    each.result()
        if told := self._window.told:
            destinations.note_health(self._destination, Outcome(told.status == "ok", message=told.message, latency_ms=told.latency_ms))
        self._hear()
        self._say(self._ending)
        self._hear()
        return self._replay

    # Sending ----------------------------------------------------------------------------------------------------------------------------

    def _send_on(self) -> None:
        try:
            while places := self._next():
                self._took(places, self._sender.send([self._delivery(place) for place in places]))
        except BaseException:
            with self._turn:
                self._stop(Ending())
            raise

    def _next(self) -> Sequence[Place]:
        """What is to be sent next: waited for, if there may be something in a moment; nothing when it is time to let go."""
        with self._turn:
            while self._ending is None:
                self._keep_up()
                if ending := self._reason_to_stop():
                    self._stop(ending)
                    break
                self._fill()
                if self._must_hear():
                    continue
                if places := self._ready():
                    self._sends += 1
                    self._on_their_way += 1
                    return places
                if ending := self._wait():
                    self._stop(ending)
        return ()

    def _took(self, places: Sequence[Place], outcomes: Sequence[Outcome]) -> None:
        with self._turn:
            self._on_their_way -= 1
            for place, outcome in zip(places, outcomes, strict=True):
                told = Told("ok" if outcome.ok else "error", outcome.message, outcome.latency_ms, clock.now())
                if outcome.ok:
                    self._window.succeeded(place, told)
                elif outcome.retry:
                    self._window.failed(place, told, retry_after=outcome.retry_after)
                else:
                    self._window.refused(place, told)
            self._turn.notify()

    def _stop(self, ending: Ending) -> None:
        self._ending = self._ending or ending
        self._turn.notify_all()

    def _reason_to_stop(self) -> Ending | None:
        """The replay, as the last checkpoint found it, is not what was taken up any more; or all hope is gone; or the time is up."""
        now = self._replay
        if now.state != "running" or (now.query, now.destination_id) != (self._query, self._destination.id):
            return Ending()
        if self._window.is_hopeless:
            last_words = self._window.told.message if self._window.told else ""
            return Ending("failed", f"The destination has failed everything for about a minute: {last_words}")
        return Ending() if self._seconds_left() < RESERVE else None

    def _fill(self) -> None:
        while self._window.room > 0 and not self._fed_up and not self._must_hear():
            place = next(self._feed, None)
            if place is None:
                self._fed_up = True
            else:
                self._window.lay(place)

    def _ready(self) -> Sequence[Place]:
        """What may be sent now, as far as the destination's limit lets it be."""
        places = self._window.ready(clock.now(), self._sender.batch)
        granted = rate.take(self._destination, len(places))
        self._window.put_back(places[granted:])
        if places and not granted:
            clock.sleep(1 - clock.now() % 1)
        return places[:granted]

    def _wait(self) -> Ending | None:
        """Nothing is to be sent now: wait a moment when that may change, else say how to let go."""
        if self._on_their_way:
            self._turn.wait(SHORT)
            return None
        if (at := self._window.resumes_at()) is not None:
            if at > clock.now() + SHORT:
                return Ending()
            clock.sleep(max(at - clock.now(), 0.0))
            return None
        if not self._fed_up:
            return None
        if self._replay.until is not None:
            return Ending("completed")
        progress = self._window.progress()
        if not self._source.goes_on(progress):
            return Ending(idle=True)
        self._feed, self._fed_up = self._source.places(progress), False
        return None

    def _delivery(self, place: Place) -> Delivery:
        assert place.event is not None
        return Delivery(f"{self._replay.id}:{place.event.id}", place.event, place.number)

    # Saying how far it is ---------------------------------------------------------------------------------------------------------------

    def _keep_up(self) -> None:
        """Begin a checkpoint when it is time for one; wait for it when nothing may be sent before it is there."""
        if self._saying and self._saying.done():
            self._hear()
        if not self._saying and (
            2 * (self._sends - self._begun_sends) >= MOST_SENDS or not 0 <= 2 * (clock.now() - self._begun_at) < BETWEEN
        ):
            self._say(None)
        if self._must_hear():
            self._hear()

    def _must_hear(self) -> bool:
        return self._sends - self._heard_sends >= MOST_SENDS or not 0 <= clock.now() - self._heard_at < BETWEEN

    def _say(self, ending: Ending | None) -> None:
        """Begin a checkpoint. More failures than one transaction takes are written down before it."""
        failures = self._window.take_failures()
        while len(failures) > MOST_LINES:
            self._begin(self._replay.progress, failures[:MOST_LINES], None)
            self._hear()
            failures = failures[MOST_LINES:]
        self._begin(self._window.progress(), failures, ending)

    def _begin(self, progress: Progress, failures: Sequence[Failure], ending: Ending | None) -> None:
        now, known = clock.now(), self._replay
        self._mark += 1
        said = Checkpoint(self._owner, self._mark, progress, self._window.told, failures, max(0.0, now - self._begun_at), ending)
        self._begun_sends, self._begun_at = self._sends, now
        self._saying = start(
            self._beside, lambda: (store.change(known, lambda it: model.checkpointed(it, said, clock.now())), clock.now())
        )

    def _hear(self) -> None:
        """Wait for the checkpoint that was begun, if there is one, and learn what it found."""
        if self._saying:
            saying, self._saying = self._saying, None
            self._replay, self._heard_at = saying.result()
            self._heard_sends = self._begun_sends
