"""Schedules of two things at once: what is done while a person is erased, at which call the one comes into the other, and what fails when.

A schedule is run to its end as the world would: the client sends again, the bell is delivered again, the sweeper rings, the janitors
come. Then nothing of the person may be there, and of everybody else everything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from tests.deletion_jobs.asking import dump, erase, job, look_after, receipt, work
from tests.harness import System, agent, envelopes
from tests.harness.cloud import Kind
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url, send

# How many schedules of each case are played, in equal steps through all there are; "all" takes an hour.
MOST = os.environ.get("TAPEDECK_SCHEDULES", "8")
FAULTS: tuple[Kind, ...] = ("killed-before", "killed-after", "answers-lost")
PAD = "x" * 9000  # more than a chunk's row holds: its body lies in the bucket


@dataclass
class Person:
    """Somebody who is to be erased: everything of theirs carries their id."""

    id: str
    replay: str = field(default_factory=envelopes.new_id)
    sent: int = 0


@dataclass(frozen=True)
class Case:
    """What was there before, and what is done at the time of the erasure."""

    before: Callable[[System, Person], Any]
    meanwhile: Callable[[System, Person], Response]


def _segment(person: Person, number: int, at: float, **fields: Any) -> bytes:
    told = {"tags": {"who": person.id}, "urls": [f"/of/{person.id}"], "events": [{"secret": person.id, "n": number}], **fields}
    return envelopes.segment(person.replay, number, at=at, started=at - 10, **told)


def _put(number: int, *, anonymous: bool = False) -> Callable[[System, Person], Response]:
    def put(system: System, person: Person) -> Response:
        user = {"user": None} if anonymous else {"user": {"id": person.id}}
        return send(system, system.acme.web, _segment(person, number, system.now - 1, **user))

    return put


def _nothing(_system: System, _person: Person) -> None:
    """Nothing was there."""


def _events(system: System, person: Person, *, pad: str = "") -> Response:
    person.sent += 1
    said = {**agent.record("did", of=person.id, n=person.sent, pad=pad), "user": person.id}
    return agent.ingest(system, system.acme, [said, {**agent.record("did", n=person.sent), "user": "bystander"}], headers=_once(person))


def _once(person: Person) -> dict[str, str]:
    return {"Idempotency-Key": f"{person.id}-{person.sent}"}


def _large_events(system: System, person: Person) -> Response:
    return _events(system, person, pad=agent.noise(person.sent, 3 * len(PAD)))


def _compact(system: System, _person: Person) -> Response:
    system.invoke("bucket_events/merge_chunks")
    return Response(200, {}, b"")


def _many_events(system: System, person: Person) -> None:
    for _ in range(8):
        _events(system, person)


def _events_behind_others(system: System, person: Person) -> None:
    for n in range(7):
        agent.put(system, system.acme, {**agent.record("did", n=n, before=person.id.partition("@")[0][-3:]), "user": "bystander"})
    _events(system, person)


def _delete(rest: str, method: str) -> Callable[[System, Person], Response]:
    def act(system: System, person: Person) -> Response:
        url = replay_url(system.acme, system.acme.web, person.replay, rest)
        answer = system.request(method, url, token=system.acme.token("owner"))
        return Response(200, {}, b"") if answer.status in (204, 404) else answer

    return act


def _empty_bucket(system: System, _person: Person) -> Response:
    return system.request("DELETE", agent.bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token("owner"))


def _link(system: System, person: Person) -> Response:
    return send(system, system.acme.web, envelopes.error_event(person.replay, at=system.now - 1))


CASES: dict[str, Case] = {
    "a first segment": Case(_nothing, _put(0)),
    "a later segment": Case(_put(0), _put(1)),
    "a later segment of nobody": Case(_put(0), _put(1, anonymous=True)),
    "a segment that tells who it was": Case(_put(0, anonymous=True), _put(1)),
    "an error in a replay": Case(_put(0), _link),
    "a view": Case(_put(0), _delete("viewed-by/", "POST")),
    "a deletion of the replay": Case(_put(0), _delete("", "DELETE")),
    "events": Case(_nothing, _events),
    "more events, large": Case(_large_events, _large_events),
    "a merge of chunks": Case(_many_events, _compact),
    "a merge that moves a chunk": Case(_events_behind_others, _compact),
    "an emptied bucket": Case(_events, _empty_bucket),
}


@dataclass(frozen=True)
class Schedule:
    """Which of the two is interrupted by the other, before which of its calls; and what happens at which call of both."""

    outer: str
    at: int
    fault: Kind | None = None
    fault_at: int = 0


@dataclass
class Theatre:
    """A world in which schedules are played, one person each; `audit` looks at all of them in the end."""

    system: System
    case: Case
    jobs: list[int] = field(default_factory=list)
    played: int = 0

    def person(self) -> Person:
        """Somebody new, of whom there is what the case wants."""
        self.played += 1
        made = Person(f"erase-me-{self.played}@example.com")
        self.case.before(self.system, made)
        return made

    def count(self) -> tuple[int, int]:
        """(calls of what is done meanwhile, calls of the erasure) when neither meets the other."""
        person = self.person()
        with self.system.cloud.watch() as own:
            self.case.meanwhile(self.system, person)
        made = erase(self.system, person.id)["jobId"]
        with self.system.cloud.watch() as workers:
            work(self.system, made)
        self._finish(made)
        return len(own), len(workers)

    def play(self, schedule: Schedule) -> None:
        """One schedule, and what follows."""
        system, person = self.system, self.person()
        made: int = erase(system, person.id)["jobId"]
        answers: list[Response] = []
        sent = person.sent

        def meanwhile() -> None:
            person.sent = sent
            answers.append(self.case.meanwhile(system, person))

        def erasing() -> None:
            work(system, made)

        outer, inner = (meanwhile, erasing) if schedule.outer == "meanwhile" else (erasing, meanwhile)
        failing = system.cloud.fault(schedule.fault, schedule.fault_at) if schedule.fault else nullcontext()
        with failing, system.cloud.between(schedule.at, inner):
            outer()
        for _ in range(3):
            if answers and answers[-1].status == 200:
                break
            meanwhile()
        assert answers[-1].status == 200, (schedule, answers)
        self._finish(made, schedule)

    def schedules(self) -> list[Schedule]:
        """The erasure at every place of what goes on; then, evenly chosen, what goes on at places of the erasure, and both with faults."""
        own, workers = self.count()
        places = [("meanwhile", at) for at in range(own)] + [("erasing", at) for at in range(workers)]
        others = [Schedule(outer, at) for outer, at in places[own:]]
        pairs = [Schedule(outer, at, kind, k) for outer, at in places for kind in FAULTS for k in range(own + workers)]
        return [*(Schedule(outer, at) for outer, at in places[:own]), *_some(others), *_some(pairs)]

    def audit(self) -> None:
        """Nothing of anybody who was erased is anywhere but in the jobs that name them; others have all that they had."""
        system = self.system
        system.skip(1200)
        for janitor in ("session_replays/sweep_orphans", "bucket_events/sweep_events", "bucket_events/merge_chunks"):
            system.invoke(janitor)
        look_after(system, times=1)
        jobs = [item for item in system.items("ControlTable") if item["sk"]["S"].startswith("J#1#")]
        named = sum(bytes(item["d"]["B"]).count(b"erase-me-") * 2 for item in jobs)  # told once as bytes, once as text
        text = dump(system)
        assert text.count("erase-me-") == named, text[text.index("erase-me-") - 500 :][:1500]
        rows = {item["object_key"]["S"] for item in system.items("ReplaysTable") if "object_key" in item}
        assert rows == set(system.objects(prefix="rec/")), "objects without rows, or rows without objects"

    def _finish(self, made: int, schedule: Schedule | None = None) -> None:
        look_after(self.system, times=1)
        if job(self.system, made)["status"] != "completed":
            look_after(self.system, times=3)
        told = job(self.system, made)
        assert told["status"] == "completed", (schedule, told)
        assert receipt(self.system, made)["verified_absent"]
        self.jobs.append(made)


def _some(schedules: Sequence[Schedule]) -> Sequence[Schedule]:
    step = 1 if MOST == "all" else max(1, 2 * len(schedules) // int(MOST)) | 1  # odd, so that it goes through every kind of fault
    return schedules[::step]


def bystander(system: System) -> Callable[[], None]:
    """Somebody else, with recordings and events; the answer checks that they have every byte of it."""
    acme = system.acme
    replay_id = record(system, acme.web, segments=3, user={"id": "bystander"}, tags={"who": "bystander"})
    agent.put(system, acme, *({**agent.record("was", n=n), "user": "bystander"} for n in range(20)))
    url = replay_url(acme, acme.web, replay_id)

    def seen() -> list[Any]:
        asked = [(url, {}), (url + "recording-segments/", {"download": ""})]
        answers = [system.request("GET", path, query=query, token=acme.token("member")) for path, query in asked]
        return [*(answer.json() for answer in answers), agent.events(system, acme, "was"), agent.histogram(system, acme, "was").json()]

    before = seen()
    recordings = {key: body for key, body in system.objects(prefix="rec/").items() if replay_id in key}

    def check() -> None:
        assert seen() == before
        assert {key: body for key, body in system.objects(prefix="rec/").items() if replay_id in key} == recordings

    return check
