"""The console's events page: names, a chart that can be walked through, events as text, pages that do not shift, and a live tail that loses nothing."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .conftest import ARTIFACTS, Stack

EVENTS = 60
ROWS_A_PAGE = 25
MINUTE = 60_000
MARKUP = "<img src=x onerror=\"top.pwned = 'an event'\"><b>bold</b>"


def event(name: str, n: int, at: float, app: str = "shop") -> dict[str, Any]:
    return {
        "name": name,
        "at": int(at),
        "data": {"n": n, "note": MARKUP},
        "process": {"name": app, "server": f"web-{n % 2}", "pm_id": 3, "rev": "8f3c2a1"},
    }


@pytest.fixture(scope="module")
def name(stack: Stack) -> str:
    """An event that happened sixty times in the last hour, the newest last, and twice in another application; its data try to be markup."""
    made = f"sold {uuid.uuid4().hex[:8]}"
    now = time.time() * 1000
    records = [event(made, n, now - (EVENTS - n) * MINUTE) for n in range(EVENTS)]
    stack.ingest(stack.environment["bucket_id"], [*(event(made, n, now - MINUTE, "till") for n in range(2)), *records])
    return made


@pytest.fixture
def page(stack: Stack, name: str, context: BrowserContext) -> Iterator[Page]:
    """The event's page in a browser that is signed in, where nothing may go wrong unseen."""
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    opened = context.new_page()
    opened.goto(f"{stack.console}#token={stack.token}")
    opened.get_by_role("link", name="Events", exact=True).click()
    panel(opened).get_by_role("link", name=name).nth(0).click()
    expect(rows(opened).first).to_be_visible()
    yield opened
    assert opened.evaluate("top.pwned") is None
    assert complaints == []


def panel(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Events by application")


def rows(page: Page) -> Locator:
    return page.locator(".event")


def numbers(page: Page) -> list[int]:
    """The events that are listed, by their number, from the top."""
    expect(page.locator(".events-box:not([aria-busy])")).to_be_visible()
    return [int(re.findall(r'"n":(\d+)', text)[0]) for text in page.locator(".event-peek").all_inner_texts()]


def sell(stack: Stack, name: str, *which: int) -> None:
    stack.ingest(stack.environment["bucket_id"], [event(name, n, time.time() * 1000) for n in which])


def test_what_was_reported_is_named_drawn_and_listed(page: Page, name: str, stack: Stack) -> None:
    link = panel(page).get_by_role("link", name=name).nth(0)
    expect(link).to_have_attribute("aria-current", "true")
    expect(link).to_contain_text("60 events")
    assert f"event={name.replace(' ', '+')}&app=shop" in page.url
    drawn = page.get_by_role("img", name=f"{name} over time")
    expect(drawn).to_be_visible()
    expect(drawn.locator("desc")).to_have_text(re.compile(r"^60 events; the most, \d+, in "))
    page.get_by_text("As a table").click()
    told = page.get_by_role("region", name="The chart as a table").get_by_role("cell").all_inner_texts()
    assert sum(map(int, told)) == EVENTS
    assert numbers(page) == list(range(EVENTS - 1, EVENTS - 1 - ROWS_A_PAGE, -1))
    rows(page).first.locator("summary").click()
    shown = rows(page).first.locator("pre")
    expect(shown).to_contain_text('"note": "<img src=x onerror=')
    expect(rows(page).first).to_contain_text("8f3c2a1")
    assert page.locator(".events img, .events b").count() == 0
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-events.png")


def test_numbers_are_shown_as_they_were_sent(page: Page, stack: Stack) -> None:
    exact = f"exact-{uuid.uuid4().hex[:8]}"
    body = f'{{"name":"{exact}","data":{{"price":4.20,"id":12345678901234567890}},"process":{{"name":"shop","server":""}}}}'
    stack.ingest(stack.environment["bucket_id"], body.encode())
    page.goto(f"{stack.console}?page=events&event={exact}")
    expect(page.locator(".event-peek")).to_have_text('{"price":4.20,"id":12345678901234567890}')


def test_the_chart_is_walked_through_with_the_keyboard(page: Page) -> None:
    page.get_by_label("Interval", exact=True).select_option("5m")
    page.wait_for_url("**interval=5m**")
    plot = page.get_by_role("slider", name="Intervals")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r": 5 events$"))
    page.keyboard.press("Enter")
    page.wait_for_url("**from=**")
    expect(page.get_by_role("button", name="All times")).to_be_visible()
    found = numbers(page)
    assert len(found) == 5
    assert found == list(range(found[0], found[0] - 5, -1))
    page.reload()
    assert numbers(page) == found
    page.get_by_role("slider", name="Intervals").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("!new URLSearchParams(location.search).has('from')")
    expect(page.get_by_role("slider", name="Intervals")).to_be_focused()
    expect(rows(page)).to_have_count(ROWS_A_PAGE)


