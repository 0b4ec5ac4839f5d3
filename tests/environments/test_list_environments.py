"""GET /api/environments: those in which the caller has a role (decision 32)."""

from __future__ import annotations

import pytest

from tapedeck.environments import shapes
from tests.harness import System
from tests.harness.gateway import Response


def environments(system: System, by: str = "member") -> Response:
    """GET the environments of one of acme's people, or of the key of the organization."""
    return system.request("GET", "/api/environments", token=system.acme.org_key if by == "key" else system.acme.token(by))


def test_an_environment_is_shown_under_all_of_its_names(system: System) -> None:
    acme, web = system.acme, system.acme.web
    listed = environments(system).json()
    assert [each["slug"] for each in listed] == ["web", "shop"]
    assert listed[0] == {
        "id": web.env_id,
        "envId": web.env_id,
        "name": "web",
        "slug": "web",
        "ownerId": acme.users["owner"].id,
        "role": "member",
        "dbInstance": None,
        "retentionDays": None,
        "retentionChoices": [1, 3, 7, 14, 30, 60, 90],
        "stackRetentionDays": 90,
        "createdAt": "2026-03-05T10:00:00.000Z",
        "project_id": web.project_id,
        "projectKey": web.project_key,
        "bucket_id": web.bucket_id,
        "collection_id": web.collection_id,
        "dsn": listed[0]["dsn"],
    }
    assert listed[0]["dsn"] == system.request("GET", "/api/0/projects/acme/web/", token=acme.token("member")).json()["dsn"]
    shapes.Environments.model_validate(listed)


@pytest.mark.parametrize(("by", "role"), [("owner", "owner"), ("admin", "admin"), ("member", "member"), ("key", None)])
def test_everybody_sees_their_own_role(system: System, by: str, role: str | None) -> None:
    assert {each["role"] for each in environments(system, by).json()} == {role}


def test_who_belongs_to_none_sees_none(system: System) -> None:
    assert environments(system, "outsider").json() == []


def test_one_that_was_just_made_is_listed_by_a_container_that_listed_before(system: System) -> None:
    """architecture.md §3: list after write."""
    environments(system)
    system.request("POST", "/api/environments", json={"name": "new"}, token=system.acme.token("member"))
    assert [each["slug"] for each in environments(system).json()] == ["web", "shop", "new"]
