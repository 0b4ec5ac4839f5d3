"""The worker of captures: trust.md F13 to F16, §6.1; whoever rings, whenever, however often, and wherever it dies, the history is the same."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError

from tapedeck.captures import store, turning
from tapedeck.captures.model import PATIENCE
from tapedeck.events import spans
from tapedeck.events import store as events
from tests.captures.happening import Story, deliver, held, lose, quiet, ring, send, sweep
from tests.captures.test_create_capture import at, create, created, read, running, shown
from tests.captures.test_delete_capture import delete, left, settle
from tests.captures.test_edit_capture import edit, schedules
from tests.captures.test_list_captures import listed
from tests.captures.test_stop_capture import stop
from tests.harness import KINDS, System
from tests.harness.agent import put, record
from tests.harness.cloud import Killed, Kind

OWN = ("CreateCapture", "EditCapture", "StopCapture", "DeleteCapture", "TurnCapture", "SweepCaptures")


@pytest.fixture
def scheduled(system: System) -> tuple[int, float]:
    """(id, now) of a capture that is to begin in ten minutes, for ten minutes, whose schedules are set."""
    made = created(system, scheduledStart=at(system, 600), duration=600)["id"]
    deliver(system)
    assert sorted(schedules(system)) == [f"cap-{made}-start", f"cap-{made}-stop"]
    return made, system.now


def history(system: System, made: int, bells: list[float], edits: list[tuple[float, dict[str, Any]]] | None = None) -> None:
    """Ten minutes before a start until long after: an event at each edge of the window, bells at these seconds, edits between."""
    start = system.now
    moments: list[tuple[float, int, Callable[[], Any]]] = [(second, 1, lambda: ring(system, made)) for second in bells]
    for second in (0, 599.999, 600, 900, 1199.999, 1200, 1300):
        moments.append((second, 0, lambda second=second: put(system, system.acme, record(f"at {second}"))))  # type: ignore[misc]
    for second, change in edits or []:
        moments.append((second, 2, lambda change=change: edit(system, made, **change)))  # type: ignore[misc]
    for second, _, action in sorted(moments, key=lambda moment: moment[:2]):
        system.skip(max(0, start + second - system.now))
        action()
    sweep(system, 4)


@pytest.mark.parametrize("late", [0, 90, 4000])
@pytest.mark.parametrize("fires", [0, 1, 2, 3])
def test_bells_that_ring_never_late_or_often_give_one_history(
    system: System, scheduled: tuple[int, float], fires: int, late: float
) -> None:
    """F13, F14, F16: the window is what was asked for, not what the clock said when somebody came."""
    made, began = scheduled
    lose(system)
    early = [0, 300, 599.9]
    history(system, made, [*early, *([600 + late] * fires), *([1200 + late] * fires)])
    done = shown(system, made)
    assert {**done, "collectionId": ""} == {
        "id": made,
        "name": "the rush",
        "type": "CAPTURE",
        "status": "DONE",
        "envId": system.acme.web.env_id,
        "ownerId": system.acme.users["member"].id,
        "username": "member@acme.example",
        "isMimic": False,
        "start": at(system, began + 600 - system.now),
        "end": at(system, began + 1200 - system.now),
        "scheduledStart": at(system, began + 600 - system.now),
        "scheduledEnd": at(system, began + 1200 - system.now),
        "duration": 600,
        "reason": None,
        "collectionId": "",
    }
    assert held(system, done) == ["at 600", "at 900", "at 1199.999"]


@pytest.mark.parametrize("fires", [0, 3])
@pytest.mark.parametrize(
    ("edits", "window"),
    [
        ([(100, {"name": "another"})], (600, 1200)),
        ([(100, {"duration": 300})], (600, 900)),
        ([(100, {"duration": 300}), (700, {"duration": 600})], (600, 900)),  # the second comes too late: 409
        ([(599, {"name": "another"}), (900, {"name": "a third"})], (600, 1200)),
    ],
)
def test_edits_between_bells(
    system: System, scheduled: tuple[int, float], fires: int, edits: list[tuple[float, dict[str, Any]]], window: tuple[float, float]
) -> None:
    """F13, F15: bells that were set for what was edited away ring for nothing."""
    made, began = scheduled
    lose(system)
    history(system, made, [*([600] * fires), *([1200] * fires)], edits)
    done = shown(system, made)
    assert (done["status"], done["start"], done["end"]) == (
        "DONE",
        at(system, began + window[0] - system.now),
        at(system, began + window[1] - system.now),
    )
    expected = [f"at {second}" for second in (0, 599.999, 600, 900, 1199.999, 1200, 1300) if window[0] <= second < window[1]]
    assert held(system, done) == expected


def test_an_edit_that_moves_the_start_away_from_its_bell(system: System, scheduled: tuple[int, float]) -> None:
    made, began = scheduled
    for _ in range(3):
        edit(system, made, scheduledStart=at(system, began + 1260 - system.now))
        ring(system, made)
        system.skip(200)
    system.advance(30)
    ring(system, made)
    assert shown(system, made)["status"] == "SCHEDULED", "the time of the first bell is over"
    system.advance(began + 1261 - system.now)
    assert (shown(system, made)["status"], shown(system, made)["start"]) == ("RUNNING", at(system, -1))


def test_by_itself_a_scheduled_capture_begins_and_ends_on_time(system: System, scheduled: tuple[int, float]) -> None:
    """Nothing is lost and nobody sweeps: the schedules alone do it."""
    made, _ = scheduled
    seen = []
    for _ in range(12):
        system.advance(120)
        seen.append(shown(system, made)["status"])
    assert seen == ["SCHEDULED"] * 4 + ["RUNNING"] * 5 + ["DONE"] * 3
    assert schedules(system) == {}, "each deletes itself when it has rung"


def test_a_worker_without_time_rings_for_the_next(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = created(system)["id"]
    monkeypatch.setattr(turning, "RESERVE", 1e9)
    with pytest.raises(AssertionError, match="not empty"):
        system.drain(rounds=3)
    assert shown(system, made)["status"] == "STARTED"
    monkeypatch.setattr(turning, "RESERVE", 0)
    deliver(system)
    assert shown(system, made)["status"] == "RUNNING"


def test_a_bell_for_what_never_was_is_nothing(system: System) -> None:
    ring(system, 4711)


# Death anywhere -----------------------------------------------------------------------------------------------------------------------


def persist(ask: Callable[[], Any]) -> Any:
    """A client that asks again when it was not answered."""
    answer = ask()
    return ask() if answer.status >= 500 else answer


def prepare(story: Story, phase: str, name: str) -> None:
    """A capture just before a phase of its life, with an event behind it."""
    system = story.system
    story.made = 0
    if phase in ("arm", "edit", "start"):
        story.made = created(system, name=name, scheduledStart=at(system, 100), duration=3600)["id"]
        if phase != "arm":
            deliver(system)
        if phase == "start":
            lose(system)
            system.skip(100)
    elif phase != "create":
        story.made = running(system, name=name, duration=3600)
        story.put()
        system.skip(1)
        if phase in ("seal", "measure"):
            stop(system, story.made)
            if phase == "measure":
                deliver(system)
                system.skip(300)
    story.put()


def act(story: Story, phase: str, name: str) -> None:
    """One phase of a capture's life."""
    system, made = story.system, story.made
    if phase == "create":
        persist(lambda: create(system, name=name, duration=3600))
    elif phase == "edit":
        persist(lambda: edit(system, made, scheduledStart=at(system, 200), name=name + " x"))
    elif phase == "stop":
        persist(lambda: stop(system, made))
    elif phase == "delete":
        persist(lambda: delete(system, made))
    elif phase == "measure":
        with suppress(Killed, BotoCoreError):  # as a schedule of the template does, which comes again
            system.invoke("captures/sweep_captures")
    elif phase == "start":
        send(system, made)
    deliver(system)


