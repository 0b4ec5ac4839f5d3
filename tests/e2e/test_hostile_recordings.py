"""Whatever a malicious sender records, watching it runs nothing, calls nobody and leaves the player's cage as it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .conftest import Stack, until
from .hostile import attacks, envelope

SECONDS_OF_WATCHING = 1.6


@pytest.fixture(scope="module")
def watching(stack: Stack, browser: Browser) -> BrowserContext:
    """A browser that is signed in: every page of it takes the token out of its address."""
    return browser.new_context(viewport={"width": 1200, "height": 800})


def watch(page: Page, stack: Stack, replay_id: str) -> None:
    """Open a replay and let it play to its end."""
    page.goto(f"{stack.console}?replay={replay_id}&project={stack.environment['slug']}#token={stack.token}")
    expect(page.locator(".frame iframe")).to_be_attached()
    expect(page.frame_locator(".frame iframe").locator("#honest")).to_be_attached()
    page.wait_for_timeout(SECONDS_OF_WATCHING * 1000)


@pytest.mark.parametrize("name", attacks())
def test_a_hostile_recording_executes_nothing(name: str, stack: Stack, watching: BrowserContext, stranger: tuple[str, list[str]]) -> None:
    evil, calls = stranger
    replay_id, body = envelope(name, attacks()[name], evil)
    stack.send(body)
    until(lambda: any(row["id"] == replay_id for row in stack.replays()), f"{name} is listed")
    page = watching.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    try:
        watch(page, stack, replay_id)
        assert page.evaluate("window.pwned") is None
        assert dialogs == []
        assert calls == []
        assert [frame.get_attribute("sandbox") for frame in page.locator("iframe").all()] == ["allow-same-origin"]
        assert page.url.startswith(stack.console)
        assert page.locator("main script, main img, main object, main embed").count() == 0
        assert len(watching.pages) == 1
    finally:
        page.close()


def test_the_list_shows_hostile_names_as_text(stack: Stack, watching: BrowserContext, stranger: tuple[str, list[str]]) -> None:
    evil, calls = stranger
    replay_id, body = envelope("list", {"body": []}, evil)
    stack.send(body)
    until(lambda: any(row["id"] == replay_id for row in stack.replays()), "it is listed")
    page = watching.new_page()
    try:
        page.goto(f"{stack.console}#token={stack.token}")
        expect(page.locator(".replay-link").filter(has_text="<img src=").first).to_be_visible()
        assert page.evaluate("window.pwned") is None
        assert page.locator("main img, main script, main a[href^='javascript']").count() == 0
        assert calls == []
    finally:
        page.close()


def test_the_console_allows_itself_nothing_more_than_it_needs(stack: Stack, watching: BrowserContext) -> None:
    page = watching.new_page()
    try:
        answer = page.goto(stack.console)
        assert answer is not None
        rules = dict(rule.strip().partition(" ")[::2] for rule in answer.headers["content-security-policy"].split(";"))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == "'self'"
        assert (rules["base-uri"], rules["form-action"], rules["frame-ancestors"]) == ("'none'", "'none'", "'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
    finally:
        page.close()
