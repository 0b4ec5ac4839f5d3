"""What may be sent to a bucket and to a collection, what is made of it, and what is refused, with the place where it is wrong."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tapedeck.errors import Invalid, TooLarge
from tapedeck.events.model import Event, moment
from tapedeck.events.parsing import MAX_EVENT, MAX_EVENTS, MAX_REQUEST, bucket_records, collected

NOW = 1_795_219_200.25
NOW_MS = 1_795_219_200_250
UNIQUE = "0123456789"


def records(said: Any) -> list[Event]:
    """What a bucket makes of a value, or of bytes."""
    return bucket_records(said if isinstance(said, bytes) else json.dumps(said).encode(), now=NOW, unique=UNIQUE)


def payloads(said: Any) -> list[Event]:
    """What a collection makes of a value, or of bytes."""
    return collected(said if isinstance(said, bytes) else json.dumps(said).encode(), now=NOW, unique=UNIQUE)


def only(events: list[Event]) -> Event:
    (event,) = events
    return event


# --- A bucket's records -------------------------------------------------------------------------------------------------------------------


def test_the_packet_of_the_agent_is_an_event() -> None:
    """bucket-events.md §4.2: "frame … `{name, data, at, process}`. So app_name = process.name, server_name = process.server"."""
    event = only(
        records(
            {
                "name": "order",
                "data": {"sum": 12.5},
                "at": 1_795_219_100_000,
                "process": {"pm_id": 3, "name": "api", "rev": "4f2a", "server": "web-1"},
            }
        )
    )
    assert (event.name, event.app, event.server, event.pm_id, event.rev) == ("order", "api", "web-1", 3, "4f2a")
    assert (event.at, event.user, event.received) == (1_795_219_100_000, None, 0)
    assert bytes(event.data) == b'{"sum": 12.5}'


def test_the_flat_record_is_an_event() -> None:
    """Decision 22: "flat `{event_name, app_name, server_name, data, at}` too"."""
    event = only(records({"event_name": "order", "app_name": "api", "server_name": "web-1", "data": [1], "at": "2026-11-21T00:00:00Z"}))
    assert (event.name, event.app, event.server, event.pm_id, event.rev, event.at) == (
        "order",
        "api",
        "web-1",
        None,
        None,
        1_795_219_200_000,
    )


def test_what_the_record_says_wins_over_what_its_process_says() -> None:
    said = {"name": "n", "event_name": "e", "app_name": "a", "server_name": "s", "process": {"name": "p", "server": "m"}}
    event = only(records(said))
    assert (event.name, event.app, event.server) == ("e", "a", "s")


def test_what_is_absent_null_or_empty_has_a_default() -> None:
    """Decision 23: without `at`, receive time."""
    nothing = {"app_name": None, "server_name": "", "at": None, "process": None, "user": None, "event_name": ""}
    for said in ({"name": "n"}, {"name": "n", **nothing}, {"name": "n", "process": {"name": None, "pm_id": None, "rev": ""}}):
        event = only(records(said))
        assert (event.app, event.server, event.at, event.user, event.pm_id, event.rev) == ("ingest", "", NOW_MS, None, None, None)
        assert bytes(event.data) == b"{}"


def test_ids_count_the_events_of_a_request() -> None:
    assert [event.id for event in records([{"name": "n"}] * 17)][::8] == [f"{1_795_219_200:08x}{UNIQUE}{i:06x}" for i in (0, 8, 16)]
    assert [event.id for event in payloads([{}, {}])] == [event.id for event in records([{"name": "n"}] * 2)]


@pytest.mark.parametrize(
    ("record", "owner"),
    [
        ({"user": "u1", "user_id": "u2", "data": {"user_id": "u3"}}, "u1"),
        ({"user": {"id": "u1", "name": "Ann"}}, "u1"),
        ({"user": {"name": "Ann"}, "user_id": "u2"}, "u2"),
        ({"user_id": 42, "data": {"user": {"id": "u3"}}}, "42"),
        ({"data": {"user": {"id": "u3"}, "user_id": "u4"}}, "u3"),
        ({"data": {"user": "Ann", "user_id": "u4", "userId": "u5"}}, "u4"),
        ({"data": {"userId": 7.0}}, "7"),
        ({"data": {"user": {"id": ""}, "userId": " u5 "}}, "u5"),
        ({"user": "", "user_id": True, "data": {"userId": ["u"]}}, None),
        ({"data": "u1"}, None),
        ({}, None),
    ],
)
def test_whose_event_it_is(record: dict[str, Any], owner: str | None) -> None:
    """Decision 21: "the ingest record's `user` (string or `{id}`), else `user_id`, else `data.user.id`, `data.user_id`, `data.userId`"."""
    assert only(records({"name": "n", **record})).user == owner


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (1, "[1]"),
        ([], "[1]"),
        ({}, "[1].event_name"),
        ({"name": None}, "[1].event_name"),
        ({"name": 1}, "[1].name"),
        ({"event_name": {}}, "[1].event_name"),
        ({"name": "n" * 257}, "[1].name"),
        ({"name": "a\nb"}, "[1].name"),
        ({"name": "n", "app_name": "\x00"}, "[1].app_name"),
        ({"name": "n", "process": {"server": "\x7f"}}, "[1].process.server"),
        ({"name": "n", "process": {"rev": "\u0085"}}, "[1].process.rev"),
        ({"name": "n", "process": "api"}, "[1].process"),
        ({"name": "n", "process": {"name": ["api"]}}, "[1].process.name"),
        ({"name": "n", "process": {"pm_id": "0"}}, "[1].process.pm_id"),
        ({"name": "n", "process": {"pm_id": True}}, "[1].process.pm_id"),
        ({"name": "n", "process": {"pm_id": 2**70}}, "[1].process.pm_id"),
        ({"name": "n", "at": "yesterday"}, "[1].at"),
        ({"name": "n", "at": True}, "[1].at"),
        ({"name": "n", "at": -0.001}, "[1].at"),
        ({"name": "n", "at": NOW_MS + 86_400_001}, "[1].at"),
        ({"name": "n", "at": 10**300}, "[1].at"),
        ({"name": "n", "user": "u" * 257}, "[1].user"),
        ({"name": "n", "data": {"userId": "u" * 257}}, "[1].user"),
    ],
)
def test_a_record_that_is_wrong_is_refused_by_its_index_and_its_field(record: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        records([{"name": "n"}, record])
    assert list(caught.value.fields) == [field]
    assert str(caught.value).startswith(f"{field}: ")


def test_a_record_alone_has_index_0() -> None:
    with pytest.raises(Invalid) as caught:
        records({"name": 1})
    assert list(caught.value.fields) == ["[0].name"]


def test_names_of_256_characters_are_kept() -> None:
    assert only(records({"name": "é" * 256})).name == "é" * 256


# --- A collection's payloads --------------------------------------------------------------------------------------------------------------


def test_a_payload_is_data_to_the_byte() -> None:
    """event-replays.md §1.4: "body = the original payload unmodified in its original format"."""
    written = [b'{"b":1.50,\t"a" : "\\u00e9\\/"}', b"1e2", b'"x"', b"null", b'{"a":1,"a":2}', b"{\r\n  }", "\u2028é".join('""').encode()]
    assert [bytes(event.data) for event in payloads(b" [" + b" ,\n".join(written) + b"] ")] == written
    for each in written:
        assert bytes(only(payloads(b"\n " + each + b" \r\n")).data) == each


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, ("event", "collect", "")),
        ("x", ("event", "collect", "")),
        ({"type": "t", "event": "v", "host": "h", "service": "c"}, ("v", "c", "h")),
        ({"name": "n", "event": "v", "type": "t", "app": "a", "server": "s"}, ("n", "a", "s")),
        ({"event_name": "e", "name": "n", "app_name": "b", "app": "a", "server_name": "r", "server": "s"}, ("e", "b", "r")),
        ({"event": {"name": "x"}, "type": "t", "app": ["a"], "host": 5}, ("t", "collect", "")),
        ({"name": "a\nb", "type": "t", "app": "a" * 257, "service": "c"}, ("t", "c", "")),
        ({"name": 1, "process": {"name": "api", "server": "web-1", "pm_id": 2, "rev": "r"}}, ("event", "api", "web-1")),
        ({"name": True, "process": "api"}, ("event", "collect", "")),
    ],
)
def test_a_payload_may_say_what_it_is(payload: Any, said: tuple[str, str, str]) -> None:
    event = only(payloads(payload))
    assert (event.name, event.app, event.server) == said


def test_what_one_payload_says_is_not_said_of_the_next() -> None:
    names = [event.name for event in payloads([{"type": "t"}, {"type": 1}, {"type": True}, {"type": ["t"]}, {"type": "t"}, 5])]
    assert names == ["t", "event", "event", "event", "t", "event"]


@pytest.mark.parametrize("at", ["home", 5, -1, True, [1], {}, NOW_MS + 86_400_001, "1969-01-01"])
def test_a_payloads_at_that_is_no_time_of_this_century_is_only_data(at: Any) -> None:
    assert only(payloads({"at": at})).at == NOW_MS


@pytest.mark.parametrize("at", [NOW_MS - 5, NOW_MS + 5, (NOW_MS - 5) / 1000, "2026-11-20T12:00:00Z"])
def test_a_payloads_at_is_the_events_time(at: Any) -> None:
    assert only(payloads({"at": at})).at == moment(at)


def test_a_payload_belongs_to_its_user() -> None:
    assert [event.user for event in payloads([{"user": "u1"}, {"user": {"id": 2}}, {"user_id": "u3"}, {"userId": "u4"}, "u5"])] == [
        "u1",
        "2",
        "u3",
        "u4",
        None,
    ]


# --- Strangers ----------------------------------------------------------------------------------------------------------------------------

DOORS = pytest.mark.parametrize("door", [records, payloads])
GOOD = b'{"name":"n","data":{"a":[1,{"b":"],[,{"}]}}'


@DOORS
@pytest.mark.parametrize(
    "data",
    [
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\n"',
        b'"\\q"',
        b"'a'",
        b"01",
        b"tru",
        b"{a:1}",
        b'{"a":1,}',
        b"[1,]",
        b"[" * 201 + b"0" + b"]" * 201,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b"[" * 990 + b"]" * 990,
        b"[" * 2000 + b"]" * 2000,
        b"[" * 100_000,
    ],
    ids=lambda data: str(data[:20]),
)
@pytest.mark.parametrize("index", [0, 2])
def test_what_is_no_decent_json_is_refused_by_its_index(door: Any, data: bytes, index: int) -> None:
    body = b"[" + b",".join([GOOD] * index + [b'{"name":"n","data":' + data + b"}"] + [GOOD]) + b"]"
    with pytest.raises(Invalid) as caught:
        door(body)
    assert list(caught.value.fields) == [f"[{index}]"]


@DOORS
def test_two_hundred_deep_is_not_too_deep(door: Any) -> None:
    data = b"[" * 199 + b"0" + b"]" * 199
    assert bytes(only(door(b'{"name":"n","data":' + data + b"}")).data).count(b"[") == 199
    wide = b"[" + b",".join([b"[[]]"] * 500) + b"]"
    assert len(door(b'[{"name":"n","data":' + wide + b"}]")) == 1


@DOORS
@pytest.mark.parametrize("body", [b"", b" \n", b"[]", b" [ ] "])
def test_nothing_is_no_event(door: Any, body: bytes) -> None:
    with pytest.raises(Invalid, match="no events"):
        door(body)


@DOORS
@pytest.mark.parametrize("body", [b"{", b"[1,2", b"[1] x", b"[1,,2]", b"\xef\xbb\xbf{}", b"]", b'"'])
def test_half_a_body_is_refused(door: Any, body: bytes) -> None:
    with pytest.raises(Invalid, match=r"\[[012]\]: invalid JSON"):
        door(body)


@DOORS
def test_the_place_of_an_error_is_found_in_no_time(door: Any) -> None:
    """Six megabytes of anything, broken at the end."""
    for filler in (b'{"name":"n"},' * 450_000, b"[[],[[],0]]," * 450_000, b'"' + b"\\\\" * 2_900_000 + b'",'):
        with pytest.raises(Invalid, match=rf"^\[{max(filler.count(b'},'), filler.count(b']],'), 1)}\]: invalid JSON"):
            door(b"[" + filler + b"NaN]")


@DOORS
def test_of_a_name_that_is_there_twice_the_last_counts(door: Any) -> None:
    """As in every JSON.parse; so nothing that reads `data` later finds another user in it than was found here."""
    event = only(door(b'{"name":"a","name":"b","user":"u1","user":"u2","data":{"a":1},"data":{"a":2}}'))
    assert (event.name, event.user) == ("b", "u2")
    assert orjson.loads(bytes(event.data)) in ({"a": 2}, {"name": "b", "user": "u2", "data": {"a": 2}})


@DOORS
def test_a_mebibyte_is_an_event_and_a_byte_more_is_not(door: Any) -> None:
    frame = b'{"name":"n","data":"%b"}'
    most = frame % (b"x" * (MAX_EVENT - len(frame) + 2))
    assert len(most) == MAX_EVENT
    assert len(door(b"[" + GOOD + b"," + most + b"," + most + b"]")) == 3
    assert len(door(b" " + most + b" ")) == 1
    more = most.replace(b"xx", b"xxx", 1)
    for body, index in ((more, 0), (b"[" + more + b"]", 0), (b"[" + most + b" , " + more + b"]", 1)):
        with pytest.raises(TooLarge, match=rf"\[{index}\].* {MAX_EVENT} bytes"):
            door(body)


@DOORS
def test_ten_thousand_events_are_a_request_and_one_more_is_not(door: Any) -> None:
    assert len(door(b"[" + b",".join([b'{"name":"n"}'] * MAX_EVENTS) + b"]")) == MAX_EVENTS
    with pytest.raises(TooLarge, match=f"{MAX_EVENTS} events"):
        door(b"[" + b",".join([b'{"name":"n"}'] * (MAX_EVENTS + 1)) + b"]")


@DOORS
def test_six_megabytes_are_a_request_and_a_byte_more_is_not(door: Any) -> None:
    assert len(door(GOOD + b" " * (MAX_REQUEST - len(GOOD)))) == 1
    with pytest.raises(TooLarge, match=f"{MAX_REQUEST} bytes"):
        door(GOOD + b" " * (MAX_REQUEST - len(GOOD) + 1))


FIELDS = ["name", "event_name", "app_name", "server_name", "process", "pm_id", "rev", "at", "user", "user_id", "data", "id", "type"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)
records_or_worse = st.lists(st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=6) | json_values, max_size=4)


@DOORS
@given(
    body=st.binary(max_size=60)
    | records_or_worse.map(lambda value: json.dumps(value).encode())
    | json_values.map(lambda v: json.dumps(v).encode())
)
@example(body=b'[{"name":"n","at":1e308}]')
@example(body=b'[{"name":"n","user_id":1e22}]')
@example(body=b'{"name":"n","process":{"pm_id":-9007199254740993}}')
def test_whatever_is_sent_becomes_events_or_is_refused_in_words(door: Any, body: bytes) -> None:
    refusal, events = "", []
    try:
        events = door(body)
    except Invalid as error:
        refusal = str(error)
        assert re.match(r"no events|\[\d+\]", refusal)
    if not refusal:
        value = orjson.loads(body)
        sent = value if isinstance(value, list) else [value]
        data = [orjson.loads(bytes(event.data)) for event in events]
        assert data == (sent if door is payloads else [each.get("data", {}) for each in sent])
        for event in events:
            assert 1 <= len(event.name) <= 256
            assert 0 <= event.at <= NOW_MS + 86_400_000
