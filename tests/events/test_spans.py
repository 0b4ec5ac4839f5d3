"""Windows of receive time as two numbers: fences, places, pins, and chunks that are rewritten while others merge or sweep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapedeck.events import batching, chunks, compacting, pins, spans, store
from tapedeck.events.pins import Pin
from tapedeck.events.spans import Place, Span
from tapedeck.events.store import CollectionId
from tests.harness import System
from tests.harness.agent import bucket_url, ingest, noise, put, record


def bucket(system: System) -> CollectionId:
    return CollectionId(system.acme.id, system.acme.web.collection_id)


def theirs(user: str, **said: Any) -> dict[str, Any]:
    return {**record(**said), "user": user}


def now(system: System) -> int:
    return int(system.now * 1000)


def read(span: Span) -> list[tuple[int, str]]:
    """(number, id) of every event of a span."""
    return [
        (number, chunks.event_of(line).id)
        for chunk in spans.chunks_of(span)
        for number, line in chunks.numbered(chunks.lines(store.body(chunk)), chunk.first)
        if span.first <= number and (span.end is None or number < span.end)
    ]


def delete_all(system: System) -> None:
    assert system.request("DELETE", bucket_url(system.acme.web, "/data/events/delete_all"), token=system.acme.token("owner")).status == 200


def merge_all(collection: CollectionId) -> None:
    while compacting.merge_once(collection, store.head_of(collection).generation):
        pass


def test_nothing_is_committed_with_a_time_before_a_fence(system: System) -> None:
    """A request that had its time and not yet its number when the fence came is timed anew, behind the fence."""
    put(system, system.acme, record("paid"))  # its container knows the head
    fenced: list[int] = []

    def fence() -> None:
        system.now += 10
        fenced.append(now(system))
        store.fence(bucket(system), now(system))
        system.now -= 10

    with system.cloud.between(0, _outside(system, fence)):
        ingest(system, system.acme, record("paid"))
    first, second = spans.chunks_of(Span(bucket(system)))
    assert first.received_last < fenced[0] <= second.received
    assert spans.place_of(bucket(system), fenced[0]) == Place(1, 0)


def test_a_fence_is_one_write_and_none_where_time_has_gone_on(system: System) -> None:
    collection = bucket(system)
    assert store.fence(collection, 5).received == 5
    before = system.items("EventsTable")
    assert store.fence(collection, 5) == store.fence(collection, 4)
    assert system.items("EventsTable") == before


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["put", "two", "wait", "merge", "delete", "fence"]), max_size=14), st.data())
def test_a_place_divides_what_came_before_from_what_came_after(steps: list[str], data: st.DataObject) -> None:
    with System(Stage="staging") as system:
        collection, received, marks = bucket(system), list[int](), [now(system)]
        pins.pin(collection, "all", Pin(0))
        actions: dict[str, Callable[[], object]] = {
            "put": lambda: received.extend([now(system)] * len(put(system, system.acme, record(n=len(received))))),
            "two": lambda: received.extend([now(system)] * len(put(system, system.acme, record(n=len(received)), record()))),
            "wait": lambda: system.skip(1),
            "merge": lambda: [store.steadily(lambda: _merge_two(collection)) for _ in range(2)],
            "delete": lambda: delete_all(system),
            "fence": lambda: store.fence(collection, now(system)),
        }
        for step in steps:
            actions[step]()
            marks.append(now(system))
        at = data.draw(st.sampled_from(marks))
        place = spans.place_of(collection, at)
        assert place.number == sum(1 for time in received if time < at)
        whole = Span(collection, place.number, len(received), (place.generation, store.head_of(collection).generation))
        assert [number for number, _ in read(whole)] == list(range(place.number, len(received)))


def _merge_two(collection: CollectionId) -> None:
    run = list(store.oldest_first(collection, store.head_of(collection).generation))[:2]
    if len(run) == 2:
        parts = [(chunk, store.body(chunk), store.owners_of(collection, chunk)) for chunk in run]
        assert store.merge(collection, run, batching.merged(parts))


def _outside(system: System, action: Callable[[], None]) -> Callable[[], None]:
    """An action of somebody who is not the function under way."""

    def run() -> None:
        caller, system.cloud.function = system.cloud.function, None
        action()
        system.cloud.function = caller

    return run


# --- Pins ---------------------------------------------------------------------------------------------------------------------------------


def test_what_is_pinned_stays_when_its_bucket_is_emptied_and_goes_with_its_pin(system: System) -> None:
    """Decision 20: delete_all clears the bucket's live events; what a capture holds stays."""
    collection = bucket(system)
    for n in range(8):  # one second each: merged into one chunk, of which seconds 3 to 5 are pinned
        put(system, system.acme, record(n=n))
        system.skip(1)
    start = now(system) - 8000
    pins.pin(collection, "mine", Pin(start + 3000, start + 6000))
    merge_all(collection)
    delete_all(system)
    put(system, system.acme, record("after"))
    system.skip(120)
    system.invoke("bucket_events/sweep_events")
    assert [number for number, _ in read(Span(collection, 0, 8, (0, 0)))] == [3, 4, 5], "nobody else's events are kept with them"
    assert [number for number, _ in read(Span(collection))] == [8]
    assert len(system.objects(prefix="ev/")) <= 1
    pins.unpin(collection, "mine")
    system.invoke("bucket_events/sweep_events")
    assert read(Span(collection, 0, 8, (0, 0))) == []
    kinds = {item["pk"]["S"][0] + item["sk"]["S"][0] for item in system.items("EventsTable")}
    assert kinds <= {"CH", "CC", "I" + "0"} | {kind for kind in kinds if kind[0] == "I"}, "no row of the old generation is left"


