"""The console finds a replay again: a search box that suggests and says where it was misread, order, period and pages, all of it in the address."""

from __future__ import annotations

import json
import time
import urllib.error
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tapedeck_cli import demo

from .conftest import ARTIFACTS, Stack, until

ROBIN = b'{"id":"c-1042","username":"robin","email":"robin@customer.example"}'
ROWS_A_PAGE = 25


def visit(stack: Stack, environment: str, name: str, *, ago: float, segments: int = 5, plan: str = "regular") -> str:
    """Somebody else's visit to the demo's shop: its first envelopes, which are four segments and the error before the last of them."""
    replay_id = uuid.uuid4().hex
    somebody = f'{{"id":"{name}-1","username":"{name}","email":"{name}@example.com"}}'.encode()
    for envelope in islice(demo.envelopes(replay_id, time.time() - ago), segments):
        for old, new in ((ROBIN, somebody), (b'"production"', f'"{environment}"'.encode()), (b'"regular"', f'"{plan}"'.encode())):
            envelope = envelope.replace(old, new)
        stack.send(envelope)
    return replay_id


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> dict[str, Any]:
    """An environment of a new name with more visits than a page has rows; the first name is the latest visitor's, after tess, who had trouble."""
    environment = f"e2e-{uuid.uuid4().hex[:8]}"
    names = [f"visitor{number:02}" for number in range(ROWS_A_PAGE + 5)]
    for number, name in enumerate(names):
        visit(stack, environment, name, ago=300 + 60 * number, segments=1, plan="business plus" if number == 7 else "regular")
    visit(stack, environment, "tess", ago=200)

    def arrived() -> bool:
        rows = stack.get(f"organizations/{stack.organization['slug']}/replays/?statsPeriod=1h&per_page=100&environment={environment}")[
            "data"
        ]
        return len(rows) == len(names) + 1 and rows[0]["count_errors"] == 1

    until(arrived, "all visits are listed")
    return {"environment": environment, "names": names}


@pytest.fixture
def page(stack: Stack, crowd: dict[str, Any], context: BrowserContext) -> Iterator[Page]:
    """The list of the crowd's environment in a browser that is signed in, where nothing may go wrong unseen."""
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    opened = context.new_page()
    opened.goto(f"{stack.console}?environment={crowd['environment']}#token={stack.token}")
    expect(opened.locator(".replay").first).to_be_visible()
    yield opened
    assert complaints == []


def box(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search replays")


def people(page: Page) -> list[str]:
    """Who is listed, from the top, once the list is there."""
    expect(page.locator(".results:not([aria-busy])")).to_be_visible()
    return [text.split("\n")[0] for text in page.locator(".replay-link").all_inner_texts()]


def search(page: Page, query: str) -> None:
    box(page).fill(query)
    page.keyboard.press("Enter")
    page.wait_for_function("query => new URLSearchParams(location.search).get('query') === query", arg=query)


def test_keys_and_values_are_suggested_to_the_keyboard(page: Page, crowd: dict[str, Any]) -> None:
    page.keyboard.press("/")
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_attribute("aria-expanded", "false")
    page.keyboard.type("pl")
    tag = page.get_by_role("option", name="plan")
    expect(tag).to_be_visible()
    expect(page.get_by_role("listbox", name="Suggestions").get_by_role("group", name="Tags")).to_contain_text("plan")
    expect(box(page)).to_have_attribute("aria-expanded", "true")
    while tag.get_attribute("aria-selected") != "true":
        page.keyboard.press("ArrowDown")
    assert box(page).get_attribute("aria-activedescendant") == tag.get_attribute("id")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value("plan:")
    expect(page.get_by_role("option", name="regular")).to_be_visible()
    page.keyboard.type("plus")  # a part of the value, wherever it is in it
    offered = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(offered).to_have_count(1)
    expect(offered).to_contain_text("business plus")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-search.png")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box(page)).to_have_value('plan:"business plus" ')
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator(".replay")).to_have_count(1)
    assert people(page) == [crowd["names"][7]]
    expect(box(page)).to_be_focused()


