"""GET /api/0/projects/{org}/{project}/replays/{replay_id}/: contract §1.3 and §4."""

from __future__ import annotations

import uuid

import pytest

from tests.harness import System
from tests.harness.sdk import read, record, shown

KEYS = {
    "id", "project_id", "trace_ids", "error_ids", "environment", "tags", "user", "sdk", "os", "browser", "device", "ota_updates", "is_archived",
    "urls", "clicks", "activity", "count_dead_clicks", "count_rage_clicks", "count_errors", "count_warnings", "count_infos", "count_segments",
    "count_urls", "dist", "duration", "finished_at", "started_at", "platform", "releases", "replay_type", "warning_ids", "info_ids", "has_viewed",
}  # fmt: skip


def test_the_answer_has_the_contracts_keys_and_types(system: System) -> None:
    row = shown(system, system.acme, system.acme.web, record(system, system.acme.web, tags={"transaction": "/x", "a": "b"}))
    assert set(row) >= KEYS
    assert set(row) - KEYS <= {"error_events"}, "beyond the contract: the times of linked events, for players"
    assert row["project_id"] == str(system.acme.web.project_id)
    assert set(row["user"]) == {"id", "username", "email", "ip", "ip_address", "geo", "display_name"}
    assert set(row["device"]) >= {"name", "brand", "model", "family"}
    assert row["tags"] == {"a": ["b"]}, "the transaction tag is internal"
    assert row["replay_type"] == "session"
    assert row["has_viewed"] is row["is_archived"] is False


def test_a_replay_is_one_round_trip_in_a_warm_container(system: System) -> None:
    replay_id = record(system, system.acme.web)
    read(system, system.acme, system.acme.web, replay_id)
    read(system, system.acme, system.acme.web, replay_id)
    assert system.cloud.trips == 1


@pytest.mark.parametrize("form", [str, lambda text: str(uuid.UUID(text)), str.upper], ids=["bare", "dashed", "upper"])
def test_a_replay_is_found_in_every_spelling_of_its_id(system: System, form: type[str]) -> None:
    replay_id = record(system, system.acme.web)
    assert read(system, system.acme, system.acme.web, form(replay_id)).json()["data"]["id"] == replay_id


@pytest.mark.parametrize("replay_id", ["0" * 32, "not-a-uuid", "1", "%2e%2e%2f", "a%00b", "x" * 200, "É"])
def test_what_is_no_replay_is_404(system: System, replay_id: str) -> None:
    record(system, system.acme.web)
    assert read(system, system.acme, system.acme.web, replay_id).status == 404


def test_a_replay_is_in_its_own_project_only(system: System) -> None:
    replay_id = record(system, system.acme.web)
    assert read(system, system.acme, system.acme.shop, replay_id).status == 404
    assert read(system, system.globex, system.globex.web, replay_id).status == 404


def test_fields_may_be_chosen_and_unknown_ones_are_400(system: System) -> None:
    replay_id = record(system, system.acme.web)
    assert read(system, system.acme, system.acme.web, replay_id, query={"field": "id"}).json() == {"data": {"id": replay_id}}
    assert read(system, system.acme, system.acme.web, replay_id, query={"field": "nope"}).status == 400


def test_slugs_and_ids_name_the_same_project(system: System) -> None:
    """Decision 38."""
    replay_id, acme = record(system, system.acme.web), system.acme
    url = f"/api/0/projects/{acme.id}/{acme.web.project_id}/replays/{replay_id}/"
    assert system.request("GET", url, token=acme.token("member")).body == read(system, acme, acme.web, replay_id).body


def test_a_replay_past_its_retention_is_gone_at_once(system: System) -> None:
    replay_id = record(system, system.acme.web)
    system.skip(91 * 86400)
    assert read(system, system.acme, system.acme.web, replay_id).status == 404
