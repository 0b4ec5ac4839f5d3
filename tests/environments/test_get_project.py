"""GET /api/0/projects/{org}/{project}/: one environment, as Sentry's clients know it."""

from __future__ import annotations

from tests.harness import System


def test_a_project_is_found_by_slug_and_by_id(system: System) -> None:
    acme = system.acme
    by_slug, by_id = (
        system.request("GET", f"/api/0/projects/acme/{name}/", token=acme.token("member")).json() for name in ("web", acme.web.project_id)
    )
    assert by_slug == by_id
    assert (by_slug["id"], by_slug["slug"], by_slug["organization"]["slug"]) == (str(acme.web.project_id), "web", "acme")
    assert acme.web.public_key in by_slug["dsn"]


def test_a_colleague_without_the_project_is_told_so(system: System) -> None:
    """Decision 36: 403 on project paths, other organizations' 404."""
    assert system.request("GET", "/api/0/projects/acme/web/", token=system.acme.token("outsider")).status == 403
    assert system.request("GET", "/api/0/projects/globex/web/", token=system.acme.token("owner")).status == 404
