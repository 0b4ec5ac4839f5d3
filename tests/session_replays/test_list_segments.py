"""GET …/recording-segments/: contract §1.5, §5, decision 10 and case 55."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url, send


def segments(system: System, replay_id: str, **options: object) -> Response:
    """GET the segments of a replay of web."""
    query = {name: value for name, value in options.items() if name != "headers"}
    url = replay_url(system.acme, system.acme.web, replay_id, "recording-segments/")
    return system.request("GET", url, query=query, headers=options.get("headers", ()), token=system.acme.token("member"))  # type: ignore[arg-type]


def test_without_download_the_metadata_is_answered(system: System) -> None:
    """Decision 10."""
    replay_id = record(system, system.acme.web, segments=3)
    answer = segments(system, replay_id)
    assert [row["segmentId"] for row in answer.json()["data"]] == [0, 1, 2]
    assert {row["replayId"] for row in answer.json()["data"]} == {replay_id}
    assert set(answer.json()["data"][0]) == {"replayId", "segmentId", "projectId", "dateAdded"}
    assert answer.json()["data"][0]["dateAdded"].endswith("+00:00")


def test_case_55_download_is_byte_exact_and_paged(system: System) -> None:
    replay_id = envelopes.new_id()
    raws = [b'[{"n":0, "odd" : 1.50}]', b"[ ]", b'[{"n":2,"t":"\\u00e9"}]']
    for number in (2, 0, 1):
        send(system, system.acme.web, envelopes.segment(replay_id, number, events=raws[number], compress=number != 1))
    answer = segments(system, replay_id, download="")
    assert answer.body == b"[" + b",".join(raws) + b"]"
    assert answer.headers["content-type"] == "application/json"
    assert answer.links["next"]["results"] == "false"
    for cursor in ("1:1:0", "0:1:0"):
        assert segments(system, replay_id, download="true", per_page=1, cursor=cursor).body == b"[" + raws[1] + b"]"
    assert segments(system, replay_id, download="", per_page=1).links["next"] | {"url": ""} == {
        "rel": "next", "results": "true", "cursor": "0:1:0", "url": "",
    }  # fmt: skip


def test_gzip_is_used_where_it_is_accepted(system: System) -> None:
    replay_id = record(system, system.acme.web, events=[{"pad": "x" * 5000}])
    plain, packed = (segments(system, replay_id, download="", headers=headers) for headers in ({}, {"Accept-Encoding": "br, gzip;q=0.5"}))
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body)
    assert "content-encoding" not in segments(system, replay_id, download="", headers={"Accept-Encoding": "gzip;q=0"}).headers


def test_a_missing_recording_leaves_an_empty_place(system: System) -> None:
    replay_id = record(system, system.acme.web, segments=2)
    first = sorted(system.objects())[0]
    system.client("s3").delete_object(Bucket=system.template.physical_id("RecordingsBucket"), Key=first)
    body = segments(system, replay_id, download="").json()
    assert len(body) == 2
    assert body[0] == []
    assert body[1] != []


@pytest.mark.parametrize("query", [{}, {"download": ""}])
def test_an_unknown_replay_has_no_segments(system: System, query: dict[str, str]) -> None:
    answer = segments(system, "0" * 32, **query)
    assert (answer.status, answer.json()) == (200, [] if query else {"data": []})


def test_pages_end_below_what_lambda_may_answer_and_link_to_the_rest(system: System) -> None:
    replay_id = envelopes.new_id()
    for number in range(4):
        send(system, system.acme.web, envelopes.segment(replay_id, number, events=[{"n": number, "pad": "x" * 1_800_000}]))
    seen: list[int] = []
    answer = segments(system, replay_id, download="")
    for _ in range(6):
        seen += [events[0]["n"] for events in answer.json()]
        if answer.links["next"]["results"] == "false":
            break
        answer = system.request("GET", answer.links["next"]["url"], token=system.acme.token("member"))
    assert seen == [0, 1, 2, 3]


def test_one_segment_too_large_for_lambda_is_a_redirect_to_the_bucket(system: System) -> None:
    replay_id = envelopes.new_id()
    send(system, system.acme.web, envelopes.segment(replay_id, events=[{"pad": "x" * 7_000_000}]))
    answer = segments(system, replay_id, download="")
    assert answer.status == 302
    body = system.follow(answer).body
    text = body if body[:1] == b"[" else zlib.decompress(body)
    assert json.loads(text) == [[{"pad": "x" * 7_000_000}]]
    assert "X-Amz-Expires" in answer.headers["location"]


def test_a_large_segment_does_not_stop_the_pages(system: System) -> None:
    replay_id = envelopes.new_id()
    for number, size in enumerate((10, 7_000_000, 10)):
        send(system, system.acme.web, envelopes.segment(replay_id, number, events=[{"n": number, "pad": "x" * size}]))
    url = replay_url(system.acme, system.acme.web, replay_id, "recording-segments/") + "?download"
    statuses = []
    for _ in range(6):
        answer = system.request("GET", url, token=system.acme.token("member"))
        statuses.append(answer.status)
        if answer.links["next"]["results"] == "false":
            break
        url = answer.links["next"]["url"]
    assert statuses == [200, 302, 200]
