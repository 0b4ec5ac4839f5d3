"""The window of a replay: what may be sent, what is settled, what the next worker must know (decision 29, trust.md F9 and F10)."""

from __future__ import annotations

import random

import msgspec
import pytest

from tapedeck.event_replays import retrying
from tapedeck.event_replays.model import Progress, Told, Waiting
from tapedeck.event_replays.window import TRIPS, Place, Window
from tapedeck.events.model import Event


def event(number: int) -> Event:
    """The event of a number."""
    return Event(id=f"{number:024x}", name="paid", app="shop", server="web-1", at=0, data=msgspec.Raw(b"{}"))


def place(number: int, *, covers: int = 1) -> Place:
    """A place with something to send."""
    return Place(number + 1, covers, event(number), matched=True)


def told(at: float = 0.0) -> Told:
    """How a delivery went."""
    return Told("ok", "", 1, at)


def window(size: int = 4, begun: Progress | None = None, kind: str = "single") -> Window:
    """A window with events 0 to `size` - 1."""
    made = Window(kind, size, begun or Progress(0))  # type: ignore[arg-type]
    for number in range(size):
        made.lay(place(number))
    return made


def test_the_position_is_after_the_last_of_those_that_are_settled_without_a_gap() -> None:
    it = window()
    first, second, third, _ = it.ready(0, 4)
    it.succeeded(third, told())
    assert (it.progress().position, it.progress().ahead) == (0, [2])
    it.succeeded(first, told())
    assert (it.progress().position, it.progress().ahead) == (1, [2])
    it.refused(second, told())
    assert (it.progress().position, it.progress().ahead) == (3, [])
    assert (it.progress().matched, it.progress().sent, it.progress().failed) == (3, 2, 1)
    assert [each.event_id for each in it.take_failures()] == [event(1).id]
    assert it.take_failures() == []


def test_a_stretch_without_a_match_is_looked_at_when_it_is_reached() -> None:
    it = Window("single", 4, Progress(0))
    it.lay(Place(10, 10))
    assert (it.progress().position, it.progress().looked_at, it.progress().matched) == (10, 10, 0)
    it.lay(place(14, covers=5))
    it.lay(Place(20, 5))
    assert it.progress().position == 10
    [only] = it.ready(0, 4)
    it.succeeded(only, told())
    assert (it.progress().position, it.progress().looked_at, it.progress().matched, it.is_settled) == (20, 20, 1, True)


def test_what_failed_for_now_waits_for_its_turn() -> None:
    it = window(1)
    for failures, wait in enumerate(retrying.SCHEDULES["single"], 1):
        [only] = it.ready(1000, 1)
        it.failed(only, told(at=0.0), retry_after=None)
        assert it.progress().waiting == [Waiting(0, failures, wait)]
        assert it.ready(wait - 0.1, 1) == []
    [only] = it.ready(1000, 1)
    it.failed(only, told(at=0.0), retry_after=None)
    assert (it.progress().failed, it.progress().position, it.is_hopeless) == (1, 1, False)


@pytest.mark.parametrize(("kind", "hopeless"), [("single", True), ("continuous", False)])
def test_after_one_was_given_up_the_next_decides_whether_there_is_hope(kind: str, hopeless: bool) -> None:
    """Decision 29: it has failed everything for that long."""
    it = window(2, Progress(0, waiting=[Waiting(0, 7 if kind == "continuous" else 6, 0.0)], failing_since=0.0), kind)
    [first] = it.ready(0, 1)
    it.failed(first, told(at=61.0), retry_after=None)
    assert (it.progress().failed, it.is_hopeless) == (1, False)
    [second] = it.ready(61, 1)
    it.failed(second, told(at=61.0), retry_after=None)
    assert it.is_hopeless is hopeless


def test_a_success_in_between_is_hope() -> None:
    it = window(3, Progress(0, waiting=[Waiting(0, 6, 0.0)], failing_since=0.0))
    it.failed(it.ready(0, 1)[0], told(at=61.0), retry_after=None)
    it.succeeded(it.ready(61, 1)[0], told())
    it.failed(it.ready(61, 1)[0], told(at=61.0), retry_after=None)
    assert not it.is_hopeless


def test_retry_after_holds_up_everything() -> None:
    it = window()
    first, _ = it.ready(0, 2)
    it.failed(first, told(at=0.0), retry_after=50.0)
    assert it.ready(49, 4) == []
    assert it.resumes_at() == 50
    assert it.progress().hold_until == 50


def test_after_failures_in_a_row_one_is_tried_and_the_others_wait_for_it() -> None:
    """trust.md F9: a breaker."""
    it = window(10)
    for each in it.ready(0, TRIPS):
        it.failed(each, told(at=0.0), retry_after=None)
    assert it.ready(0.5, 10) == []
    assert it.resumes_at() == 1
    [probe] = it.ready(1, 10)
    assert it.ready(1, 10) == []
    it.succeeded(probe, told())
    assert len(it.ready(1, 10)) == 9


def test_the_next_worker_takes_it_up_where_it_was_left() -> None:
    """Whatever happens to the events, and wherever a window is left for the next: each is settled once, and the counts are exact."""
    for seed in range(200):
        chance = random.Random(seed)
        size = chance.randrange(1, 6)
        progress, sent, gave_up = Progress(0), list[int](), list[int]()
        now = 0.0
        for _ in range(400):
            it = Window("single", size, progress)
            waiting, ahead = {each.number for each in progress.waiting}, set(progress.ahead)
            numbers = iter(range(progress.position, 30))
            for _ in range(chance.randrange(1, 12)):
                while it.room > 0 and (number := next(numbers, None)) is not None:
                    matches = number % 3 or number in waiting or number in ahead
                    it.lay(Place(number + 1, 1, None, matched=True) if number in ahead else place(number) if matches else Place(number + 1, 1))
                ready = it.ready(now, chance.randrange(1, 4))
                chance.shuffle(ready)
                for each in ready:
                    how = chance.random()
                    if how < 0.5:
                        sent.append(each.number)
                        it.succeeded(each, told(now))
                    elif how < 0.6:
                        gave_up.append(each.number)
                        it.refused(each, told(now))
                    else:
                        before = len(it._failures)
                        it.failed(each, told(now), retry_after=None)
                        gave_up += [each.number] * (len(it._failures) - before)
                now += chance.random() * 40
            progress = it.progress()
            assert progress.matched + len(progress.ahead) == progress.sent + progress.failed
            if progress.position == 30:
                break
        assert progress.position == progress.looked_at == 30, seed
        assert sorted(sent + gave_up) == [number for number in range(30) if number % 3], seed
        assert (progress.sent, progress.failed) == (len(sent), len(gave_up))