def test_filters_are_in_the_address(page: Page, name: str, stack: Stack, browser: Browser) -> None:
    page.get_by_label("Application", exact=True).select_option("")
    page.wait_for_function("!new URLSearchParams(location.search).has('app')")
    expect(page.locator(".chart-card .faint").first).to_have_text("62 events in the last 2 days")
    page.get_by_label("Application", exact=True).select_option("till")
    page.wait_for_url("**app=till**")
    expect(rows(page)).to_have_count(2)
    page.get_by_label("Server", exact=True).fill("web-1")
    page.keyboard.press("Enter")
    page.wait_for_url("**server=web-1**")
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_label("Server", exact=True)).to_be_focused()
    page.get_by_label("Period", exact=True).select_option("7")
    page.wait_for_url("**days=7**")
    page.reload()
    expect(rows(page)).to_have_count(1)
    stranger = browser.new_context(color_scheme="dark")
    try:
        shared = stranger.new_page()
        shared.goto(f"{page.url}#token={stack.token}")
        expect(rows(shared)).to_have_count(1)
        expect(shared.get_by_label("Server", exact=True)).to_have_value("web-1")
        expect(shared.get_by_label("Period", exact=True)).to_have_value("7")
        shared.screenshot(path=ARTIFACTS / "e2e-events-dark.png")
    finally:
        stranger.close()
    page.get_by_label("Server", exact=True).fill("nowhere")
    page.keyboard.press("Enter")
    expect(page.locator(".events-box .rows-empty")).to_contain_text(f"No {name} from there")
    page.get_by_role("button", name="From everywhere").click()
    expect(rows(page)).to_have_count(ROWS_A_PAGE)


def test_pages_do_not_shift_while_events_come_in(page: Page, stack: Stack) -> None:
    paged = f"paged {uuid.uuid4().hex[:8]}"
    sell(stack, paged, *range(EVENTS))
    page.goto(f"{stack.console}?page=events&event={paged}&app=shop")
    first = numbers(page)
    sell(stack, paged, 100, 101, 102)
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**offset=25**")
    assert first + numbers(page) == list(range(EVENTS - 1, EVENTS - 1 - 2 * ROWS_A_PAGE, -1))
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**offset=50**")
    assert numbers(page) == list(range(9, -1, -1))
    page.get_by_role("link", name="Newer").click()
    page.wait_for_url("**offset=25**")
    page.get_by_role("link", name="Newer").click()
    expect(page.get_by_role("heading", name="Newest events")).to_be_visible()
    assert numbers(page)[:4] == [102, 101, 100, 59]


def test_live_events_are_shown_paused_and_caught_up_with(page: Page, stack: Stack, context: BrowserContext) -> None:
    followed = f"followed {uuid.uuid4().hex[:8]}"
    sell(stack, followed, 0)
    page.goto(f"{stack.console}?page=events&event={followed}&app=shop")
    expect(rows(page)).to_have_count(1)
    sell(stack, followed, 1)  # since the list was read, but before anybody followed
    switch = page.get_by_role("switch", name="Live")
    state = page.locator(".live-state")
    switch.click()
    expect(state).to_have_text("Waiting for events")
    expect(switch).to_have_attribute("aria-checked", "true")
    assert "live=1" in page.url
    sell(stack, followed, 2)
    expect(rows(page)).to_have_count(3)
    assert numbers(page) == [2, 1, 0]
    expect(panel(page).locator("[aria-current]")).to_contain_text("3 events")  # the counts follow
    switch.click()
    expect(state).to_contain_text("Paused at")
    assert "live=1" not in page.url
    sell(stack, followed, 3)
    page.wait_for_timeout(2_500)
    expect(rows(page)).to_have_count(3)
    switch.click()
    expect(rows(page)).to_have_count(4)  # what came meanwhile is not lost
    context.set_offline(True)
    expect(state).to_contain_text("No connection; trying again in")
    page.screenshot(path=ARTIFACTS / "e2e-events-offline.png")
    sell(stack, followed, 4)
    context.set_offline(False)
    expect(rows(page)).to_have_count(5)
    assert numbers(page) == [4, 3, 2, 1, 0]
    expect(state).to_have_text("Waiting for events")
    page.reload()
    sell(stack, followed, 5)
    expect(rows(page)).to_have_count(6)
    page.get_by_role("switch", name="Live").click()
    sell(stack, followed, *range(6, 1206))
    page.get_by_role("switch", name="Live").click()
    expect(rows(page).first.locator(".event-peek")).to_contain_text('"n":1205')  # after so many the list is read anew
    expect(rows(page)).to_have_count(ROWS_A_PAGE)


def test_an_empty_bucket_says_how_to_send_and_shows_the_first_event(page: Page, stack: Stack) -> None:
    empty = stack.organization["environments"][-1]
    stack.bucket("DELETE", f"{empty['bucket_id']}/data/events/delete_all")
    page.goto(f"{stack.console}?page=events&environment={empty['slug']}")
    expect(page.get_by_role("heading", name="No event yet")).to_be_visible()
    code = page.locator(".code code")
    expect(code).to_contain_text(f"/api/bucket/{empty['bucket_id']}/data/events/ingest")
    assert stack.token not in code.inner_text()
    page.set_viewport_size({"width": 375, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.screenshot(path=ARTIFACTS / "e2e-events-empty.png")
    stack.ingest(empty["bucket_id"], [event("hello", 1, time.time() * 1000)])
    expect(page.get_by_role("heading", name="hello")).to_be_visible()
    expect(rows(page)).to_have_count(1)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 760})
    rows(page).first.locator("summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    expect(page.get_by_role("img")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "e2e-events-phone.png", full_page=True)