PHASES = ("create", "arm", "edit", "start", "stop", "seal", "measure", "delete")
EVERYWHERE: tuple[Kind, ...] = ("killed-after", "answers-lost")  # what is killed before a call was killed after the one before it


@pytest.mark.parametrize(("phase", "kind"), [(phase, kind) for phase in PHASES for kind in KINDS if kind in EVERYWHERE or phase == "seal"])
def test_a_death_anywhere_changes_nothing(system: System, phase: str, kind: Kind) -> None:
    """§6.1: every AWS call × every kind of fault, then the retry as the real trigger makes it; nobody loses anything, and nothing is left."""
    system.cloud.backwards = False
    story = Story(system)
    prepare(story, phase, "watched")
    with system.cloud.watch() as calls:
        act(story, phase, "watched")
    assert sum(call.function in OWN for call in calls) > 1
    names = ["watched"]
    for k in range(len(calls)):
        names.append(f"case {k}")
        prepare(story, phase, names[-1])
        with system.cloud.fault(kind, k):
            act(story, phase, names[-1])
        if phase == "create" and not listed(system, name=names[-1]).json():
            assert create(system, name=names[-1], duration=3600).status == 200, "nothing was made, and the name is free"
        system.skip(1)
        story.put()
    for later in (300, 4000, 300):  # those that were scheduled run; then they are over
        system.skip(later)
        story.put()
        sweep(system)
    found = {each["name"]: each for each in listed(system).json()}
    if phase == "delete":
        assert found == {}
    else:
        assert list(found) == [f"{name} x" if phase == "edit" else name for name in names]
    for done in found.values():
        capture = store.read(system.acme.id, done["id"])
        assert done["status"] == "DONE", done
        assert held(system, done) == story.expected(capture.begins, capture.ends or 0), done
        assert held(system, done), done
    sweep(system)
    assert len(system.objects(prefix="captures/")) == len(found), "the metrics of each are kept"
    for done in found.values():
        assert delete(system, done["id"]).status == 200
    quiet(system)
    assert left(system) == []