def test_a_search_is_in_the_address(page: Page, crowd: dict[str, Any], stack: Stack, browser: Browser) -> None:
    everybody = people(page)
    search(page, "count_errors:>0 OR user.username:visitor0*")
    expect(page.locator(".replay")).to_have_count(11)
    page.get_by_label("Sort by").select_option("user.email")
    page.wait_for_url("**sort=user.email**")
    expect(page.locator(".chip.sorted").first).to_have_text("tess@example.com")
    expect(page.get_by_label("Sort by")).to_be_focused()
    page.get_by_role("button", name="turn round").click()
    page.wait_for_url("**sort=-user.email**")
    expect(page.locator(".chip.sorted").first).to_have_text("visitor09@example.com")
    page.get_by_label("Started", exact=True).select_option("24h")
    page.wait_for_url("**period=24h**")
    expected = [*reversed(crowd["names"][:10]), "tess"]
    assert people(page) == expected

    page.reload()
    assert people(page) == expected
    expect(box(page)).to_have_value("count_errors:>0 OR user.username:visitor0*")
    stranger = browser.new_context()
    try:
        shared = stranger.new_page()
        shared.goto(f"{page.url}#token={stack.token}")
        expect(shared.locator(".replay")).to_have_count(11)
        assert people(shared) == expected
        expect(shared.get_by_label("Started", exact=True)).to_have_value("24h")
    finally:
        stranger.close()

    for _ in range(4):
        page.go_back()
    expect(box(page)).to_have_value("")
    expect(page.locator(".replay")).to_have_count(ROWS_A_PAGE)
    assert people(page) == everybody


def test_a_misread_search_is_marked_where_it_went_wrong(page: Page) -> None:
    search(page, "user.username:tess duration:soon")
    problem = page.get_by_role("alert")
    expect(problem).to_contain_text("duration: Invalid number: soon.")
    expect(problem.locator("mark")).to_have_text("duration:soon")
    expect(box(page)).to_have_attribute("aria-invalid", "true")
    assert box(page).get_attribute("aria-describedby") == problem.get_attribute("id")
    expect(page.locator(".replay")).to_have_count(0)
    page.screenshot(path=ARTIFACTS / "e2e-search-misread.png")
    problem.get_by_role("button", name="Go there").click()
    page.keyboard.type("duration:>1s")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    expect(page.locator(".replay")).to_have_count(1)
    expect(page.get_by_role("alert")).to_have_count(0)


MISREAD = {
    "(count_errors:>0": "(",
    "a:b count_errors:>0)": ")",
    "user.id:1 duration:1s !duration:1004ms": "!duration:1004ms",
    "count_errors:[1, x] user.id:1": "count_errors:[1, x]",
    "user.id:1 urls:": "urls:",
    "user.id:1 viewed_by_me:perhaps": "viewed_by_me:perhaps",
    "user.ip:127.0.0.1 user.ip:127.256.0.1 is:archived": "is:archived",
    "a:b id:nonsense": "id:nonsense",
    "a:b browser.name:[Chr*, x]": "browser.name:[Chr*, x]",
    'a:b click.selector:"div > p"': 'click.selector:"div > p"',
    "OR a:b": "OR",
    'a:b c:d"e': 'd"e',
}


def test_every_refusal_of_the_server_finds_its_place(page: Page, stack: Stack) -> None:
    for query, marked in MISREAD.items():
        with pytest.raises(urllib.error.HTTPError) as refusal:
            stack.get(f"organizations/{stack.organization['slug']}/replays/?query={quote(query)}")
        assert refusal.value.code == 400
        detail = json.load(refusal.value)["detail"]
        at = page.evaluate("async ([detail, query]) => (await import('./query.js')).place(detail, query)", [detail, query])
        assert at, f"{query}: no place for {detail}"
        assert query[slice(*at)] == marked, detail


