"""The net has no holes: with any safeguard of docs/erasure.md taken out, the schedules find what is left or comes back (trust.md §6.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tapedeck import objects
from tapedeck.deletion_jobs import store as jobs
from tapedeck.events import erasing as event_erasing
from tapedeck.events import store as events
from tapedeck.session_replays import ingesting
from tapedeck.session_replays import store as replays
from tests.deletion_jobs.asking import erase, look_after, receipt, work
from tests.deletion_jobs.schedules import CASES, Schedule, Theatre
from tests.harness import System, envelopes
from tests.harness.sdk import record, send

Patch = pytest.MonkeyPatch


def no_tombstone_at_commit(patch: Patch) -> None:
    """M1: an ingest that looked before the erasure commits after it."""
    patch.setattr(replays, "guards_of", lambda *_: [])


def tombstone_last(patch: Patch) -> None:
    """M3: what comes while the person is being erased stays."""
    end, bury = jobs.end, jobs._bury
    patch.setattr(jobs, "begin", lambda job, worker: jobs._saved(job, replace(job, status="running", until=jobs.clock.now(), attempts=1)))
    patch.setattr(jobs, "end", lambda job, over: (jobs.aws.client("dynamodb").put_item(**bury(job, job.until)["Put"]), end(job, over))[1])


def no_tombstone_of_the_replay(patch: Patch) -> None:
    """Decision 27: a late segment without a user brings an erased replay back."""
    patch.setattr(replays, "seals", lambda held: _seals(held)[1:])


_seals = replays.seals


def gone_rows_come_back(patch: Patch) -> None:
    """A view that read a row before it was erased writes it again."""

    def still(known: int) -> dict[str, Any]:
        either = "attribute_not_exists(pk) OR v = :known"
        return {"ConditionExpression": either, "ExpressionAttributeValues": {":known": {"N": str(known)}}}

    patch.setattr(replays, "_still", still)


def refusals_are_not_noted(patch: Patch) -> None:
    """What came without a user before a segment told whose it was stays."""
    patch.setattr(ingesting, "_refused", lambda *_: None)


def no_bump_of_erasures(patch: Patch) -> None:
    """Events that were prepared before the erasure are committed after it."""
    patch.setattr(events, "note_erasure", lambda _: None)


def no_condition_on_what_is_merged(patch: Patch) -> None:
    """A merge that read the parts before they were rewritten puts the erased events back."""
    always = {"ConditionExpression": "n <> :never", "ExpressionAttributeValues": {":never": {"N": "-1"}}}
    patch.setattr(events, "_unchanged", lambda _: always)


def no_second_look_at_owners(patch: Patch) -> None:
    """A chunk that was merged between the look at its owners and the look at it is taken for nobody's."""
    look = events.chunks_with_user

    def once(*asked: Any) -> Any:
        try:
            return look(*asked)
        except events.Overtaken:
            return []

    patch.setattr(events, "chunks_with_user", once)


def a_job_forgets_its_page(patch: Patch) -> None:
    """M6's cousin: who takes up a dead worker's job does not finish the page that was sealed."""
    patch.setattr(jobs, "take", lambda job, worker: replace(_take(job, worker), page=None))


_take = jobs.take


MUTANTS: list[tuple[Callable[[Patch], None], str, str]] = [
    (no_tombstone_at_commit, "a first segment", "meanwhile"),
    (tombstone_last, "a first segment", "erasing"),
    (no_tombstone_of_the_replay, "a later segment of nobody", "meanwhile"),
    (gone_rows_come_back, "a view", "meanwhile"),
    (refusals_are_not_noted, "a segment that tells who it was", "meanwhile"),
    (no_bump_of_erasures, "events", "meanwhile"),
    (no_condition_on_what_is_merged, "a merge of chunks", "meanwhile"),
    (no_second_look_at_owners, "a merge that moves a chunk", "erasing"),
]


