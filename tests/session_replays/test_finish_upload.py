"""POST /api/{project_id}/uploads/{upload_id}/: what was uploaded is taken as if it had been sent."""

from __future__ import annotations

import gzip

from tests.harness import System, envelopes
from tests.harness.sdk import shown
from tests.tour import upload


def test_an_envelope_beyond_lambdas_limit_is_recorded(system: System) -> None:
    replay_id = envelopes.new_id()
    body = envelopes.segment(replay_id, events=b'[{"pad":"' + b"x" * 7_000_000 + b'"}]', compress=False)
    _, finished = upload(system, body)
    assert (finished.status, finished.json()) == (200, {"id": replay_id})
    assert shown(system, system.acme, system.acme.web, replay_id)["count_segments"] == 1


def test_finishing_again_changes_nothing(system: System) -> None:
    replay_id = envelopes.new_id()
    created, finished = upload(system, envelopes.segment(replay_id))
    before = shown(system, system.acme, system.acme.web, replay_id)
    url = f"/api/{system.acme.web.project_id}/uploads/{created.json()['id']}/"
    again = system.request("POST", url, query={"sentry_key": system.acme.web.public_key})
    assert again.json() == finished.json()
    assert shown(system, system.acme, system.acme.web, replay_id) == before


def test_nothing_uploaded_is_404_and_anothers_upload_is_nothing(system: System) -> None:
    created, finished = upload(system, b"", put=False)
    assert finished.status == 404
    created, _ = upload(system, envelopes.segment(envelopes.new_id()))
    for project in (system.acme.shop, system.globex.web):
        url = f"/api/{project.project_id}/uploads/{created.json()['id']}/"
        assert system.request("POST", url, query={"sentry_key": project.public_key}).status == 404
    for upload_id in ("nope", "..%2f..%2frec", "*"):
        url = f"/api/{system.acme.web.project_id}/uploads/{upload_id}/"
        assert system.request("POST", url, query={"sentry_key": system.acme.web.public_key}).status == 404


def test_what_was_uploaded_is_held_to_the_same_rules(system: System) -> None:
    assert upload(system, b"not an envelope\n")[1].status == 400
    assert upload(system, gzip.compress(bytes(1000))[:-9])[1].status == 400
    assert upload(system, b"x" * (21 * 1024 * 1024))[1].status == 413
    assert system.items("ReplaysTable") == []
