"""The events between the one that a replay has come to and the last one it has looked at: which may be sent, which are settled. Pure.

Events are laid in at the one end in receive order, and leave at the other as soon as they are settled and everything before them is.
So what is in the window is what a crash may send again, and `progress()` is at any moment all that the next worker must know.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tapedeck.event_replays import retrying
from tapedeck.event_replays.model import Failure, Progress, Told, Type, Waiting
from tapedeck.events.model import Event

TRIPS = 5  # temporary failures in a row


@dataclass(slots=True)
class Place:
    """A stretch of numbers that ends before `end`: with an event to be sent as its last, or with nothing to send.

    `covers` is how many numbers there are in it that are still there; `matched`, whether its last one counts as a match.
    """

    end: int
    covers: int
    event: Event | None = None
    matched: bool = False
    settled: bool = False
    in_flight: bool = False
    attempts: int = 0
    retry_at: float = 0.0

    @property
    def number(self) -> int:
        """The event's number."""
        return self.end - 1


class Window:
    """A replay's window, from where it has come to. `size` is how many events may be in it, sent or not.

    `told` is how the latest delivery went, `is_hopeless` that the destination has failed everything for the length of its schedule.
    """

    def __init__(self, kind: Type, size: int, begun: Progress) -> None:
        self.told: Told | None = None
        self.is_hopeless = False
        self._kind, self._size = kind, size
        self._position, self._looked_at, self._matched = begun.position, begun.looked_at, begun.matched
        self._sent, self._failed = begun.sent, begun.failed
        self._failing_since, self._given_up, self._hold_until = begun.failing_since, begun.given_up, begun.hold_until
        self._waited = {each.number: each for each in begun.waiting}  # until they are laid in again
        self._ahead = sorted(begun.ahead)
        self._places: deque[Place] = deque()
        self._matching = self._unsettled = 0
        self._failures: list[Failure] = []
        self._in_a_row = TRIPS if begun.failing_since is not None else 0  # temporary failures since the destination last answered

    # What is to be done -----------------------------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many more events may be laid in."""
        return self._size - self._matching

    @property
    def is_settled(self) -> bool:
        """Whether nothing in it is to be sent, or on its way."""
        return self._unsettled == 0

    def lay(self, place: Place) -> None:
        """Put the next stretch in. One that was settled ahead, or was tried before, is known again by its number."""
        if place.event is not None and (before := self._waited.pop(place.number, None)):
            place.attempts, place.retry_at = before.attempts, before.at
        if place.event is None:
            place.settled = True
        else:
            self._unsettled += 1
        self._matching += place.matched
        self._places.append(place)
        self._advance()

    def ready(self, now: float, most: int) -> list[Place]:
        """Up to `most` events that may be sent now, oldest first: they are on their way from here on.

        After TRIPS failures in a row the breaker is open: the oldest alone is tried, and the others wait for what comes of it.
        """
        if now < self._hold_until or (self._is_open and any(place.in_flight for place in self._places)):
            return []
        found: list[Place] = []
        for place in self._to_send():
            if place.retry_at > now:
                if self._is_open:
                    break
                continue
            place.in_flight = True
            found.append(place)
            if len(found) == most or self._is_open:
                break
        return found

    def put_back(self, places: Sequence[Place]) -> None:
        """They are not to be sent yet after all."""
        for place in places:
            place.in_flight = False

    def resumes_at(self) -> float | None:
        """When the next event that waits may be sent; None when none waits."""
        waiting = [place.retry_at for place in self._to_send()]
        if not waiting:
            return None
        return max(waiting[0] if self._is_open else min(waiting), self._hold_until)

    @property
    def _is_open(self) -> bool:
        return self._in_a_row >= TRIPS

    def _to_send(self) -> Iterator[Place]:
        return (place for place in self._places if not place.settled and not place.in_flight)

    # What came of it --------------------------------------------------------------------------------------------------------------------

    def succeeded(self, place: Place, told: Told) -> None:
        """The destination has it."""
        self.told = told
        self._answered()
        self._sent += 1
        self._settle(place)

    def refused(self, place: Place, told: Told) -> None:
        """The destination will never take it."""
        self._answered()
        self._give_up(place, told)

    def failed(self, place: Place, told: Told, *, retry_after: float | None) -> None:
        """It did not get through this time: it waits for its next turn, or is given up after the last one.

        When an event has been given up and the next does not get through at its first attempt either, the destination is hopeless:
        that is after about a minute for a replay that ends (decision 29). One that goes on for ever waits for better days.
        """
        self.told = told
        if self._given_up and place.attempts == 0 and self._kind == "single":
            self.is_hopeless = True
        self._in_a_row += 1
        if self._failing_since is None:
            self._failing_since = told.at
        place.attempts += 1
        wait = retrying.delay(self._kind, place.attempts, retry_after)
        if wait is None:
            self._given_up = True
            self._give_up(place, told)
            return
        place.in_flight, place.retry_at = False, told.at + wait
        if retry_after:
            self._hold_until = max(self._hold_until, told.at + min(retry_after, retrying.MOST_ASKED))

    def take_failures(self) -> Sequence[Failure]:
        """What was given up since the last time, to be written down."""
        taken, self._failures = self._failures, []
        return taken

    def progress(self) -> Progress:
        """How far it is."""
        ahead = [place.number for place in self._places if place.settled and place.matched]
        waiting = [Waiting(each.number, each.attempts, each.retry_at) for each in self._places if not each.settled and each.attempts]
        beyond = self._places[-1].end if self._places else self._position
        return Progress(
            position=self._position,
            looked_at=self._looked_at,
            matched=self._matched,
            sent=self._sent,
            failed=self._failed,
            ahead=[*ahead, *(number for number in self._ahead if number >= beyond)],
            waiting=[*waiting, *(each for number, each in sorted(self._waited.items()) if number >= beyond)],
            failing_since=self._failing_since,
            given_up=self._given_up,
            hold_until=self._hold_until,
        )

    def _answered(self) -> None:
        self._failing_since, self._given_up, self._in_a_row = None, False, 0

    def _give_up(self, place: Place, told: Told) -> None:
        assert place.event is not None
        self.told = told
        self._failed += 1
        self._failures.append(Failure(place.event.id, told.message, told.latency_ms, told.at))
        self._settle(place)

    def _settle(self, place: Place) -> None:
        place.settled, place.in_flight, place.event = True, False, None
        self._unsettled -= 1
        self._advance()

    def _advance(self) -> None:
        while self._places and self._places[0].settled:
            place = self._places.popleft()
            self._position = place.end
            self._looked_at += place.covers
            self._matched += place.matched
            self._matching -= place.matched
