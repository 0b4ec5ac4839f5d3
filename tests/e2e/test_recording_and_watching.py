"""A session recorded by the unmodified SDK in a real browser is counted by the API and plays in the console."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, Request, expect

from .conftest import ARTIFACTS, Stack, until

# The SDK waits seven seconds for anything to happen after a click before it calls it dead, and five more before it sends that.
DEAD_AFTER = 15_000


class Witness:
    """Writes down where a context's requests went."""

    def __init__(self, context: BrowserContext) -> None:
        self.origins: set[str] = set()
        self.complaints: list[str] = []
        context.on("request", self._request)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https", "ws", "wss"}:
            self.origins.add(f"{parts.scheme}://{parts.netloc}")


def record(page: Page, address: str) -> None:
    """What maria does in the shop: buys, is thrown an error, and clicks a button that does nothing, five times."""
    page.goto(address)
    page.wait_for_timeout(800)
    for index in range(3):
        page.locator(".add").nth(index).click()
        page.wait_for_timeout(400)
    page.locator("#cheese").click()
    page.locator("#note").fill("ring twice please")
    page.locator("#pay").click()
    page.wait_for_timeout(3_500)
    for _ in range(5):
        page.locator("#coupon").click()
        page.wait_for_timeout(150)
    page.wait_for_timeout(DEAD_AFTER)
    page.goto("about:blank")  # leaving the page sends what is left


@pytest.fixture
def recorded(stack: Stack, shop: str, context: BrowserContext) -> dict[str, Any]:
    """The replay of a session in the shop, as the list shows it once everything has arrived."""
    witness = Witness(context)
    page = context.new_page()
    record(page, shop)
    page.close()
    assert witness.origins == {shop, stack.origin}

    def arrived() -> dict[str, Any] | None:
        mine = [row for row in stack.replays() if any(url.startswith(shop) for url in row["urls"] or [])]
        return mine[0] if mine and mine[0]["count_dead_clicks"] and mine[0]["count_errors"] else None

    return until(arrived, "the recorded session is listed with its dead click and its error")


def test_a_session_recorded_by_the_sdk_is_counted_and_plays(
    stack: Stack, recorded: dict[str, Any], shop: str, context: BrowserContext
) -> None:
    assert recorded["user"]["display_name"] == "maria"
    assert recorded["environment"] == "production"
    assert recorded["releases"] == ["corner-shop@1.4.0"]
    assert recorded["tags"]["plan"] == ["family"]
    assert recorded["browser"]["name"]
    assert "Chrom" in recorded["browser"]["name"]
    assert recorded["urls"][0] == f"{shop}/"
    assert (recorded["count_errors"], recorded["count_dead_clicks"], recorded["count_rage_clicks"]) == (1, 1, 1)
    assert recorded["count_segments"] >= 2
    assert 10 <= recorded["duration"] <= 60
    assert recorded["has_viewed"] is False

    witness = Witness(context)
    page = context.new_page()
    page.goto(f"{stack.console}#token={stack.token}")
    row = page.locator(".replay").filter(has=page.locator(f"a[href*='{recorded['id']}']"))
    expect(row).to_contain_text("maria")
    expect(row.locator(".badge.error")).to_contain_text("1")
    expect(row.locator(".badge.rage")).to_contain_text("1")
    assert "token" not in page.url
    row.locator("a").click()

    film = page.frame_locator(".frame iframe")
    expect(film.get_by_text("Lavender soap")).to_be_attached()
    clock = page.locator(".time b")
    before = clock.inner_text()
    until(lambda: clock.inner_text() != before, "the clock advances", 15)
    assert page.locator(".frame iframe").get_attribute("sandbox") == "allow-same-origin"

    page.get_by_role("tab", name="Errors").click()
    problem = page.locator("#pane-errors .row").filter(has_text="payment provider is not defined").first
    problem.locator("button").click()
    page.keyboard.press("Escape")
    expect(film.locator("#basket")).to_have_text("Basket: 3")
    page.get_by_role("tab", name="Clicks").click()
    expect(page.locator("#pane-clicks .row.rage")).to_contain_text("Apply coupon")
    expect(page.locator(".mark.rage")).to_have_count(1)
    page.get_by_role("tab", name="Console").click()
    expect(page.locator("#pane-console")).to_contain_text("payment provider is slow")
    page.get_by_role("tab", name="Network").click()
    expect(page.locator("#pane-network")).to_contain_text("stock.json")
    page.get_by_role("tab", name="Clicks").click()
    page.locator("#pane-clicks .row.rage button").click()
    page.wait_for_timeout(700)
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-player.png")

    assert witness.origins == {stack.origin}
    assert witness.complaints == []
    until(
        lambda: next((one for one in stack.replays() if one["id"] == recorded["id"] and one["has_viewed"]), None),
        "the replay counts as viewed",
    )

    page.goto(f"{stack.console}?replay={recorded['id']}&project={stack.environment['slug']}&t=5s")
    expect(clock).to_have_text(re.compile("^0:0[5-9]$"))   # it plays on from there
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 375, "height": 760})
    expect(clock).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.screenshot(path=ARTIFACTS / "e2e-player-phone.png", full_page=True)
    page.goto(f"{stack.console}?page=setup")
    expect(page.locator(".code").nth(1)).to_contain_text(stack.dsn)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Token")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
