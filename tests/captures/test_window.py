"""What a capture holds: every event accepted in [start, end) by the server's receive time, and no other (product.md §1, decisions 20, 23)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapedeck.captures import store
from tapedeck.events import chunks, compacting
from tapedeck.events import store as events
from tests.captures.happening import Story, bucket, deliver, empty, held, lose, merge, quiet, ring, sweep
from tests.captures.test_create_capture import at, created, running, shown
from tests.captures.test_delete_capture import delete
from tests.captures.test_edit_capture import edit
from tests.captures.test_stop_capture import stop
from tests.harness import System
from tests.harness.agent import put, record

# What happens, and how many ms later: events come, the bucket is emptied, chunks are merged, old generations swept, a bell rings.
_HAPPENINGS = st.lists(
    st.tuples(st.integers(0, 40_000), st.sampled_from(["put", "put", "put", "many", "empty", "merge", "sweep", "bell"])),
    min_size=4,
    max_size=24,
)


@given(happenings=_HAPPENINGS, start=st.integers(60_001, 200_000), duration=st.integers(60, 300), late=st.sampled_from([0, 5, 400]))
@settings(max_examples=8, suppress_health_check=list(HealthCheck))
def test_a_window_holds_what_was_received_in_it(happenings: list[tuple[int, str]], start: int, duration: int, late: int) -> None:
    """Whatever comes and goes meanwhile: in the middle of chunks, with the bucket emptied, chunks merged and generations swept."""
    with System(Stage="staging") as system:
        story = Story(system)
        begins = int(system.now * 1000) + start
        ends = begins + duration * 1000
        story.made = created(system, scheduledStart=at(system, start / 1000), duration=duration)["id"]
        deliver(system)
        lose(system)
        edges = [(begins - 1, "put"), (begins, "put"), (ends - 1, "put"), (ends, "put"), (ends + late * 1000, "bell")]
        moment = int(system.now * 1000)
        for gap, what in happenings:
            moment += gap
            edges.append((moment, what))
        for moment, what in sorted(edges, key=lambda each: each[0]):
            system.skip(max(0.0, moment / 1000 - system.now))
            story.happen(what)
        sweep(system, 2)
        done = shown(system, story.made)
        assert done["status"] == "DONE"
        assert held(system, done) == story.expected(begins, ends)
        empty(system)
        system.skip(events.SWEEP_AFTER)
        compacting.sweep()
        merge(system)
        assert held(system, done) == story.expected(begins, ends), "sealed evidence stays (decision 20)"


@pytest.mark.parametrize("edge", ["start", "end"])
@pytest.mark.parametrize("first", ["request", "worker"])
def test_an_event_that_is_under_way_at_an_edge_is_on_one_side_of_it(system: System, edge: str, first: str) -> None:
    """A request that has its time and not yet its number when the window is closed, or opened, behind it: at every call of either."""
    story = Story(system)
    for k in range(60):
        system.skip(61)
        ran: list[bool] = []
        if edge == "start":
            story.made = created(system, name=f"case {k}", scheduledStart=at(system, 61))["id"]
            deliver(system)
            lose(system)
            system.skip(60.999)
        else:
            story.made = running(system, name=f"case {k}", duration=60)
            system.skip(59.999)
        story.put()

        def turn() -> None:
            system.skip(0.002)
            ring(system, story.made)

        calm, other = (story.put, turn) if first == "request" else (turn, story.put)

        def between() -> None:
            ran.append(True)  # noqa: B023 - it runs within its own round
            other()  # noqa: B023

        with system.cloud.between(k, between):
            calm()
        if not ran:
            assert k, "it makes no call"
            return
        story.put()
        if edge == "start":
            system.skip(1)
            assert stop(system, story.made).status == 200
            deliver(system)
        done = shown(system, story.made)
        capture = store.read(system.acme.id, story.made)
        assert done["status"] == "DONE"
        assert held(system, done) == story.expected(capture.begins, capture.ends or 0), k
        assert len(held(system, done)) >= 1, k
    raise AssertionError("it never ends")


def test_a_bucket_that_is_emptied_at_every_moment_of_a_capture(system: System) -> None:
    """Decision 20: delete_all, and the sweeper after it, at every call of the worker that opens and closes a window."""
    for phase in ("open", "close"):
        for k in range(60):
            system.skip(61)
            ran: list[bool] = []
            put(system, system.acme, record("before"))
            system.skip(1)
            made = created(system, name=f"{phase} {k}")["id"]
            put(system, system.acme, record("within"))
            if phase == "close":
                deliver(system)
                system.skip(1)
                stop(system, made)

            def wipe() -> None:
                ran.append(True)  # noqa: B023 - it runs within its own round
                empty(system)
                system.skip(events.SWEEP_AFTER)
                system.invoke("bucket_events/sweep_events")

            with system.cloud.between(k, wipe):
                ring(system, made)
            if phase == "open":
                system.skip(1)
                assert stop(system, made).status == 200
            put(system, system.acme, record("after"))
            sweep(system)
            assert held(system, shown(system, made)) == ["within"], (phase, k)
            if not ran:
                assert k > 3
                break


def test_a_window_that_is_moved_is_pinned_where_it_is(system: System) -> None:
    """Its start is moved forward, and the bucket is emptied before the old start."""
    made = created(system, scheduledStart=at(system, 7200), duration=600)["id"]
    deliver(system)
    assert edit(system, made, scheduledStart=at(system, 120)).status == 200
    deliver(system)
    lose(system)
    system.skip(121)
    put(system, system.acme, record("within"))
    empty(system)
    system.skip(events.SWEEP_AFTER)
    system.invoke("bucket_events/sweep_events")
    sweep(system, 4)
    assert held(system, shown(system, made)) == ["within"]


def test_what_comes_after_a_window_is_not_kept_by_it(system: System) -> None:
    """A bucket that is emptied is empty but for what is sealed: not a byte of the rest is left, be it in the same chunk."""
    story = Story(system)
    story.put(3)
    system.skip(1)
    story.made = running(system)
    story.put(3)
    system.skip(1)
    stop(system, story.made)
    deliver(system)
    for _ in range(6):
        story.put(3)
    merge(system)
    empty(system)
    system.skip(events.SWEEP_AFTER)
    system.invoke("bucket_events/sweep_events")
    kept = [
        chunks.event_of(line).name
        for chunk in events.backwards(bucket(system))
        for _, line in chunks.numbered(chunks.lines(events.body(chunk)), chunk.first)
    ]
    assert kept == held(system, shown(system, story.made)) == ["e3", "e4", "e5"]


def test_what_only_a_deleted_capture_held_is_swept(system: System) -> None:
    """Its pin goes with it: what was deleted from the bucket meanwhile is then deleted indeed."""
    made = running(system)
    put(system, system.acme, record("within"))
    system.skip(1)
    stop(system, made)
    deliver(system)
    empty(system)
    system.advance(1800)
    assert [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#")]
    assert delete(system, made).status == 200
    quiet(system)
    system.advance(1800)
    assert not [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#")]


@pytest.mark.parametrize("way", ["list", "one"])
def test_a_capture_that_is_done_is_a_collection_like_any_other(system: System, way: str) -> None:
    """product.md §1: sealed, of type `capture`, under its own id; before, there is nothing under it."""
    made = running(system)
    put(system, system.acme, record("within"))
    system.skip(1)
    token = system.acme.token("member")
    read: dict[str, Callable[[], Any]] = {
        "list": lambda: system.request("GET", "/v1/collection", token=token).json(),
        "one": lambda: [system.request("GET", f"/v1/collection/{shown(system, made)['collectionId']}", token=token).json()],
    }
    assert {each.get("type") for each in read["list"]()} == {"live"}
    stop(system, made)
    deliver(system)
    done = shown(system, made)
    [sealed] = [each for each in read[way]() if each["type"] == "capture"]
    assert (sealed["id"], sealed["name"], sealed["environment"], sealed["token"]) == (done["collectionId"], "the rush", "web", None)
    put(system, system.acme, record("after"))
    assert held(system, done) == ["within"]