def test_whatever_is_suggested_the_api_takes(page: Page, stack: Stack) -> None:
    index = f"organizations/{stack.organization['slug']}/replays/?statsPeriod=1h&per_page=1&field=id"
    about = page.evaluate("import('./fields.js').then(({FIELDS, IDEAS, SORTS}) => ({FIELDS, IDEAS, SORTS}))")
    values = {"id": [uuid.uuid4().hex], "address": ["10.0.0.1"], "number": ["1"]}
    filters = [
        f"{name}:{value}"
        for field in about["FIELDS"]
        for name in (field["key"], *field["aliases"])
        for value in [text for text, _ in about["IDEAS"].get(field["kind"], [])] or values.get(field["kind"], ["x", "*x*"])
    ]
    for start in range(0, len(filters), 50):
        query = " ".join(filters[start : start + 50])
        assert "data" in stack.get(f"{index}&query={quote(query)}"), query
    for sort in about["SORTS"]:
        assert "data" in stack.get(f"{index}&sort=-{sort['key']}"), sort
    examples = page.locator(".example")
    for query in examples.all_text_contents():
        assert "data" in stack.get(f"{index}&query={quote(query)}"), query
    assert examples.count() >= 8


def test_pages_do_not_shift_while_sessions_are_recorded(page: Page, crowd: dict[str, Any], stack: Stack) -> None:
    first = people(page)
    page.wait_for_timeout(2_500)
    visit(stack, crowd["environment"], "late", ago=0, segments=1)
    until(
        lambda: stack.get(
            f"organizations/{stack.organization['slug']}/replays/?query=user.username:late&environment={crowd['environment']}"
        )["data"],
        "late is listed",
    )
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**cursor=**")
    expect(page.locator(".replay-link").filter(has_text=crowd["names"][-1])).to_be_visible()
    second = people(page)
    assert first + second == ["tess", *crowd["names"]]
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["period"] == ["7d"]
    assert asked.keys() >= {"start", "end"}
    expect(page.get_by_label("Started", exact=True)).to_have_value("7d")
    page.get_by_role("link", name="Newer").click()
    expect(page.locator(".replay-link").first).to_contain_text("tess")
    search(page, "user.username:late")
    assert people(page) == ["late"]  # a new search looks at the period as it is now


def test_nothing_found_says_what_was_searched(page: Page, crowd: dict[str, Any]) -> None:
    search(page, "nobody")
    asked = page.locator(".asked")
    expect(asked).to_contain_text("nobody")
    expect(asked).to_contain_text("Last 7 days")
    expect(asked).to_contain_text(crowd["environment"])
    expect(page.get_by_role("button", name="urls:*nobody*")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "e2e-search-nothing.png")
    asked.get_by_role("button", name="All environments").click()
    page.wait_for_function("!new URLSearchParams(location.search).has('environment')")
    page.locator(".asked").get_by_role("button", name="Without it").click()
    expect(page.locator(".replay").first).to_be_visible()


def test_a_period_between_two_moments(page: Page, crowd: dict[str, Any]) -> None:
    page.get_by_label("Started", exact=True).select_option("")
    form = page.get_by_role("form", name="Started between")
    expect(form.get_by_label("From")).to_be_focused()
    year = time.gmtime().tm_year
    form.get_by_label("From").fill(f"{year - 3}-05-01T10:00")
    form.get_by_label("Until").fill(f"{year - 3}-05-01T09:00")
    form.get_by_role("button", name="Apply").click()
    assert form.get_by_label("Until").evaluate("field => field.validationMessage")
    form.get_by_label("Until").fill(f"{year - 3}-05-02T10:00")
    form.get_by_role("button", name="Apply").click()
    page.wait_for_url("**start=**")
    expect(page.locator(".asked")).to_contain_text("1 May")
    page.reload()
    expect(page.get_by_label("From")).to_have_value(f"{year - 3}-05-01T10:00")
    page.set_viewport_size({"width": 375, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.locator(".asked").get_by_role("button", name="Last 90 days").click()
    expect(page.locator(".replay").first).to_be_visible()