@pytest.mark.parametrize("phase", ["create", "edit", "stop", "delete"])
def test_an_answer_of_aws_that_is_lost_once_is_not_noticed(system: System, phase: str) -> None:
    """§6.1: botocore sends the call again, and the store sees its own write in the way."""
    story = Story(system)
    asks: dict[str, Callable[[str], Any]] = {
        "create": lambda name: create(system, name=name),
        "edit": lambda name: edit(system, story.made, name=name + " x", duration=600),
        "stop": lambda _: stop(system, story.made),
        "delete": lambda _: delete(system, story.made),
    }
    for k in range(30):
        prepare(story, phase, f"case {k}")
        with system.cloud.fault("answer-lost", k) as fault:
            answer = asks[phase](f"case {k}")
        assert answer.status == 200, (k, answer)
        if not fault.happened:
            assert k > 1
            return
        deliver(system)
    raise AssertionError("it never ends")


# Two at once --------------------------------------------------------------------------------------------------------------------------


def in_every_gap(system: System, calm: Callable[[], Any], other: Callable[[], Any], check: Callable[[int], None]) -> None:
    """`other` runs completely just before the k-th call of `calm`, for every k."""
    for k in range(60):
        ran: list[bool] = []

        def between() -> None:
            ran.append(True)  # noqa: B023 - it runs within its own round
            other()

        with system.cloud.between(k, between):
            calm()
        if not ran:
            assert k, "it makes no call"
            return
        check(k)
    raise AssertionError("it never ends")


