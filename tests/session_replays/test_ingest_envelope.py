"""POST /api/{project_id}/envelope/: contract §6 and the conformance cases of §8 that begin with a recording."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import brotli
import pytest
import zstandard

from tapedeck import clock
from tests.harness import System, envelopes
from tests.harness.sdk import index, read, record, replay_url, send, shown


def kept(system: System) -> tuple[int, int]:
    """(items of replays, objects of recordings): what an envelope left behind."""
    return len(system.items("ReplaysTable")), len(system.objects())


# What an SDK gets back (§6.1) -----------------------------------------------------------------


def test_a_segment_is_accepted_with_its_id_and_can_be_read_at_once(system: System) -> None:
    replay_id = envelopes.new_id()
    answer = send(system, system.acme.web, envelopes.segment(replay_id))
    assert (answer.status, answer.json()) == (200, {"id": replay_id})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = {name.strip().lower() for name in answer.headers["access-control-expose-headers"].split(",")}
    assert {"x-sentry-error", "x-sentry-rate-limits", "retry-after"} <= exposed
    assert shown(system, system.acme, system.acme.web, replay_id)["id"] == replay_id


def test_an_envelope_without_an_id_is_answered_with_an_empty_object(system: System) -> None:
    body = envelopes.envelope({}, ({"type": "session"}, {"sid": "x"}))
    answer = send(system, system.acme.web, body)
    assert (answer.status, answer.json()) == (200, {})


@pytest.mark.parametrize("kind", ["transaction", "session", "sessions", "client_report", "feedback", "log", "span", "event", "made_up"])
def test_items_of_other_types_are_accepted_and_not_kept(system: System, kind: str) -> None:
    body = envelopes.envelope({"event_id": envelopes.new_id()}, ({"type": kind}, {"a": 1}), ({"type": kind}, b"\x00\xff binary"))
    assert send(system, system.acme.web, body).status == 200
    assert kept(system) == (0, 0)


def test_a_preflight_allows_what_sdks_send(system: System) -> None:
    answer = system.request("OPTIONS", f"/api/{system.acme.web.project_id}/envelope/", headers={"Origin": "https://shop.example"})
    assert answer.status in (200, 204)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"x-sentry-auth", "x-requested-with", "content-type", "authentication", "authorization", "content-encoding"} <= allowed
    assert answer.headers["access-control-max-age"] == "3600"


def test_ingest_takes_two_round_trips_in_a_warm_container(system: System) -> None:
    replay_id = record(system, system.acme.web)
    with system.cloud.watch() as calls:
        send(system, system.acme.web, envelopes.segment(replay_id, 1))
    assert system.cloud.trips == 2, [str(call) for call in calls]


# Three ways of authentication -----------------------------------------------------------------


@pytest.mark.parametrize("way", ["query", "x-sentry-auth", "authorization", "dsn"])
def test_a_public_key_may_come_in_each_of_the_ways(system: System, way: str) -> None:
    environment, replay_id = system.acme.web, envelopes.new_id()
    presented = f"Sentry sentry_key={environment.public_key}, sentry_version=7, sentry_client=x/1"
    header = {"dsn": f"https://{environment.public_key}@tapedeck.example/v/{environment.project_id}"} if way == "dsn" else {}
    answer = system.request(
        "POST",
        f"/api/{environment.project_id}/envelope/",
        query={"sentry_key": environment.public_key} if way == "query" else {},
        headers={way: presented} if way not in ("query", "dsn") else {},
        body=envelopes.segment(replay_id, header=header),
    )
    assert answer.status == 200, answer
    assert read(system, system.acme, environment, replay_id).status == 200


def test_the_dsn_of_a_compressed_envelope_is_found_too(system: System) -> None:
    environment, replay_id = system.acme.web, envelopes.new_id()
    header = {"dsn": f"https://{environment.public_key}@tapedeck.example/{environment.project_id}"}
    body = gzip.compress(envelopes.segment(replay_id, header=header))
    answer = system.request("POST", f"/api/{environment.project_id}/envelope/", headers={"Content-Encoding": "gzip"}, body=body)
    assert answer.status == 200, answer


def test_two_kinds_of_authentication_at_once_are_refused(system: System) -> None:
    key = system.acme.web.public_key
    answer = send(system, system.acme.web, envelopes.segment(envelopes.new_id()), headers={"X-Sentry-Auth": f"Sentry sentry_key={key}"})
    assert answer.status in (400, 401, 403)
    assert kept(system) == (0, 0)


@pytest.mark.parametrize(
    ("key", "status"),
    [("", 401), ("short", 401), ("g" * 32, 401), ("0" * 32, 403), ("'; drop table", 401)],
)
def test_a_wrong_key_is_refused_and_leaves_nothing(system: System, key: str, status: int) -> None:
    answer = system.request(
        "POST", f"/api/{system.acme.web.project_id}/envelope/", query={"sentry_key": key}, body=envelopes.segment(envelopes.new_id())
    )
    assert answer.status == status, answer
    assert answer.json()["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert kept(system) == (0, 0)


def test_a_malformed_key_costs_no_read(system: System) -> None:
    """trust.md T22: 10k bogus keys → 0 DynamoDB reads."""
    with system.cloud.watch() as calls:
        send(system, system.acme.web, envelopes.segment(envelopes.new_id()), key="not-a-key")
    assert calls == []


def test_a_key_opens_only_its_own_project(system: System) -> None:
    acme, globex = system.acme, system.globex
    for other in (acme.shop, globex.web):
        answer = send(system, other, envelopes.segment(envelopes.new_id()), key=acme.web.public_key)
        assert answer.status == 403, answer
    assert send(system, acme.web, envelopes.segment(envelopes.new_id()), key=acme.web.public_key).status == 200


def test_an_unknown_project_answers_like_a_foreign_one(system: System) -> None:
    key, body = system.acme.web.public_key, envelopes.segment(envelopes.new_id())
    answers = [
        system.request("POST", f"/api/{project}/envelope/", query={"sentry_key": key}, body=body)
        for project in (system.globex.web.project_id, 999_999)
    ]
    assert {answer.status for answer in answers} == {403}
    assert answers[0].body == answers[1].body


# Bytes (§6.1, §6.2) -----------------------------------------------------------------

ENCODERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
}


@pytest.mark.parametrize("encoding", ENCODERS)
def test_every_content_encoding_is_understood(system: System, encoding: str) -> None:
    replay_id = envelopes.new_id()
    body = ENCODERS[encoding](envelopes.segment(replay_id))
    assert send(system, system.acme.web, body, headers={"Content-Encoding": encoding}).status == 200
    assert read(system, system.acme, system.acme.web, replay_id).status == 200


@pytest.mark.parametrize("compress", [True, False])
def test_a_recording_may_be_deflated_or_plain_and_is_stored_as_received(system: System, compress: bool) -> None:
    """architecture.md §3: recordings are stored as received, never re-serialised."""
    replay_id, events = envelopes.new_id(), b'[ {"type":4,"odd spacing":  1.50} , {"type":2} ]'
    send(system, system.acme.web, envelopes.segment(replay_id, events=events, compress=compress))
    [stored] = system.objects().values()
    assert stored == envelopes.recording(0, events, compress=compress).split(b"\n", 1)[1]


def test_the_last_newline_is_optional_and_lengths_are_bytes(system: System) -> None:
    replay_id = envelopes.new_id()
    body = envelopes.segment(replay_id, events='[{"type":5,"data":"ünïcode \u2028"}]'.encode(), compress=False)
    assert send(system, system.acme.web, body[:-1]).status == 200
    assert read(system, system.acme, system.acme.web, replay_id).status == 200


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "blank": b"\n\n",
    "not JSON": b"hello\n",
    "a list as header": b"[]\n{}\n",
    "no item header": b'{"event_id":"x"}\nnot json\npayload\n',
    "an item without type": b"{}\n{}\n{}\n",
    "a length beyond the end": b'{}\n{"type":"event","length":999}\n{}\n',
    "a negative length": b'{}\n{"type":"event","length":-1}\n{}\n',
    "a length that is no number": b'{}\n{"type":"event","length":"x"}\n{}\n',
    "a huge integer as length": b'{}\n{"type":"event","length":' + b"9" * 5000 + b"}\n{}\n",
    "a deep header": b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}\n",
    "bytes that are no text": b"\xff\xfe\x00\n\xff\n",
    "truncated gzip": gzip.compress(b"{}\n")[:-6],
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_envelope_is_a_400_with_detail(system: System, what: str) -> None:
    answer = send(system, system.acme.web, MALFORMED[what])
    assert answer.status == 400, answer
    assert answer.json()["detail"]
    assert kept(system) == (0, 0)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "compress", "gzip, br"])
def test_a_body_that_is_not_what_its_encoding_says_is_a_400(system: System, encoding: str) -> None:
    answer = send(system, system.acme.web, b"certainly not compressed", headers={"Content-Encoding": encoding})
    assert answer.status == 400, answer


def test_bad_base64_is_a_400_and_not_a_crash(system: System) -> None:
    """trust.md §5.2: API Gateway would say 502 for an exception."""
    path = f"/api/{system.acme.web.project_id}/envelope/"
    event = json.loads(json.dumps(_event(system, path)))
    for body in ("a", "é", "####", "AA=A"):
        returned = system.invoke("session_replays/ingest_envelope", {**event, "body": body, "isBase64Encoded": True})
        assert returned["statusCode"] == 400, body


def _event(system: System, path: str) -> dict[str, Any]:
    from tests.harness import gateway

    asked = gateway.request("v", "POST", path, query={"sentry_key": system.acme.web.public_key}, body=b"{}")
    route, names = gateway.find(system.template, "POST", path) or pytest.fail("no route")
    return gateway.event(system.template, asked, route, names, now=system.now)


# Limits (§6.1, trust.md T7) -----------------------------------------------------------------

BOMB = 200 * 1024 * 1024


def _zeros(compressor: Any) -> bytes:
    chunk = bytes(1024 * 1024)
    return b"".join([*(compressor.compress(chunk) for _ in range(BOMB // len(chunk))), compressor.flush()])


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """200 MiB of zeros, wrapped in a few KB."""
    deflated = _zeros(zlib.compressobj(9))
    return {
        "deflate": deflated,
        "gzip": _zeros(zlib.compressobj(9, zlib.DEFLATED, 31)),
        "zstd": _zeros(zstandard.ZstdCompressor(level=3).compressobj()),
        "gzip, gzip": gzip.compress(_zeros(zlib.compressobj(9, zlib.DEFLATED, 31))),
    }


@pytest.mark.parametrize("encoding", ["deflate", "gzip", "zstd", "gzip, gzip"])
def test_a_bomb_is_refused_before_it_unfolds(system: System, bombs: dict[str, bytes], encoding: str) -> None:
    tracemalloc.start()
    try:
        answer = send(system, system.acme.web, bombs[encoding], headers={"Content-Encoding": encoding})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Encodings within encodings are not unfolded at all (trust.md T7): that one is unknown, not too large.
    assert answer.status == (400 if "," in encoding else 413), answer
    assert peak < 256 * 1024 * 1024, "half of a small Lambda, for 200 MiB that want to unfold"
    assert kept(system) == (0, 0)


def test_a_bomb_inside_a_recording_is_dropped_after_the_200(system: System, bombs: dict[str, bytes]) -> None:
    replay_id = envelopes.new_id()
    payload = b'{"segment_id":0}\n' + bombs["deflate"]
    event = envelopes.replay_event(replay_id)
    body = envelopes.envelope({"event_id": replay_id}, ({"type": "replay_event"}, event), ({"type": "replay_recording"}, payload))
    tracemalloc.start()
    try:
        assert send(system, system.acme.web, body).status == 200
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024, "20 MiB inflated is the most of a recording"
    finally:
        tracemalloc.stop()
    assert kept(system) == (0, 0)


def test_what_lambda_cannot_take_is_413_and_says_where_larger_ones_go(system: System) -> None:
    answer = send(system, system.acme.web, envelopes.segment(envelopes.new_id(), events=b"[" + b" " * 5_000_000 + b"]", compress=False))
    assert answer.status == 413
    assert "/uploads/" in answer.json()["detail"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["request-id"]


def test_a_4_megabyte_envelope_fits(system: System) -> None:
    replay_id = envelopes.new_id()
    events = b'[{"type":3,"pad":"' + b"x" * 4_000_000 + b'"}]'
    assert send(system, system.acme.web, envelopes.segment(replay_id, events=events, compress=False)).status == 200
    assert read(system, system.acme, system.acme.web, replay_id).status == 200


# Replays that are dropped after the 200 (§6.2, §6.3) -----------------------------------------------------------------


def _dropped() -> dict[str, bytes]:
    replay_id = "a" * 32
    event = {"type": "replay_event"}, envelopes.replay_event(replay_id, at=1_772_704_790.0)
    recorded = {"type": "replay_recording"}, envelopes.recording(0, [])
    head = {"event_id": replay_id}

    def with_fields(**fields: Any) -> bytes:
        return envelopes.envelope(head, (event[0], {**event[1], **fields}), recorded)

    def with_recording(payload: bytes) -> bytes:
        return envelopes.envelope(head, event, ({"type": "replay_recording"}, payload))

    return {
        "a replay_event without a recording": envelopes.envelope(head, event),
        "a recording without a replay_event": envelopes.envelope(head, recorded),
        "two recordings": envelopes.envelope(head, event, recorded, recorded),
        "two replay_events": envelopes.envelope(head, event, event, recorded),
        "a video": envelopes.envelope(head, ({"type": "replay_video"}, b"\x81")),
        "error_ids that are no UUIDs": with_fields(error_ids=["x"]),
        "trace_ids that are no UUIDs": with_fields(trace_ids=["a" * 31]),
        "no segment_id": with_fields(segment_id=None),
        "a negative segment_id": with_fields(segment_id=-1),
        "a segment_id beyond 16 bits": with_fields(segment_id=65536),
        "a segment_id that is a truth": with_fields(segment_id=True),
        "no replay_id": with_fields(replay_id=None),
        "a replay_id that is no UUID": with_fields(replay_id="../../etc"),
        "another replay's replay_event": with_fields(replay_id="b" * 32),
        "a timestamp from before 1970": with_fields(timestamp=-5),
        "a timestamp from next year": with_fields(timestamp=1_772_704_800 + 400 * 86400),
        "no timestamp": with_fields(timestamp=None),
        "a replay_event that is a list": envelopes.envelope(head, (event[0], b"[]"), recorded),
        "a replay_event that is no JSON": envelopes.envelope(head, (event[0], b"{nope"), recorded),
        "a replay_event of a thousand levels": envelopes.envelope(head, (event[0], b"[" * 1000 + b"]" * 1000), recorded),
        "a replay_event with a huge integer": envelopes.envelope(head, (event[0], b'{"segment_id":' + b"9" * 5000 + b"}"), recorded),
        "a replay_event with NaN": envelopes.envelope(head, (event[0], b'{"timestamp":NaN}'), recorded),
        "a recording without a header": with_recording(zlib.compress(b"[]")),
        "a recording whose header is no number": with_recording(b'{"segment_id":"0"}\n' + zlib.compress(b"[]")),
        "a recording of another segment": with_recording(envelopes.recording(7, [])),
        "a recording that is neither deflated nor JSON": with_recording(b'{"segment_id":0}\nhello'),
        "a recording that is cut off": with_recording(envelopes.recording(0, envelopes.page(at=1.0) * 50)[:-20]),
    }


@pytest.mark.parametrize("what", _dropped())
def test_an_invalid_replay_is_dropped_after_the_200(system: System, what: str) -> None:
    """§6.1: processing is asynchronous in the real system; invalid replays are dropped after the 200."""
    answer = send(system, system.acme.web, _dropped()[what])
    assert answer.status == 200, answer
    assert kept(system) == (0, 0)
    assert index(system, system.acme).json()["data"] == []


def test_a_dropped_replay_does_not_take_the_rest_of_its_envelope_with_it(system: System) -> None:
    replay_id = record(system, system.acme.web)
    event_id = envelopes.new_id()
    body = envelopes.envelope(
        {"event_id": replay_id},
        ({"type": "replay_event"}, b"{nope"),
        ({"type": "event"}, {"event_id": event_id, "level": "error", "contexts": {"replay": {"replay_id": replay_id}}}),
    )
    assert send(system, system.acme.web, body).status == 200
    assert shown(system, system.acme, system.acme.web, replay_id)["error_ids"] == [event_id]


def test_lone_surrogates_are_never_stored(system: System) -> None:
    replay_id = envelopes.new_id()
    event = json.dumps(envelopes.replay_event(replay_id)).replace("https://example.com/", "\\ud800", 1).encode()
    body = envelopes.envelope(
        {"event_id": replay_id}, ({"type": "replay_event"}, event), ({"type": "replay_recording"}, envelopes.recording(0, []))
    )
    assert send(system, system.acme.web, body).status == 200
    assert index(system, system.acme).status == 200


# Conformance cases (§8) -----------------------------------------------------------------


def test_case_01_two_segments_are_one_replay_of_17_seconds(system: System) -> None:
    replay_id, now = envelopes.new_id(), system.now
    for number, at in ((0, now - 22), (1, now - 5)):
        send(system, system.acme.web, envelopes.segment(replay_id, number, at=at, started=now - 22))
    [row] = index(system, system.acme).json()["data"]
    assert (row["duration"], row["count_segments"]) == (17, 2)
    assert row["started_at"] == clock.iso(now - 22)
    assert row["finished_at"] == clock.iso(now - 5)
    assert row["started_at"].endswith("+00:00")
    assert "." not in row["started_at"]


def test_case_02_urls_are_concatenated_and_counted_with_duplicates(system: System) -> None:
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, 0, urls=["A", "B"]))
    send(system, system.acme.web, envelopes.segment(replay_id, 1, urls=["A"]))
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert row["urls"] == ["A", "B", "A"]
    assert row["count_urls"] == 3


def test_case_05_tags_of_segments_are_united(system: System) -> None:
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, 0, tags={"test": "hello", "other": "hello"}))
    send(system, system.acme.web, envelopes.segment(replay_id, 1, tags=[["test", "world"], ["other", "hello"]]))
    tags = shown(system, system.acme, system.acme.web, replay_id)["tags"]
    assert sorted(tags["test"]) == ["hello", "world"]
    assert tags["other"] == ["hello"]


def test_case_07_an_empty_release_is_none(system: System) -> None:
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, 0, release="test"))
    send(system, system.acme.web, envelopes.segment(replay_id, 1, release=""))
    assert shown(system, system.acme, system.acme.web, replay_id)["releases"] == ["test"]


@pytest.mark.parametrize("by", ["context", "tag", "trace"])
def test_case_08_an_error_event_is_linked_in_each_of_the_three_ways(system: System, by: str) -> None:
    replay_id, event_id = record(system, system.acme.web, urls=["a", "b", "c"]), envelopes.new_id()
    assert send(system, system.acme.web, envelopes.error_event(replay_id, event_id=event_id, by=by)).status == 200
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert (row["count_errors"], row["activity"]) == (1, 4)
    assert row["error_ids"] == [event_id]


def test_case_11_levels_are_counted_and_one_event_counts_once(system: System) -> None:
    replay_id = record(system, system.acme.web, urls=["a"])
    for level in ("fatal", "fatal", "error", "warning", "info", "debug"):
        body = envelopes.error_event(replay_id, level=level)
        for _ in range(2):
            send(system, system.acme.web, body)
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert (row["count_errors"], row["count_warnings"], row["count_infos"], row["activity"]) == (3, 1, 2, 8)
    assert (len(row["error_ids"]), len(row["warning_ids"]), len(row["info_ids"])) == (3, 1, 2)


def test_an_event_without_a_level_counts_as_an_error(system: System) -> None:
    """Decision 39."""
    replay_id = record(system, system.acme.web)
    send(system, system.acme.web, envelopes.error_event(replay_id, level=None))
    assert shown(system, system.acme, system.acme.web, replay_id)["count_errors"] == 1


def test_a_link_before_any_segment_stays_invisible_until_segment_0_is_there(system: System) -> None:
    """§6.5."""
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.error_event(replay_id))
    assert read(system, system.acme, system.acme.web, replay_id).status == 404
    send(system, system.acme.web, envelopes.segment(replay_id))
    assert shown(system, system.acme, system.acme.web, replay_id)["count_errors"] == 1


def test_case_12_a_person_is_named_by_username_then_email_then_id_then_ip(system: System) -> None:
    whole = {"id": 123, "username": "ann", "email": "ann@example.com", "ip_address": "198.51.100.4"}
    for missing, name in (
        ((), "ann"),
        (("username",), "ann@example.com"),
        (("username", "email"), "123"),
        (("username", "email", "id"), "198.51.100.4"),
    ):
        user = {key: value for key, value in whole.items() if key not in missing}
        row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, user=user))
        assert row["user"]["display_name"] == name
        assert row["user"]["ip"] == row["user"]["ip_address"] == "198.51.100.4", "decision 11"


def test_case_13_a_user_id_is_a_string(system: System) -> None:
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, user={"id": 123}))
    assert row["user"]["id"] == "123"


def test_case_14_ids_are_answered_without_dashes(system: System) -> None:
    """Decision 9."""
    dashed = "7E07485F-12F9-416B-8B14-26260799B51F"
    bare = dashed.replace("-", "").lower()
    answer = send(system, system.acme.web, envelopes.segment(dashed, error_ids=[dashed], trace_ids=[dashed]))
    assert answer.status == 200
    row = shown(system, system.acme, system.acme.web, dashed)
    assert row["id"] == bare
    assert row["trace_ids"] == row["error_ids"] == [bare]


def test_case_15_an_empty_field_never_hides_a_filled_one(system: System) -> None:
    replay_id = envelopes.new_id()
    empty: dict[str, Any] = {"user": None, "environment": None, "request": None, "sdk": None, "release": None}
    send(system, system.acme.web, envelopes.segment(replay_id, 0, **empty))
    send(system, system.acme.web, envelopes.segment(replay_id, 1))
    send(system, system.acme.web, envelopes.segment(replay_id, 2, **empty))
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert row["user"]["email"] == "ann@example.com"
    assert row["browser"]["name"] == "Chrome"
    assert row["environment"] == "production"


def test_case_52_dead_and_rage_clicks_follow_the_contracts_rules(system: System) -> None:
    now, slow = system.now, envelopes.slow_click
    cases: list[tuple[dict[str, Any], int, int]] = [
        ({"waited_ms": 7000, "clicks": 1}, 1, 0),
        ({"waited_ms": 7000, "clicks": 5}, 1, 1),
        ({"tag": "div"}, 0, 0),
        ({"reason": "mutation"}, 0, 0),
        ({"waited_ms": 6999}, 0, 0),
        ({"tag": "a"}, 1, 0),
        ({"tag": "input", "clicks": 4}, 1, 0),
    ]
    for options, dead, rage in cases:
        replay_id = record(system, system.acme.web, events=[slow(3, at=now - 8, **options)])
        row = shown(system, system.acme, system.acme.web, replay_id)
        assert (row["count_dead_clicks"], row["count_rage_clicks"]) == (dead, rage), options
        assert len(row["clicks"]) == 1, options


def test_a_click_that_turns_out_to_be_dead_later_is_one_click(system: System) -> None:
    """§6.4: a ui.click and its later slowClick merge, even when they come in two segments."""
    replay_id, at = envelopes.new_id(), system.now - 9
    attributes = {"id": "buy", "class": "btn  primary", "aria_label": "Buy", "role": "button", "testId": "buy-1"}
    send(system, system.acme.web, envelopes.segment(replay_id, 0, events=[envelopes.click(7, at=at, text="Buy now", **attributes)]))
    send(system, system.acme.web, envelopes.segment(replay_id, 1, events=[envelopes.slow_click(7, at=at, clicks=6)]))
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert (row["count_dead_clicks"], row["count_rage_clicks"], len(row["clicks"])) == (1, 1, 1)
    [click] = row["clicks"]
    assert click["click.tag"] == "button"
    assert click["click.id"] == "buy"
    assert click["click.classes"] == ["btn", "primary"]
    assert click["click.label"] == "Buy"
    assert click["click.testid"] == "buy-1"
    assert click["click.text"] == "Buy now"


def test_at_most_20_clicks_of_a_segment_are_kept(system: System) -> None:
    events = [envelopes.click(node, at=system.now - 5) for node in range(30)]
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, events=events))
    assert len(row["clicks"]) == 20


def test_a_recording_that_is_no_json_is_kept_without_clicks(system: System) -> None:
    """§6.4: blob is still stored, no clicks."""
    replay_id = record(system, system.acme.web, events=b'[{"type":5, nonsense')
    assert shown(system, system.acme, system.acme.web, replay_id)["clicks"] == []
    assert len(system.objects()) == 1


def test_the_extras_101_urls_are_100_and_a_resent_segment_counts_once(system: System) -> None:
    replay_id = envelopes.new_id()
    body = envelopes.segment(replay_id, urls=[f"/{n}" for n in range(101)])
    for _ in range(3):
        assert send(system, system.acme.web, body).json() == {"id": replay_id}
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert (len(row["urls"]), row["count_urls"], row["count_segments"]) == (100, 100, 1)


def test_another_recording_of_the_same_segment_loses(system: System) -> None:
    """Decision 34: the first wins, 200 and dropped."""
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, events=[{"first": 1}], urls=["/first"]))
    assert send(system, system.acme.web, envelopes.segment(replay_id, events=[{"second": 2}], urls=["/second"])).status == 200
    download = system.request(
        "GET",
        replay_url(system.acme, system.acme.web, replay_id, "recording-segments/"),
        query={"download": ""},
        token=system.acme.token("member"),
    )
    assert download.json() == [[{"first": 1}]]
    assert shown(system, system.acme, system.acme.web, replay_id)["urls"] == ["/first"]
    assert len(system.objects()) == 1, "the losing recording is not left behind"


def test_the_user_agent_of_the_page_names_browser_and_system(system: System) -> None:
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, request={"headers": {"User-Agent": iphone}}))
    assert row["browser"]["name"] == "Mobile Safari"
    assert row["os"]["name"] == "iOS"
    assert row["device"]["brand"] == "Apple"
    told = {"browser": {"name": "Told", "version": "1"}}
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, contexts=told))
    assert row["browser"] == {"name": "Told", "version": "1"}, "explicit contexts win"


@pytest.mark.parametrize(
    ("user", "sdk", "ip"),
    [
        ({"id": "1", "ip_address": "{{auto}}"}, {}, "203.0.113.7"),
        ({"id": "1"}, {}, "203.0.113.7"),
        ({"id": "1"}, {"settings": {"infer_ip": "never"}}, None),
        ({"id": "1", "ip_address": "{{auto}}"}, {"settings": {"infer_ip": "never"}}, None),
        ({"id": "1", "ip_address": "10.0.0.1"}, {"settings": {"infer_ip": "never"}}, "10.0.0.1"),
    ],
)
def test_the_senders_address_is_used_only_where_the_sdk_lets_it(system: System, user: Any, sdk: Any, ip: str | None) -> None:
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, user=user, sdk={"name": "s", "version": "1", **sdk}))
    assert row["user"]["ip"] == ip
