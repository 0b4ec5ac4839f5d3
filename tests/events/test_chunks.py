"""Chunks: what goes in comes out, to the byte; lines are lines; merged chunks are the events of all, with their receive times."""

from __future__ import annotations

import json
import random

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.events import chunks
from tapedeck.events.model import Event, Filter

names = st.sampled_from(["a", "b", 'c"', "é\\", '","app":"a'])
blanks = st.text(" \t\r\n", max_size=4)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def written(value: object, blank: str) -> bytes:
    """A value as JSON in some sender's style: with blanks where blanks may be."""
    return blank.join(json.JSONEncoder(ensure_ascii=len(blank) % 2 == 0, separators=(",", ":")).iterencode(value)).encode()


values = st.recursive(
    st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts | st.just("lf"), inner, max_size=3),
    max_leaves=8,
)
data = st.builds(written, values, blanks).map(msgspec.Raw) | st.sampled_from([b'{"lf":[1]}', b"[\n\n]", b'{"name":"a",\n"b":2}']).map(
    msgspec.Raw
)
times = st.integers(0, 5) | st.integers(0, 10**14)
events = st.builds(
    Event,
    id=st.integers(0, 2**96 - 1).map(lambda n: f"{n:024x}"),
    name=names,
    app=names,
    server=names,
    at=times,
    pm_id=st.none() | st.integers(-(2**53), 2**53),
    rev=st.none() | names,
    user=st.none() | texts.filter(bool),
    data=data,
)
batches = st.lists(events, max_size=6)


def told(batch: list[Event], received: int) -> list[tuple[object, ...]]:
    """Everything about events, with their data as bytes."""
    fields = [name for name in Event.__struct_fields__ if name not in ("data", "received")]
    return [(*(getattr(event, name) for name in fields), bytes(event.data), event.received or received) for event in batch]


@given(batches, st.sampled_from([0, 1, 1_700_000_000_123]))
def test_what_goes_in_comes_out_to_the_byte(batch: list[Event], received: int) -> None:
    assert told(chunks.decode(chunks.encode(batch), received=received), 0) == told(batch, received)
    if not received:
        assert chunks.decode(chunks.encode(batch)) == batch
    assert chunks.encode(batch) == chunks.encode(list(batch))


@given(batches)
def test_every_event_is_a_line_of_json_with_its_data_last(batch: list[Event]) -> None:
    """So that a reader can look for bytes, and can parse or forward one line without the others."""
    lines = chunks.lines(chunks.encode(batch))
    assert lines == b"" or lines.endswith(b"\n")
    for line, event in zip(lines.split(b"\n")[:-1], batch, strict=True):
        value = orjson.loads(line)
        assert list(value)[-1] == "data"
        assert value["id"] == event.id
        assert value["data"] == orjson.loads(bytes(event.data))
        assert chunks.event_of(line) == event
        assert b'"data":' + bytes(event.data).replace(b"\n", b" ") + b"}" in line


def test_the_line_of_an_event_is_as_documented() -> None:
    event = Event(
        id="6553f1000123456789000007",
        name="order",
        app="api",
        server="web-1",
        at=1_700_000_000_000,
        user="u1",
        data=msgspec.Raw(b'{"sum": 12.50}'),
    )
    assert event.id
    line = chunks.lines(chunks.encode([event]))
    assert line.decode() == str(chunks.__doc__).split("\n\n")[2].strip() + "\n"


@given(st.lists(st.tuples(batches, st.integers(1, 10**13)), max_size=4))
def test_chunks_that_are_merged_are_the_events_of_all_with_their_receive_times(parts: list[tuple[list[Event], int]]) -> None:
    merged = chunks.concat([(chunks.encode(batch), received) for batch, received in parts])
    expected = [each for batch, received in parts for each in told(batch, received)]
    assert told(chunks.decode(merged, received=7), 0) == expected
    assert told(chunks.decode(chunks.concat([(merged, 9), (merged, 9)])), 0) == expected * 2


@given(batches, st.integers(1, 10**13), st.integers(1, 10**13))
def test_a_line_is_stamped_once(batch: list[Event], first: int, second: int) -> None:
    lines = chunks.lines(chunks.encode(batch))
    stamped = chunks.stamped(lines, first)
    assert chunks.stamped(stamped, second) == stamped
    assert chunks.stamped(lines, 0) == lines
    assert [chunks.event_of(line).received for line in stamped.split(b"\n")[:-1]] == [first] * len(batch)


