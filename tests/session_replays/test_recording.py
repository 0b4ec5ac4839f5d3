"""Recordings: kept byte for byte, and read for their clicks by the rules of contract §6.4."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapedeck.errors import DomainError, Invalid, TooLarge
from tapedeck.session_replays import recording
from tapedeck.session_replays.recording import TEXTS, clicks

AT = 1_700_000_005.75


def breadcrumb(category: str = "ui.click", *, at: Any = AT, node: Any = None, **data: Any) -> dict[str, Any]:
    """An rrweb event as the SDK writes it."""
    node = {"id": 7, "tagName": "button", "attributes": {}, "textContent": ""} if node is None else node
    payload = {
        "timestamp": at,
        "type": "default",
        "category": category,
        "message": "body > button",
        "data": {"nodeId": 7, "node": node, **data},
    }
    return {"type": 5, "timestamp": int(AT * 1000), "data": {"tag": "breadcrumb", "payload": payload}}


def slow_click(tag: str = "button", **data: Any) -> dict[str, Any]:
    said = {"endReason": "timeout", "timeAfterClickMs": 7000, "clickCount": 1} | data
    return breadcrumb("ui.slowClickDetected", node={"id": 7, "tagName": tag}, **said)


def raw(*events: Any) -> bytes:
    return json.dumps(events).encode()


# --- Frame --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pack", [bytes, zlib.compress, gzip.compress])
def test_a_recording_is_a_header_line_and_an_array_plain_or_deflated(pack: Any) -> None:
    events = raw(breadcrumb())
    segment_id, body = recording.split(b'{"segment_id":3}\n' + pack(events))
    assert (segment_id, recording.events(body)) == (3, events)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b"\n[]",
        b"nonsense\n[]",
        b"[3]\n[]",
        b"{}\n[]",
        b'{"segment_id":"3"}\n[]',
        b'{"segment_id":true}\n[]',
        b'{"segment_id":1.5}\n[]',
        b'{"segment_id":-1}\n[]',
        b'{"segment_id":65536}\n[]',
        b'{"segment_id":' + b"9" * 5000 + b"}\n[]",
        b'{"segment_id":' + b"[" * 1000 + b"\n[]",
        b'{"segment_id":NaN}\n[]',
        b" " * 2000 + b'{"segment_id":0}\n[]',
    ],
)
def test_a_recording_without_a_segment_id_is_invalid(payload: bytes) -> None:
    """§6.2: header not JSON or no integer → dropped."""
    with pytest.raises(Invalid):
        recording.split(payload)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"x\x9c", zlib.compress(b"{}"), zlib.compress(b""), zlib.compress(b"[1,2,3]" * 99)[:-5], b"\x1f\x8b"]
)
def test_a_body_that_is_no_array_of_either_kind_is_invalid(body: bytes) -> None:
    """§6.2: neither deflated nor beginning with `[` → dropped."""
    with pytest.raises(Invalid):
        recording.events(body)


def test_a_body_over_the_limit_is_too_large_in_every_form() -> None:
    for body in (b"[" + b" " * 100, zlib.compress(b"[" + b" " * 100), gzip.compress(b"[" + b" " * 100)):
        with pytest.raises(TooLarge):
            recording.events(body, 100)


def test_a_download_is_the_same_bytes_in_one_array() -> None:
    """§5: byte for byte, spaces and number spellings included."""
    assert recording.join([b"[ 1.0,2]", b"[]", b'["\\u00e9"]']) == b'[[ 1.0,2],[],["\\u00e9"]]'
    assert recording.join([]) == b"[]"


# --- Clicks -------------------------------------------------------------------------------------------------------------------------------


def test_a_click_keeps_what_the_element_looked_like() -> None:
    node = {
        "id": 304,
        "tagName": "button",
        "textContent": "Pay now",
        "attributes": {
            "id": "pay",
            "class": " btn  btn-primary ",
            "alt": "alt",
            "role": "button",
            "aria-label": "Pay",
            "title": "Pay now",
            "testId": "pay-button",
            "data-sentry-component": "PayButton",
            "href": 5,  # nobody reads it
        },
    }
    (click,) = clicks(raw(breadcrumb(node=node)))
    assert (click.second, click.node, click.identity) == (1_700_000_005, 304, "1700000005:304")
    assert dict(zip(TEXTS, click.texts, strict=True)) == {
        "tag": "button",
        "id": "pay",
        "classes": "btn btn-primary",
        "alt": "alt",
        "role": "button",
        "testid": "pay-button",
        "label": "Pay",
        "title": "Pay now",
        "component_name": "PayButton",
        "text": "Pay now",
    }


@pytest.mark.parametrize("spelled", ["testId", "data-testid", "data-test-id"])
def test_a_test_id_has_three_spellings(spelled: str) -> None:
    (click,) = clicks(raw(breadcrumb(node={"id": 1, "tagName": "a", "attributes": {spelled: "x"}})))
    assert click.texts[TEXTS.index("testid")] == "x"


def test_texts_are_cut_where_the_contract_cuts_them() -> None:
    long = "x" * 5000
    attributes = dict.fromkeys(["id", "alt", "aria-label", "title", "data-sentry-component", "role", "testId"], long)
    attributes["class"] = " ".join(f"c{n}" for n in range(30))
    (click,) = clicks(raw(breadcrumb(node={"id": 1, "tagName": long, "textContent": long, "attributes": attributes})))
    lengths = dict(zip(TEXTS, map(len, click.texts), strict=True))
    assert lengths == {
        "tag": 32,
        "id": 64,
        "classes": 29,
        "alt": 64,
        "role": 32,
        "testid": 64,
        "label": 64,
        "title": 64,
        "component_name": 64,
        "text": 1024,
    }
    assert len(click.texts[2].split()) == 10


@pytest.mark.parametrize(
    ("event", "dead", "rage"),
    [
        (slow_click(), True, False),
        (slow_click(clickCount=5), True, True),
        (slow_click(clickCount=4), True, False),
        (slow_click(clickCount=None, clickcount=5), True, True),
        (slow_click(timeAfterClickMs=None, timeafterclickms=7000), True, False),
        (slow_click("a"), True, False),
        (slow_click("input"), True, False),
        (slow_click("div", clickCount=9), False, False),
        (slow_click(endReason="mutation", clickCount=9), False, False),
        (slow_click(timeAfterClickMs=6999), False, False),
        (slow_click(timeAfterClickMs="7000"), False, False),
        (slow_click(timeAfterClickMs=True), False, False),
        (breadcrumb(endReason="timeout", timeAfterClickMs=9000), False, False),
    ],
)
def test_dead_and_rage(event: dict[str, Any], dead: bool, rage: bool) -> None:
    """§8 case 52."""
    (click,) = clicks(raw(event))
    assert (click.dead, click.rage) == (dead, rage)


@pytest.mark.parametrize(
    "event",
    [
        breadcrumb("ui.multiClick"),
        breadcrumb("ui.tap"),
        breadcrumb("navigation"),
        breadcrumb(node={"tagName": "a"}),
        breadcrumb(node={"id": -1, "tagName": "a"}),
        breadcrumb(node={"id": "1", "tagName": "a"}),
        breadcrumb(node={"id": True, "tagName": "a"}),
        breadcrumb(node=[]),
        breadcrumb(node={"id": 1, "tagName": 5}),
        breadcrumb(node={"id": 1, "tagName": "a", "attributes": {"id": 5}}),
        breadcrumb(node={"id": 1, "tagName": "a", "attributes": {"class": None}}),
        breadcrumb(at="now"),
        breadcrumb(at=None),
        breadcrumb(at=-1),
        breadcrumb(at=1e300),
        {"type": 5},
        {"type": 5, "data": []},
        {"type": 5, "data": {"tag": "performanceSpan", "payload": {}}},
        {"type": 5, "data": {"tag": "breadcrumb", "payload": 5}},
        {"type": "5", "data": breadcrumb()["data"]},
        {"type": 3, "data": breadcrumb()["data"]},
        {"data": breadcrumb()["data"]},
    ],
)
def test_other_events_and_misshapen_clicks_are_passed_over(event: Any) -> None:
    """§6.4: node missing or id < 0 → ignored; a non-string attribute → that event ignored."""
    good = breadcrumb(node={"id": 99, "tagName": "a"})
    assert [click.node for click in clicks(raw(event, good))] == [99]


def test_a_click_told_twice_is_one_dead_click() -> None:
    """§6.4: the later telling wins, so it becomes dead."""
    (click,) = clicks(raw(breadcrumb(), slow_click()))
    assert (click.dead, click.rage) == (True, False)
    (click,) = clicks(raw(slow_click(clickCount=5), breadcrumb()))
    assert (click.dead, click.rage) == (True, True)


def test_the_first_twenty_clicks_of_a_segment_count() -> None:
    assert [click.node for click in clicks(raw(*(breadcrumb(node={"id": n, "tagName": "a"}) for n in range(50))))] == list(range(20))


@pytest.mark.parametrize(
    "body",
    [
        b"[",
        b"[NaN]",
        b"[1]",
        b"[{]",
        b"[] []",
        b'[{"type":5,"data":"\xff',
        b"[" * 100_000,
        b'[{"type":3,"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
        b'{"type":5}',
        b"",
    ],
)
def test_what_does_not_parse_has_no_clicks(body: bytes) -> None:
    """§6.4: body not parseable as JSON → still stored, no clicks."""
    assert clicks(body) == []


@pytest.mark.parametrize("hostile", [b"9" * 5000, b"-1e999", b"[" * 1000 + b"]" * 1000, b'"\\ud83d"', b"1e-999999"])
def test_hostile_values_do_not_raise(hostile: bytes) -> None:
    for place in (b"[%s]", b'[{"type":%s}]', b'[{"type":5,"data":%s}]', b'[{"type":5,"data":{"tag":"breadcrumb","payload":%s}}]'):
        assert clicks(place % hostile) == []
    crumb = json.dumps(breadcrumb(at="HERE")).encode().replace(b'"HERE"', hostile)
    assert clicks(b"[" + crumb + b"]") in ([], [clicks(raw(breadcrumb(at=0)))[0]])


def test_half_a_character_on_the_page_does_not_cost_the_segment_its_clicks() -> None:
    """A page may hold lone surrogates: JSON.stringify writes them as escapes, valid JSON that no decoder turns into text."""
    whole = raw(breadcrumb(node={"id": 7, "tagName": "button", "textContent": "\ud83d"}), {"type": 3, "data": "\udead"})
    assert [click.texts[-1] for click in clicks(whole)] == ["\ufffd"]


def test_too_many_events_are_too_large() -> None:
    assert clicks(b"[" + b",".join([b'{"type":3}'] * recording.MAX_EVENTS) + b"]") == []
    with pytest.raises(TooLarge):
        clicks(b"[" + b",".join([b'{"type":3}'] * (recording.MAX_EVENTS + 1)) + b"]")


@given(st.binary(max_size=300))
def test_noise_is_a_refusal_and_never_a_surprise(noise: bytes) -> None:
    for body in (noise, b"[" + noise, zlib.compress(b"[" + noise)):
        try:
            clicks(recording.events(body, 1000))
            recording.split(noise)
        except DomainError:
            pass


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["tag", "payload", "data", "node", "id", "type", "attributes"]), inner),
)


@given(json_values)
def test_any_json_in_any_place_is_passed_over(value: Any) -> None:
    for event in (value, {"type": 5, "data": value}, breadcrumb(node=value), breadcrumb(at=value), slow_click(clickCount=value)):
        for click in clicks(json.dumps([event]).encode()):
            assert len(click.texts) == len(TEXTS)
