"""Envelopes: the frame is strict, the meaning is forgiving, and nothing that a stranger writes is a surprise (contract §6.1 to §6.3)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.errors import DomainError, Invalid, TooLarge
from tapedeck.session_replays import envelope as envelopes
from tapedeck.session_replays.envelope import Dropped, Envelope, EventLink, Item, ReplayEvent, Segment, links_of, parse, segment_of

NOW = 1_700_000_100.0
REPLAY = "7e07485f12f9416b8b1426260799b51f"
ID = "a" * 32
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
PLAIN = {"replay_id": REPLAY, "segment_id": 0, "timestamp": 1_700_000_017.5, "replay_start_timestamp": 1_700_000_000.25}


def item(kind: str, payload: bytes, *, length: bool = True) -> bytes:
    headers: dict[str, Any] = {"type": kind} | ({"length": len(payload)} if length else {})
    return json.dumps(headers).encode() + b"\n" + payload + b"\n"


def replay(said: Any = None, *, segment_id: int = 0, event_id: str = REPLAY) -> bytes:
    """An envelope as the browser SDK posts it."""
    said = PLAIN if said is None else said
    recording = b'{"segment_id":%d}\n[{"type":4}]' % segment_id
    return (
        json.dumps({"event_id": event_id, "sent_at": "2023-11-14T22:13:20.000Z"}).encode()
        + b"\n"
        + item("replay_event", said if isinstance(said, bytes) else json.dumps(said).encode(), length=False)
        + item("replay_recording", recording)
    )


def read(body: bytes, **connection: str) -> Segment | Dropped | None:
    return segment_of(parse(body), now=NOW, **connection)


def event(connection: dict[str, str] | None = None, **changes: Any) -> ReplayEvent:
    """The event of a valid replay with these changes; `...` takes a member away."""
    said = {name: value for name, value in (PLAIN | changes).items() if value is not ...}
    found = read(replay(said), **(connection or {}))
    assert isinstance(found, Segment), found
    return found.event


# --- The frame ----------------------------------------------------------------------------------------------------------------------------


def test_an_envelope_is_a_header_and_items_with_and_without_length() -> None:
    body = b'{"event_id":"7E07485F-12F9-416B-8B14-26260799B51F"}\n{"type":"session"}\n{}\n{"type":"log","length":5,"x":1}\na\nb\nc\n'
    assert parse(body) == Envelope(
        {"event_id": "7E07485F-12F9-416B-8B14-26260799B51F"},
        [Item("session", {"type": "session"}, b"{}"), Item("log", {"type": "log", "length": 5, "x": 1}, b"a\nb\nc")],
    )
    assert parse(body).event_id == REPLAY


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"{}", []),
        (b"{}\n", []),
        (b"{}\n\n\n", []),
        (b'{}\n{"type":"x"}', [b""]),
        (b'{}\n{"type":"x"}\npayload', [b"payload"]),
        (b'{}\n{"type":"x","length":0}\n\n{"type":"y"}\n1\n', [b"", b"1"]),
        (b'{}\n{"type":"x","length":7}\npayload', [b"payload"]),
        (b'{}\r\n{"type":"x"}\r\n1', [b"1"]),
        (b'{}\n{"type":"x","length":null}\n1', [b"1"]),
    ],
)
def test_the_last_newline_is_optional_and_empty_lines_are_nothing(body: bytes, items: list[bytes]) -> None:
    assert [item.payload for item in parse(body).items] == items


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b"", "missing envelope header"),
        (b" \n\n", "missing envelope header"),
        (b"nonsense", "invalid envelope header"),
        (b"[]", "invalid envelope header"),
        (b"\xff\xfe", "invalid envelope header"),
        (b'{"a":NaN}', "invalid envelope header"),
        (b'{"a":"\\ud800"}', "invalid envelope header"),
        (b'{"a":' + b"9" * 5000 + b"}", "invalid envelope header"),
        (b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}", "invalid envelope header"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid envelope header"),
        (b"{}\nnonsense\n1", "invalid item header"),
        (b"{}\n{}\n1", "invalid item header"),
        (b'{}\n{"type":5}\n1', "invalid item header"),
        (b'{}\n{"type":"x","length":-1}\n1', "invalid item header"),
        (b'{}\n{"type":"x","length":"1"}\n1', "invalid item header"),
        (b'{}\n{"type":"x","length":true}\n1', "invalid item header"),
        (b'{}\n{"type":"x","length":1.5}\n1', "invalid item header"),
        (b'{}\n{"type":"x","length":2}\n1', "unexpected end of file"),
        (b'{}\n{"type":"x","length":%s}\n1' % (b"9" * 18), "unexpected end of file"),
        (b'{}\n{"type":"x","length":1}\n12\n', "missing newline after header or payload"),
    ],
)
def test_a_broken_frame_is_invalid_and_says_where(body: bytes, cause: str) -> None:
    """§6.1: 400 `{"detail", "causes"}` for malformed or empty."""
    with pytest.raises(Invalid) as refusal:
        parse(body)
    assert refusal.value.detail == "invalid event envelope"
    assert refusal.value.causes[0] == cause


def test_an_envelope_of_a_thousand_items_is_large_enough() -> None:
    with pytest.raises(TooLarge):
        parse(b"{}\n" + b'{"type":"x"}\n\n' * 1001)


# --- A segment ----------------------------------------------------------------------------------------------------------------------------


def test_a_replay_is_one_event_and_one_recording() -> None:
    found = read(replay())
    assert isinstance(found, Segment)
    assert found.body == b'[{"type":4}]'
    assert found.event == ReplayEvent(
        replay_id=REPLAY,
        segment_id=0,
        timestamp=1_700_000_017.5,
        started=1_700_000_000.25,
        scalars={"replay_type": "session", "platform": "other"},
        urls=[],
        error_ids=[],
        trace_ids=[],
        release=None,
        tags={},
    )


def test_an_envelope_without_a_replay_has_no_segment() -> None:
    """§6.2: other items are accepted."""
    assert read(b"{}\n" + item("session", b"{}") + item("client_report", b"{}")) is None


HEAD = json.dumps({"event_id": REPLAY}).encode() + b"\n"
EVENT = item("replay_event", json.dumps(PLAIN).encode())
RECORDING = item("replay_recording", b'{"segment_id":0}\n[]')


@pytest.mark.parametrize(
    "body",
    [
        HEAD + EVENT,
        HEAD + RECORDING,
        HEAD + EVENT + EVENT + RECORDING,
        HEAD + EVENT + RECORDING + RECORDING,
        HEAD + EVENT + RECORDING + item("replay_video", b"\x80"),
        HEAD + item("replay_video", b"\x80"),
        b"{}\n" + EVENT + RECORDING,
        HEAD + EVENT + item("replay_recording", b"[]"),
        HEAD + EVENT + item("replay_recording", b"{}\n[]"),
        HEAD + EVENT + item("replay_recording", bytes(envelopes.MAX_RECORDING + 1)),
        replay(event_id=ID),
        replay(segment_id=1),
        replay(b"nonsense"),
        replay(b"[]"),
        replay(b'{"a":"\\ud800"}'),
    ],
)
def test_what_is_no_whole_replay_is_dropped(body: bytes) -> None:
    """§6.2: exactly one of each together, of the same replay and segment; other counts → both discarded."""
    found = read(body)
    assert isinstance(found, Dropped)
    assert found.reason


@pytest.mark.parametrize(
    "changes",
    [
        {"replay_id": None},
        {"replay_id": "x"},
        {"replay_id": 5},
        {"segment_id": None},
        {"segment_id": -1},
        {"segment_id": 65_536},
        {"segment_id": 1.0},
        {"segment_id": "0"},
        {"segment_id": True},
        {"error_ids": ["x"]},
        {"error_ids": [None]},
        {"error_ids": "x"},
        {"trace_ids": [5]},
        {"trace_ids": {"a": 1}},
        {"urls": 5},
        {"timestamp": None},
        {"timestamp": -1},
        {"timestamp": "yesterday"},
        {"timestamp": True},
        {"timestamp": NOW + 90_000},
        {"timestamp": 1e300},
        {"timestamp": "9999-12-31T23:59:59Z"},
        {"timestamp": "0001-01-01T00:00:00+23:00"},
        {"replay_start_timestamp": -5},
        {"replay_start_timestamp": []},
    ],
)
def test_an_invalid_replay_event_is_dropped(changes: dict[str, Any]) -> None:
    """§6.3: missing ids → invalid; error and trace ids must be UUIDs, else the whole replay is invalid."""
    assert isinstance(read(replay(PLAIN | changes)), Dropped)


@pytest.mark.parametrize(
    "hostile", [b"NaN", b"1e999", b"-Infinity", b"9" * 5000, b"[" * 1000 + b"]" * 1000, b'"\\udc00"', b'"\xed\xa0\x80"']
)
@pytest.mark.parametrize("member", ["timestamp", "segment_id", "tags", "contexts", "user"])
def test_hostile_values_are_dropped(member: str, hostile: bytes) -> None:
    said = json.dumps(PLAIN | {member: "HERE"}).encode().replace(b'"HERE"', hostile)
    assert isinstance(read(replay(said)), Dropped)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (5, 5.0),
        (1_700_000_000.25, 1_700_000_000.25),
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T23:13:20.5+01:00", 1_700_000_000.5),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        (NOW + 3600, NOW + 3600),
    ],
)
def test_times_are_seconds_or_iso(said: Any, seconds: float) -> None:
    """§6.3: float seconds or ISO; a clock may be a little ahead."""
    assert event(timestamp=said, replay_start_timestamp=...).timestamp == seconds


def test_a_segment_without_a_start_begins_when_it_was_sent_and_none_begins_after_its_end() -> None:
    assert event(replay_start_timestamp=...).started == PLAIN["timestamp"]
    assert event(replay_start_timestamp=1_700_000_099).started == PLAIN["timestamp"]


def test_lists_are_cut_to_a_hundred() -> None:
    """§6.3; §8: 101 urls → 100 kept."""
    found = event(urls=[f"https://x/{n}" for n in range(101)], error_ids=[f"{n:032x}" for n in range(101)], trace_ids=[ID] * 101)
    assert (len(found.urls), len(found.error_ids), len(found.trace_ids)) == (100, 100, 100)
    assert found.urls[0] == "https://x/0"
    assert event(urls=["a", None, 5, "", " b "]).urls == ["a", "5", "b"]
    assert event(urls=None, error_ids=None).urls == []


def test_ids_lose_their_dashes() -> None:
    """Decision 9."""
    assert event(trace_ids=["7E07485F-12F9-416B-8B14-26260799B51F"]).trace_ids == [REPLAY]


@pytest.mark.parametrize(
    ("changes", "name", "text"),
    [
        ({"platform": "javascript"}, "platform", "javascript"),
        ({"platform": "thundercat"}, "platform", "other"),
        ({"platform": None}, "platform", "other"),
        ({"environment": "  prod "}, "environment", "prod"),
        ({"environment": "e" * 100}, "environment", "e" * 64),
        ({"environment": ""}, "environment", None),
        ({"environment": {}}, "environment", None),
        ({"dist": "1.0-a_b"}, "dist", "1.0-a_b"),
        ({"dist": "a b"}, "dist", None),
        ({"dist": 5}, "dist", "5"),
        ({"replay_type": "buffer"}, "replay_type", "buffer"),
        ({"replay_type": "x"}, "replay_type", "session"),
        ({"user": {"id": 123}}, "user.id", "123"),
        ({"user": {"id": 12345678901234567890}}, "user.id", "12345678901234567890"),
        ({"user": {"id": " "}}, "user.id", None),
        ({"user": "me"}, "user.id", None),
        ({"user": {"email": "a@x"}}, "user.email", "a@x"),
        ({"user": {"geo": {"country_code": "AT"}}}, "user.geo.country_code", "AT"),
        ({"sdk": {"name": "sentry.javascript.browser", "version": "10.1.0"}}, "sdk.version", "10.1.0"),
        ({"contexts": {"ota_updates": {"channel": "beta"}}}, "ota_updates.channel", "beta"),
        ({"contexts": []}, "ota_updates.channel", None),
    ],
)
def test_texts_are_trimmed_checked_and_flattened(changes: dict[str, Any], name: str, text: str | None) -> None:
    assert event(**changes).scalars.get(name) == text


@pytest.mark.parametrize(
    ("said", "release"), [("app@1.0", "app@1.0"), (7, "7"), (1.5, "1.5"), (2.0, "2"), ("", None), (None, None), ([], None)]
)
def test_a_release_may_be_a_number(said: Any, release: str | None) -> None:
    assert event(release=said).release == release


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ({"plan": "free", "n": 5, "beta": True}, {"plan": "free", "n": "5", "beta": "true"}),
        ([["plan", "free"], ["a"], "b", [5, "x"], None, ["c", "d"]], {"plan": "free", "c": "d"}),
        ({"long": "v" * 500, "k" * 500: "x"}, {"long": "v" * 200, "k" * 200: "x"}),
        ({"empty": "", "": "x", "deep": {}, "none": None}, {}),
        ("plan", {}),
        (None, {}),
    ],
)
def test_tags_are_an_object_or_pairs(said: Any, tags: dict[str, str]) -> None:
    assert event(tags=said).tags == tags


def test_no_more_than_64_tags_are_kept() -> None:
    assert len(event(tags={f"t{n}": "x" for n in range(100)}).tags) == 64


@pytest.mark.parametrize(
    ("changes", "ip"),
    [
        ({"user": {"ip_address": "10.0.0.9"}}, "10.0.0.9"),
        ({"user": {"ip_address": "2001:db8::1"}}, "2001:db8::1"),
        ({"user": {"ip_address": "127.256.0.1"}}, None),
        ({"user": {"ip_address": "a\0b"}}, None),
        ({"user": {"ip_address": "{{auto}}"}}, "192.0.2.7"),
        ({"platform": "javascript"}, "192.0.2.7"),
        ({"platform": "javascript", "user": {"id": 1}}, "192.0.2.7"),
        ({"platform": "python"}, None),
        ({"platform": "javascript", "sdk": {"settings": {"infer_ip": "never"}}}, None),
        ({"user": {"ip_address": "{{auto}}"}, "sdk": {"settings": {"infer_ip": "never"}}}, None),
        ({"platform": "javascript", "user": {"ip_address": "10.0.0.9"}, "sdk": {"settings": {"infer_ip": "never"}}}, "10.0.0.9"),
    ],
)
def test_the_address_is_told_or_inferred_and_never_against_the_sdk_s_wish(changes: dict[str, Any], ip: str | None) -> None:
    """§6.3: `{{auto}}` or absent → client address for javascript; infer_ip "never" → no ip."""
    assert event({"client_ip": "192.0.2.7"}, **changes).scalars.get("user.ip") == ip


@pytest.mark.parametrize(
    ("changes", "connection", "browser"),
    [
        ({"request": {"headers": {"User-Agent": CHROME}}}, {}, "Chrome"),
        ({"request": {"headers": {"user-agent": CHROME}}}, {"client_agent": "curl/8.0"}, "Chrome"),
        ({"request": {"headers": [["User-Agent", CHROME]]}}, {}, "Chrome"),
        ({"request": {"headers": {}}}, {"client_agent": CHROME}, "Chrome"),
        ({"request": {}}, {"client_agent": CHROME}, None),
        ({}, {"client_agent": CHROME}, None),
        ({"request": {"headers": {"User-Agent": CHROME}}, "contexts": {"browser": {"name": "Lynx"}}}, {}, "Lynx"),
    ],
)
def test_the_browser_is_told_or_read_from_the_user_agent(changes: dict[str, Any], connection: dict[str, str], browser: str | None) -> None:
    """§6.3: derived only if request.headers exists; explicit contexts win."""
    assert event(connection, **changes).scalars.get("browser.name") == browser


# --- Links --------------------------------------------------------------------------------------------------------------------------------


def linked(said: Any, **header: Any) -> list[EventLink]:
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return links_of(parse(json.dumps(header).encode() + b"\n" + item("event", payload)), now=NOW)


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ({"event_id": ID, "contexts": {"replay": {"replay_id": REPLAY}}}, {}),
        ({"event_id": ID, "tags": {"replayId": REPLAY}}, {}),
        ({"event_id": ID, "tags": [["replayId", REPLAY]]}, {}),
        ({"event_id": ID}, {"trace": {"replay_id": REPLAY}}),
        ({}, {"event_id": ID, "trace": {"replay_id": REPLAY}}),
        ({"event_id": ID, "contexts": {"replay": {"replay_id": REPLAY}}}, {"trace": {"replay_id": "b" * 32}}),
    ],
)
def test_an_event_names_its_replay_in_three_ways(said: Any, header: dict[str, Any]) -> None:
    """§6.2."""
    assert linked(said, **header) == [EventLink(ID, REPLAY, "error", NOW, "")]


@pytest.mark.parametrize(
    ("level", "kept"),
    [
        ("fatal", "error"),
        ("error", "error"),
        ("warning", "warning"),
        ("info", "info"),
        ("debug", "info"),
        (None, "error"),
        ("x", "error"),
        (5, "error"),
    ],
)
def test_levels(level: Any, kept: str) -> None:
    """§6.2, and decision 39: no level is an error."""
    (link,) = linked({"event_id": ID, "level": level, "tags": {"replayId": REPLAY}})
    assert link.level == kept


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ({"exception": {"values": [{"type": "Cause"}, {"type": "TypeError", "value": "x is undefined"}]}}, "TypeError: x is undefined"),
        ({"exception": [{"value": "only words"}]}, "only words"),
        ({"message": "hello"}, "hello"),
        ({"message": {"formatted": "hello you"}}, "hello you"),
        ({"logentry": {"message": "hello %s"}}, "hello %s"),
        ({"message": "m" * 500}, "m" * 200),
        ({"exception": {"values": [5]}}, ""),
        ({}, ""),
    ],
)
def test_an_event_has_a_title_for_people(said: dict[str, Any], title: str) -> None:
    (link,) = linked({"event_id": ID, "tags": {"replayId": REPLAY}} | said)
    assert link.title == title


@pytest.mark.parametrize(
    "said",
    [b"nonsense", b"[]", {"event_id": ID}, {"tags": {"replayId": REPLAY}}, {"event_id": ID, "tags": {"replayId": "x"}}, b'{"a":NaN}'],
)
def test_an_event_of_no_replay_is_no_link(said: Any) -> None:
    assert linked(said) == []


def test_an_impossible_time_is_now() -> None:
    (link,) = linked({"event_id": ID, "timestamp": "never", "tags": {"replayId": REPLAY}})
    assert link.timestamp == NOW


# --- Anything at all ----------------------------------------------------------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5) | st.just(REPLAY),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "headers", "values", "replay", "name", "replay_id"]), inner)
    ),
    max_leaves=8,
)
MEMBERS = [
    "replay_id",
    "segment_id",
    "timestamp",
    "replay_start_timestamp",
    "urls",
    "error_ids",
    "trace_ids",
    "environment",
    "release",
    "dist",
    "platform",
    "tags",
    "user",
    "request",
    "sdk",
    "contexts",
    "replay_type",
    "level",
    "exception",
    "message",
]


@given(st.dictionaries(st.sampled_from(MEMBERS), json_values))
def test_any_value_in_any_member_is_kept_or_dropped(changes: dict[str, Any]) -> None:
    found = read(replay(PLAIN | changes))
    if isinstance(found, Segment):
        assert all(found.event.scalars.values())
    linked({"event_id": ID, "tags": {"replayId": REPLAY}} | changes)


@given(st.binary(max_size=300))
def test_noise_is_a_refusal_and_never_a_surprise(noise: bytes) -> None:
    for body in (noise, b"{}\n" + noise, HEAD + EVENT + item("replay_recording", noise), replay(noise.replace(b"\n", b""))):
        try:
            envelope = parse(body)
        except DomainError:
            continue
        segment_of(envelope, now=NOW)
        links_of(envelope, now=NOW)
