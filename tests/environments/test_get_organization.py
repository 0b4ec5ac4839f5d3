"""GET /api/0/organizations/{org}/: decision 38."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.harness import System, envelopes


def test_an_organization_says_who_it_is_and_shows_the_callers_projects(system: System) -> None:
    acme = system.acme
    for name in ("acme", str(acme.id)):
        body = system.request("GET", f"/api/0/organizations/{name}/", token=acme.token("member")).json()
        assert (body["id"], body["slug"], body["name"]) == (str(acme.id), "acme", "Acme")
        assert "regionUrl" not in body.get("links", {}), "clients refuse one over plain http"
        assert [project["slug"] for project in body["projects"]] == ["web", "shop"]


def test_the_dsn_it_shows_is_one_that_records(system: System) -> None:
    body = system.request("GET", "/api/0/organizations/acme/", token=system.acme.token("member")).json()
    dsn = urlsplit(body["projects"][0]["dsn"])
    prefix, _, project = dsn.path.rpartition("/")
    url = f"https://{dsn.hostname}{prefix}/api/{project}/envelope/?sentry_key={dsn.username}"
    assert system.request("POST", url, body=envelopes.segment(envelopes.new_id())).status == 200


def test_who_belongs_to_no_project_sees_none(system: System) -> None:
    assert system.request("GET", "/api/0/organizations/acme/", token=system.acme.token("outsider")).json()["projects"] == []