class Pair:
    """A capture that two operations meet at; what they were answered, and what must be so when all is quiet."""

    def __init__(self, system: System, before: str) -> None:
        self.system, self.before = system, before
        self.answers: dict[str, int] = {}
        self.made = 0
        self.count = 0

    def begin(self) -> None:
        """A new capture, and an event on each side of its window."""
        self.count += 1
        self.answers = {}
        system = self.system
        self.name = f"pair {self.count}"
        put(system, system.acme, record("before"))
        system.skip(1)
        if self.before == "MADE":
            self.made = created(system, name=self.name, scheduledStart=at(system, 3600), duration=600)["id"]
            lose(system)
        elif self.before == "SCHEDULED":
            self.made = created(system, name=self.name, scheduledStart=at(system, 61), duration=600)["id"]
            deliver(system)
            lose(system)
            system.skip(61)
        elif self.before == "STARTED":
            self.made = created(system, name=self.name, duration=600)["id"]
            lose(system)
        else:
            self.made = running(system, name=self.name, duration=600)
        put(system, system.acme, record("within"))
        system.skip(10)
        if self.before == "ENDED":
            system.skip(600)
        if self.before in ("STOPPING", "DONE"):
            stop(system, self.made)
            if self.before == "DONE":
                deliver(system)
                system.skip(300)

    def do(self, operation: str) -> None:
        """One of the two."""
        system, made = self.system, self.made
        if operation == "bell":
            ring(system, made)
        elif operation == "stop":
            self.answers[operation] = stop(system, made).status
        elif operation == "rename":
            self.answers[operation] = edit(system, made, name=f"{self.name} x").status
        elif operation == "rename again":
            self.answers[operation] = edit(system, made, name=f"{self.name} y").status
        elif operation == "move":
            self.answers[operation] = edit(system, made, duration=60).status
        elif operation == "metrics":
            self.answers[operation] = read(system, made, "/metrics").status
        else:  # and it is cleaned up after at once: who is still at work must not leave anything
            self.answers[operation] = delete(system, made).status
            deliver(system)

    def check(self, k: int) -> None:
        """Legal, and as if one had come after the other."""
        system, answers = self.system, self.answers
        where = (self.before, k, answers)
        assert all(status in (200, 404, 409, 501) for status in answers.values()), where
        deliver(system)
        system.skip(700)
        sweep(system, 3)
        if answers.get("delete") == 200:
            assert read(system, self.made).status == 404, where
        else:
            done = shown(system, self.made)
            assert done["status"] == "DONE", where
            assert held(system, done) == ["within"], where
            names = {f"{self.name} x": "rename", f"{self.name} y": "rename again"}
            if done["name"] in names:
                assert answers[names[done["name"]]] == 200, where
            else:
                assert not {"rename", "rename again"} & {name for name, status in answers.items() if status == 200}, where
            assert delete(system, self.made).status == 200
        quiet(system)
        assert left(system) == [], where
        self.begin()


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        ("MADE", "bell", "delete"),
        ("SCHEDULED", "bell", "bell"),
        ("SCHEDULED", "bell", "delete"),
        ("SCHEDULED", "bell", "move"),
        ("SCHEDULED", "delete", "bell"),
        ("SCHEDULED", "move", "bell"),
        ("STARTED", "bell", "stop"),
        ("STARTED", "bell", "delete"),
        ("STARTED", "delete", "bell"),
        ("RUNNING", "stop", "stop"),
        ("RUNNING", "stop", "rename"),
        ("RUNNING", "rename", "stop"),
        ("RUNNING", "rename", "rename again"),
        ("RUNNING", "stop", "delete"),
        ("RUNNING", "delete", "stop"),
        ("RUNNING", "metrics", "delete"),
        ("ENDED", "bell", "stop"),
        ("ENDED", "stop", "bell"),
        ("ENDED", "bell", "bell"),
        ("ENDED", "bell", "delete"),
        ("ENDED", "delete", "bell"),
        ("STOPPING", "bell", "bell"),
        ("STOPPING", "bell", "rename"),
        ("STOPPING", "bell", "delete"),
        ("STOPPING", "delete", "bell"),
        ("STOPPING", "metrics", "bell"),
        ("DONE", "bell", "delete"),
        ("DONE", "bell", "rename"),
        ("DONE", "delete", "bell"),
        ("DONE", "metrics", "delete"),
    ],
)
def test_two_at_once_are_as_if_one_had_come_after_the_other(system: System, before: str, first: str, second: str) -> None:
    """F15: stop × bell, edit × fire, delete × start, delete × metrics …: the one runs completely at each call of the other."""
    pair = Pair(system, before)
    pair.begin()
    in_every_gap(system, lambda: pair.do(first), lambda: pair.do(second), pair.check)


# Trouble ------------------------------------------------------------------------------------------------------------------------------


def test_a_step_that_fails_for_an_hour_fails_the_capture_and_says_why(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = created(system)["id"]

    def refuse(*_: Any) -> Any:
        raise events.Overtaken

    monkeypatch.setattr(spans, "place_of", refuse)
    for _ in range(PATIENCE // 300_000):
        deliver(system)
        assert shown(system, made)["status"] == "STARTING"
        sweep(system)
    failed = shown(system, made)
    assert (failed["status"], failed["reason"]) == ("FAILED", "STARTING has not succeeded for an hour: Overtaken")
    assert (failed["start"], failed["end"], failed["collectionId"]) == (None, None, None)
    deliver(system)
    assert left(system) == [f"CAPTURE#1 {made:010d}", "CAPTURE#1 NAME#1#the rush"], "it holds on to nothing"
    delete(system, made)
    settle(system)
    assert left(system) == []


def test_a_step_that_fails_for_less_than_an_hour_does_not(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = created(system)["id"]
    began = at(system)
    with monkeypatch.context() as patch:
        patch.setattr(spans, "place_of", lambda *_: [][0])
        for _ in range(PATIENCE // 300_000 - 1):
            deliver(system)
            sweep(system)
    sweep(system)
    assert (shown(system, made)["status"], shown(system, made)["start"]) == ("RUNNING", began)
    assert store.read(system.acme.id, made).troubled_at is None


def test_bells_that_cannot_be_set_do_not_keep_a_capture_from_beginning(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = created(system, scheduledStart=at(system, 7200))["id"]
    began = at(system, 7200)
    with monkeypatch.context() as patch:
        patch.setattr("tapedeck.captures.bells.set_for", lambda *_: [][0])
        for _ in range(24):
            sweep(system)
    sweep(system)
    assert (shown(system, made)["status"], shown(system, made)["start"]) == ("RUNNING", began)