wanteds = st.builds(Filter, st.none() | names, st.none() | names, st.none() | names)


@given(batches, wanteds, st.none() | times, st.none() | times, st.booleans())
def test_newest_first_is_what_a_walk_over_all_finds(
    batch: list[Event], wanted: Filter, start: int | None, end: int | None, merged: bool
) -> None:
    chunk = chunks.encode(batch)
    if merged:
        chunk = chunks.concat([(chunk, 5)])
    found = [
        event
        for event in reversed(batch)
        if wanted.matches(event.name, event.app, event.server) and (start is None or start <= event.at) and (end is None or event.at < end)
    ]
    assert told(list(chunks.newest_first(chunk, wanted, received=5, start=start, end=end)), 0) == told(found, 5)


def test_newest_first_parses_what_is_taken_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [Event(id=f"{i:024x}", name="ab"[i % 2], app="", server="", at=i, data=msgspec.Raw(b"{}")) for i in range(1000)]
    parsed: list[bytes] = []
    real = chunks.event_of

    def event_of(line: bytes) -> Event:
        parsed.append(line)
        return real(line)

    monkeypatch.setattr(chunks, "event_of", event_of)
    newest = chunks.newest_first(chunks.encode(batch), Filter("a"))
    assert [next(newest).at for _ in range(3)] == [998, 996, 994]
    assert len(parsed) == 3


@pytest.mark.parametrize("chunk", [b"", b"\x00", b"\x02abc"])
def test_a_chunk_of_another_version_is_not_guessed_at(chunk: bytes) -> None:
    with pytest.raises(ValueError, match="version"):
        chunks.decode(chunk)


def test_a_payload_of_line_feeds_does_not_explode() -> None:
    """A mebibyte of them is the worst that a sender can do."""
    event = Event(id="0" * 24, name="n", app="a", server="s", at=0, data=msgspec.Raw(b"[" + b"\n" * (1 << 20) + b"]"))
    chunk = chunks.encode([event])
    assert len(chunk) < 10_000
    assert len(chunks.lines(chunk)) < 4 << 20
    assert chunks.decode(chunk) == [event]


def test_three_hundred_bytes_weigh_forty() -> None:
    """performance.md §2.7: "zstd-3 (19.2 MB → 4.25 MB, 4.5×)"; half of what is left of an event is its own."""
    rnd = random.Random(5)
    body = [
        {"path": rnd.choice(["/cart", "/login"]), "status": rnd.choice([200, 404]), "message": "connection refused " * 10}
        for _ in range(500)
    ]
    batch = [
        Event(id=f"{i:024x}", name="hit", app="api", server="web-1", at=i * 37, data=msgspec.Raw(orjson.dumps(each)))
        for i, each in enumerate(body)
    ]
    assert len(chunks.encode(batch)) < 500 * 40


@given(st.lists(st.none() | events, max_size=6), st.sampled_from([0, 7]))
def test_a_number_without_an_event_keeps_its_line(batch: list[Event | None], received: int) -> None:
    there = [event for event in batch if event]
    chunk = chunks.encode(batch)
    assert told(chunks.decode(chunk, received=received), 0) == told(there, received)
    assert told(chunks.decode(chunks.concat([(chunk, received), (chunk, received)])), 0) == told(there, received) * 2
    for whole, times in ((chunk, 1), (chunks.concat([(chunk, 5), (chunk, 9)]), 2)):
        text = chunks.lines(whole)
        assert text.count(b"\n") == len(batch) * times
        numbered = list(chunks.numbered(text, 100))
        assert [number for number, _ in numbered] == [100 + index for index, event in enumerate(batch * times) if event]
        assert [chunks.event_of(line).id for _, line in numbered] == [event.id for event in there] * times
    assert [chunks.received_of(line, 3) for _, line in chunks.numbered(chunks.lines(chunk), 0)] == [3] * len(there)


@given(st.lists(st.none() | events, max_size=6), st.sets(st.integers(0, 6)))
def test_what_is_taken_out_leaves_the_others_numbers_and_bytes(batch: list[Event | None], unwanted: set[int]) -> None:
    chunk = chunks.encode(batch)
    left, gone = chunks.without(chunk, lambda index, _: index in unwanted)
    assert left == chunks.encode([None if index in unwanted else event for index, event in enumerate(batch)])
    assert gone == sum(1 for index, event in enumerate(batch) if event and index in unwanted)
