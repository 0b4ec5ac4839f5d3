"""DELETE /api/0/projects/{org}/{project}/replays/{replay_id}/: contract §1.4, §4 (archived shape), case 57."""

from __future__ import annotations

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import index, read, record, replay_url, send, shown


def delete(system: System, replay_id: str, *, by: str = "owner") -> Response:
    """DELETE a replay of web."""
    return system.request("DELETE", replay_url(system.acme, system.acme.web, replay_id), token=system.acme.token(by))


def test_case_57_a_deleted_replay_has_the_archived_shape_and_no_recording(system: System) -> None:
    kept, replay_id = record(system, system.acme.web), record(system, system.acme.web, segments=2)
    before = shown(system, system.acme, system.acme.web, kept)
    answer = delete(system, replay_id)
    assert (answer.status, answer.body) == (204, b"")
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert (row["id"], row["project_id"]) == (replay_id, str(system.acme.web.project_id))
    assert row["is_archived"] is True
    assert row["has_viewed"] is False
    assert row["user"]["id"] == row["user"]["display_name"] == "Archived Replay"
    for name in ("trace_ids", "error_ids", "info_ids", "warning_ids", "releases", "clicks", "tags"):
        assert row[name] == [], name
    for name in ("urls", "activity", "duration", "started_at", "finished_at", "count_segments", "count_errors", "environment", "platform"):
        assert row[name] is None, name
    assert set(row["browser"].values()) == {None}
    assert "replay_type" not in row
    assert delete(system, replay_id).status == 404
    url = replay_url(system.acme, system.acme.web, replay_id, "recording-segments/")
    token = system.acme.token("member")
    assert system.request("GET", url, query={"download": ""}, token=token).json() == []
    assert system.request("GET", url + "0/", token=token).status == 404
    assert shown(system, system.acme, system.acme.web, kept) == before, "other replays are untouched"
    assert len(system.objects()) == 1, "the recording is gone, the other one is not"
    assert not [key for key in system.objects() if replay_id in key]


def test_nothing_of_what_was_recorded_is_left_in_the_table(system: System) -> None:
    replay_id = record(system, system.acme.web, user={"id": "canary-user", "email": "canary@example.com"}, urls=["/canary"])
    delete(system, replay_id)
    from tapedeck.session_replays import merging

    for item in system.items("ReplaysTable"):
        text = repr(item) + "".join(repr(merging.decode(value["B"])) for value in item.values() if "B" in value)
        assert "canary" not in text


def test_an_id_never_seen_is_204_and_its_segments_are_refused(system: System) -> None:
    """§1.4: the archive marker is written."""
    replay_id = envelopes.new_id()
    assert delete(system, replay_id).status == 204
    assert send(system, system.acme.web, envelopes.segment(replay_id)).status == 200
    assert system.objects() == {}
    assert shown(system, system.acme, system.acme.web, replay_id)["is_archived"] is True


def test_a_late_segment_does_not_bring_a_deleted_replay_back(system: System) -> None:
    """§6.5: any archived row means archived."""
    replay_id = record(system, system.acme.web)
    delete(system, replay_id)
    for body in (envelopes.segment(replay_id, 1), envelopes.segment(replay_id, 0), envelopes.error_event(replay_id)):
        assert send(system, system.acme.web, body).status == 200
    row = shown(system, system.acme, system.acme.web, replay_id)
    assert row["is_archived"] is True
    assert row["error_ids"] == []
    assert system.objects() == {}


@pytest.mark.parametrize(("role", "status"), [("owner", 204), ("admin", 204), ("member", 403), ("outsider", 403)])
def test_only_those_who_administer_the_project_delete(system: System, role: str, status: int) -> None:
    """trust.md §8.2: DELETE replay needs replay:admin."""
    replay_id = record(system, system.acme.web)
    assert delete(system, replay_id, by=role).status == status
    assert shown(system, system.acme, system.acme.web, replay_id)["is_archived"] is (status == 204)


def test_malformed_ids_are_404_and_delete_nothing(system: System) -> None:
    """trust.md T5: never "all"."""
    record(system, system.acme.web)
    for replay_id in ("*", "null", "%20", "undefined", "0", "[]"):
        assert delete(system, replay_id).status == 404, replay_id
    assert index(system, system.acme).json()["data"][0]["is_archived"] is False


@pytest.mark.parametrize("kind", ["killed-before", "killed-after", "refused"])
def test_a_delete_that_died_half_way_is_finished_by_the_next_one(system: System, kind: str) -> None:
    with system.cloud.watch() as calls:
        delete(system, record(system, system.acme.web, segments=2))
    for k in range(len(calls)):
        replay_id = record(system, system.acme.web, segments=2)
        with system.cloud.fault(kind, k):  # type: ignore[arg-type]
            delete(system, replay_id)
        assert delete(system, replay_id).status in (204, 404)
        assert shown(system, system.acme, system.acme.web, replay_id)["is_archived"] is True
        assert not [key for key in system.objects() if replay_id in key], (k, str(calls[k]))


def test_a_segment_that_crosses_a_delete_leaves_no_recording(system: System) -> None:
    """The delete runs completely before the k-th call of the ingest, for every k."""
    for k in range(8):
        replay_id = record(system, system.acme.web)
        with system.cloud.between(k, lambda name=replay_id: delete(system, name) and None):  # type: ignore[misc]
            assert send(system, system.acme.web, envelopes.segment(replay_id, 1)).status == 200
        delete(system, replay_id)
        assert read(system, system.acme, system.acme.web, replay_id).json()["data"]["is_archived"] is True
        assert not [key for key in system.objects() if replay_id in key], k