def test_old_generations_of_which_something_stays_are_looked_at_every_day(system: System) -> None:
    collection = bucket(system)
    put(system, system.acme, record())
    pins.pin(collection, "mine", Pin(0))
    delete_all(system)
    system.skip(120)
    system.invoke("bucket_events/sweep_events")
    assert len(read(Span(collection, 0, 1, (0, 0)))) == 1
    for item in system.items("EventsTable"):  # the pin is lost, as after a crash between the two halves of an unpin
        if item["pk"]["S"].startswith("P#"):
            key = {name: item[name] for name in ("pk", "sk")}
            system.client("dynamodb").delete_item(TableName=system.template.physical_id("EventsTable"), Key=key)
    system.invoke("bucket_events/sweep_events")
    assert len(read(Span(collection, 0, 1, (0, 0)))) == 1
    system.skip(compacting.LOOK_AGAIN)
    system.invoke("bucket_events/sweep_events")
    assert read(Span(collection, 0, 1, (0, 0))) == []


# --- Rewriting ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", noise(1) * 40], ids=["inline", "in the bucket"])
def test_a_chunk_is_rewritten_under_the_same_numbers(system: System, text: str) -> None:
    collection = bucket(system)
    wanted = put(system, system.acme, *(theirs(f"u{n % 2}", text=text + str(n)) for n in range(6)))
    [chunk] = store.chunks_with_user(collection, "u1")
    batch, gone = batching.without(store.body(chunk), lambda _, line: chunks.event_of(line).user == "u1")
    assert (gone, batch is None) == (3, False)
    assert store.rewrite(collection, chunk, batch)
    assert read(Span(collection)) == [(n, wanted[n]) for n in (0, 2, 4)]
    assert not list(store.chunks_with_user(collection, "u1"))
    assert [each.first for each in store.chunks_with_user(collection, "u0")] == [0]
    assert not store.rewrite(collection, chunk, batch), "who read it before it was rewritten comes too late"
    rows = [item for item in system.items("EventsTable") if item["sk"]["S"].startswith("C#") and item["pk"]["S"].startswith("C#")]
    assert {row["object_key"]["S"] for row in rows if "object_key" in row} == set(system.objects(prefix="ev/"))


def test_a_merge_that_has_read_what_was_erased_fails(system: System) -> None:
    collection = bucket(system)
    for n in range(8):
        put(system, system.acme, theirs(f"u{n}", n=n))
    run = list(store.oldest_first(collection, 0))
    stale = batching.merged([(chunk, store.body(chunk), store.owners_of(collection, chunk)) for chunk in run])
    [chunk] = store.chunks_with_user(collection, "u3")
    batch, _ = batching.without(store.body(chunk), lambda *_: True)
    assert store.rewrite(collection, chunk, batch)
    assert not store.merge(collection, run, stale)
    merge_all(collection)
    assert [number for number, _ in read(Span(collection))] == [0, 1, 2, 4, 5, 6, 7]
    [whole] = store.oldest_first(collection, 0)
    assert (whole.first, whole.end) == (0, 8)
    for n in range(8):
        assert len(list(store.chunks_with_user(collection, f"u{n}"))) == (n != 3)


def test_a_request_that_was_under_way_looks_at_the_tombstones_again(system: System) -> None:
    """architecture.md §4: what is erased cannot come back by a commit that looked before the tombstone was there."""
    from tapedeck import tombstones

    web, collection = system.acme.web, bucket(system)

    def erase() -> None:
        row = {
            "pk": {"S": tombstones.partition(system.acme.id, web.project_id)},
            "sk": {"S": tombstones.of_user("gone")},
            "until": {"N": repr(system.now)},
        }
        system.client("dynamodb").put_item(TableName=system.template.physical_id("ControlTable"), Item=row)
        store.note_erasure(collection)

    system.acme.token("member")
    put(system, system.acme, record("warm"))
    with system.cloud.between(0, _outside(system, erase)):
        ids = put(system, system.acme, theirs("gone"), theirs("here"), theirs("gone", at=system.now + 60))
    assert len(ids) == 3, "refused after the 200"
    assert read(Span(collection))[1:] == [(2, ids[1]), (3, ids[2])], "who comes back later is somebody again"
    assert [number for number, _ in read(Span(collection, 1, 2))] == []