@pytest.mark.parametrize(("mutant", "case", "outer"), MUTANTS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_safeguard_that_is_taken_out_is_missed(
    system: System, monkeypatch: Patch, mutant: Callable[[Patch], None], case: str, outer: str
) -> None:
    theatre = Theatre(system, CASES[case])
    own, workers = theatre.count()
    theatre.audit()  # whole as it is
    mutant(monkeypatch)
    with pytest.raises(AssertionError):
        _play_all(theatre, outer, own, workers)


def _play_all(theatre: Theatre, outer: str, own: int, workers: int) -> None:
    for at in range(own if outer == "meanwhile" else workers):
        theatre.play(Schedule(outer, at))
        theatre.audit()


_rewritten = event_erasing._rewritten


def _once_is_enough(*asked: Any) -> bool:
    return _rewritten(*asked) or True


def _old_replay_and_a_worker_that_dies(system: System, patch: Patch) -> dict[str, bytes]:
    """Recordings older than what the janitor looks through; the worker dies at every one of its calls. What is left of them?"""
    left: dict[str, bytes] = {}
    for k in range(10, 26):
        record(system, system.acme.web, segments=2, user={"id": f"u{k}"})
    system.skip(6 * 3600)
    for k in range(10, 26):
        made = erase(system, f"u{k}")["jobId"]
        with system.cloud.fault("killed-after", k):
            work(system, made)
        look_after(system, times=1)
    system.skip(1200)
    system.invoke("session_replays/sweep_orphans")
    left.update(system.objects(prefix="rec/"))
    return left


def test_objects_go_before_rows(system: System, monkeypatch: Patch) -> None:
    """M6: with the rows gone first, nobody knows the objects of a worker that died in between."""
    assert _old_replay_and_a_worker_that_dies(system, monkeypatch) == {}
    delete_many, delete_rows = objects.delete_many, replays.delete_rows
    waiting: list[list[str]] = []
    monkeypatch.setattr(objects, "delete_many", lambda keys: waiting.__setitem__(slice(None), [list(keys)]))

    def rows_first(keys: Any) -> None:
        delete_rows(keys)
        while waiting and any(key["sk"]["S"] == "M" for key in keys):
            delete_many(waiting.pop())

    monkeypatch.setattr(replays, "delete_rows", rows_first)
    assert _old_replay_and_a_worker_that_dies(system, monkeypatch) != {}


def test_what_a_dead_ingest_left_and_nobody_sends_again_is_the_janitors(system: System) -> None:
    """M4: an object that was put and never committed, by a client that never came back."""
    erase(system, "ann")
    system.drain()
    send(system, system.acme.web, b"{}\n")  # a container that has served before
    with system.cloud.fault("killed-after", 0):
        send(system, system.acme.web, envelopes.segment(envelopes.new_id(), user={"id": "ann"}, started=system.now - 5))
    assert len(system.objects(prefix="rec/")) == 1, "no row names it: no reader finds it"
    system.skip(20 * 60)
    system.invoke("session_replays/sweep_orphans")
    assert system.objects(prefix="rec/") == {}


def test_a_page_is_finished_by_who_takes_the_job_up(system: System, monkeypatch: Patch) -> None:
    """Taken out, the page is found again by its rows, for as long as there are any, and what is counted is counted twice."""
    mutant_counts = []
    for mutated in (False, True):
        if mutated:
            a_job_forgets_its_page(monkeypatch)
        totals = []
        for k in range(12, 28, 2):
            user = f"{mutated}{k}"
            record(system, system.acme.web, segments=2, user={"id": user})
            made = erase(system, user)["jobId"]
            with system.cloud.fault("killed-after", k):
                work(system, made)
            look_after(system, times=1)
            totals.append(receipt(system, made)["counts"]["sessions"])
        mutant_counts.append(set(totals))
    assert mutant_counts[0] == {1}
    assert mutant_counts[1] > {1}


def test_one_round_of_a_page_of_events_would_be_counted_twice(system: System, monkeypatch: Patch) -> None:
    """A rewrite that loses against a merge is tried again within its page; without that the next page finds the same events."""
    counts = []
    for mutated in (False, True):
        theatre = Theatre(system, CASES["a merge of chunks"])
        theatre.played = 100 * mutated
        if mutated:
            monkeypatch.setattr(event_erasing, "_rewritten", _once_is_enough)
        for at in range(24, 32):
            theatre.play(Schedule("erasing", at))
        counts.append({receipt(system, made)["counts"]["events"] for made in theatre.jobs})
    assert counts[0] == {8}
    assert counts[1] > {8}
