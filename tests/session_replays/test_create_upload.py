"""POST /api/{project_id}/uploads/: the door for envelopes that Lambda cannot take."""

from __future__ import annotations

from tests.harness import System


def test_an_upload_is_one_object_of_ones_own_for_five_minutes(system: System) -> None:
    """trust.md T17: one key, at most 5 minutes."""
    web = system.acme.web
    answer = system.request("POST", f"/api/{web.project_id}/uploads/", query={"sentry_key": web.public_key})
    said = answer.json()
    assert answer.status == 201
    assert f"/up/{system.acme.id}/{web.project_id}/{said['id']}" in said["url"]
    assert said["expires_in"] <= 300
    assert said["finish"].endswith(f"/v/api/{web.project_id}/uploads/{said['id']}/")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_only_a_key_of_the_project_may_upload(system: System) -> None:
    web, theirs = system.acme.web, system.globex.web
    for query, status in (({}, 401), ({"sentry_key": "x"}, 401), ({"sentry_key": theirs.public_key}, 403)):
        assert system.request("POST", f"/api/{web.project_id}/uploads/", query=query).status == status
