"""GET /console/…: the page's files under a strict policy (trust.md §5.3)."""

from __future__ import annotations

import pytest

from tests.harness import System


def test_the_bare_address_leads_to_the_page_and_keeps_the_stage(system: System) -> None:
    answer = system.request("GET", "/console")
    assert answer.status == 302
    assert answer.headers["location"].endswith("/v/console/")


def test_the_page_is_where_the_bare_address_leads(console: System) -> None:
    answer = console.request("GET", console.request("GET", "/console").headers["location"])
    assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_files_come_with_a_policy_that_lets_nothing_foreign_in(console: System) -> None:
    answer = console.request("GET", "/console/index.html")
    assert answer.status == 200, answer
    assert answer.headers["content-type"].startswith("text/html")
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["nope.js", "..%2fMakefile", "../template.yaml", "%2e%2e/%2e%2e/etc/passwd", "a%00b", "/etc/passwd"])
def test_what_is_not_a_file_of_the_console_is_404(console: System, path: str) -> None:
    assert console.request("GET", f"/console/{path}").status == 404
