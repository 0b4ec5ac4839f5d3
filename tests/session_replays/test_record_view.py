"""POST …/viewed-by/: contract §1.10."""

from __future__ import annotations

import pytest

from tests.harness import System
from tests.harness.gateway import Response
from tests.harness.sdk import read, record, replay_url, shown


def view(system: System, replay_id: str, token: str) -> Response:
    """POST that the caller has watched a replay of web."""
    return system.request("POST", replay_url(system.acme, system.acme.web, replay_id, "viewed-by/"), token=token)


def test_a_view_is_remembered_once_and_changes_nothing_else(system: System) -> None:
    replay_id = record(system, system.acme.web)
    before = shown(system, system.acme, system.acme.web, replay_id)
    system.skip(60)
    for _ in range(2):
        answer = view(system, replay_id, system.acme.token("member"))
        assert (answer.status, answer.body) == (204, b"")
    assert shown(system, system.acme, system.acme.web, replay_id) == {**before, "has_viewed": True}
    assert read(system, system.acme, system.acme.web, replay_id, by="owner").json()["data"]["has_viewed"] is False


def test_an_organization_key_is_nobody(system: System) -> None:
    replay_id = record(system, system.acme.web)
    assert view(system, replay_id, system.acme.org_key).status == 204
    assert view(system, "0" * 32, system.acme.org_key).status == 404


@pytest.mark.parametrize("replay_id", ["0" * 32, "nope"])
def test_an_unknown_replay_cannot_be_watched(system: System, replay_id: str) -> None:
    assert view(system, replay_id, system.acme.token("member")).status == 404
    assert system.items("ReplaysTable") == []
