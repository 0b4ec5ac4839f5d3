"""GET …/recording-segments/{segment_id}/: contract §1.6, §5."""

from __future__ import annotations

import gzip

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url, send


def segment(system: System, replay_id: str, number: object, *, headers: object = (), **query: str) -> Response:
    """GET a segment of a replay of web."""
    url = replay_url(system.acme, system.acme.web, replay_id, f"recording-segments/{number}/")
    return system.request("GET", url, query=query, headers=headers, token=system.acme.token("member"))  # type: ignore[arg-type]


def test_the_metadata_of_a_segment(system: System) -> None:
    replay_id = record(system, system.acme.web, segments=2)
    data = segment(system, replay_id, 1).json()["data"]
    assert (data["segmentId"], data["projectId"]) == (1, str(system.acme.web.project_id))
    assert data["replayId"] == replay_id
    assert data["dateAdded"].endswith("+00:00")


@pytest.mark.parametrize("download", ["", "true"])
@pytest.mark.parametrize("compress", [True, False])
def test_download_is_byte_for_byte_what_was_sent(system: System, download: str, compress: bool) -> None:
    replay_id, raw = envelopes.new_id(), b'[ {"n" : 1.50} ]'
    send(system, system.acme.web, envelopes.segment(replay_id, events=raw, compress=compress))
    answer = segment(system, replay_id, 0, download=download)
    assert answer.body == raw
    assert answer.headers["content-disposition"].startswith("attachment")


def test_gzip_is_used_where_it_is_accepted(system: System) -> None:
    replay_id = record(system, system.acme.web, events=[{"pad": "x" * 5000}])
    answer = segment(system, replay_id, 0, headers={"Accept-Encoding": "gzip"}, download="")
    assert gzip.decompress(answer.body) == segment(system, replay_id, 0, download="").body


@pytest.mark.parametrize("number", ["1", "65535", "65536", "-1", "x", "9" * 40, "1.0", "%00", "٣"])
def test_a_segment_that_there_is_not_is_404_in_the_contracts_words(system: System, number: str) -> None:
    replay_id = record(system, system.acme.web)
    for query in ({}, {"download": ""}):
        answer = segment(system, replay_id, number, **query)
        assert answer.status == 404, answer
        assert answer.json() == {"detail": "Replay recording segment not found."}


def test_a_large_segment_is_a_redirect_to_the_bucket(system: System) -> None:
    replay_id, raw = envelopes.new_id(), b'[{"pad":"' + b"x" * 7_000_000 + b'"}]'
    send(system, system.acme.web, envelopes.segment(replay_id, events=raw))
    answer = segment(system, replay_id, 0, download="")
    assert answer.status == 302
    assert system.follow(answer).body == raw, "the bucket says how it is encoded, and every client undoes that"
