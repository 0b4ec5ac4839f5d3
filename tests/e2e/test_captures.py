"""Captures on the whole stack: one real minute that ends by itself and holds exactly what was accepted in it; the console's page; `tapedeck captures`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from .conftest import ARTIFACTS, TAPEDECK, Run, Stack, signed_in, until

MINUTE = 60
Row = dict[str, Any]


class Captures:
    """The captures of a stack as somebody sees them."""

    def __init__(self, stack: Stack, role: str = "owner") -> None:
        self._api_url = stack.api_url
        self._token = stack.organization["users"][role]["token"]
        self.environment = stack.environment["envId"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self._api_url}{path}", data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def create(self, name: str, **more: Any) -> Row:
        made: Row = self.call("POST", "/api/captures", {"name": name, "envId": self.environment, **more})
        return made

    def get(self, capture_id: int) -> Row:
        row: Row = self.call("GET", f"/api/captures/{capture_id}")
        return row

    def await_status(self, capture_id: int, *wanted: str, seconds: float = 60) -> Row:
        """The capture as soon as it is one of these."""
        return until(lambda: next((row for row in [self.get(capture_id)] if row["status"] in wanted), None), f"{wanted}", seconds)


def new_name(word: str) -> str:
    """A name of at most 25 characters that nobody has."""
    return f"{word} {uuid.uuid4().hex[:8]}"


@pytest.fixture
def captures(stack: Stack) -> Captures:
    """As the owner sees them."""
    return Captures(stack)


@pytest.fixture
def surroundings(surroundings: dict[str, str]) -> dict[str, str]:
    """Where it is not as late as in Greenwich."""
    return {**surroundings, "TZ": "Asia/Kolkata"}


def found(captures: Captures, collection_id: str, name: str) -> list[int]:
    """The events of a name in a collection, by their number, in the order in which they were received."""
    answer = captures.call("POST", f"/v1/collection/{collection_id}/search", {"query": f'client.metadata.event_name:"{name}"', "size": 100})
    assert answer["total"] == len(answer["data"]), "more than a page"
    return [each["client"]["payload"]["n"] for each in reversed(answer["data"])]


def test_a_capture_of_a_minute_ends_by_itself_and_holds_exactly_what_was_accepted_in_it(stack: Stack, captures: Captures) -> None:
    """Its stop is a schedule of EventBridge's, fired by the emulator; nothing but events is sent meanwhile."""
    name, event = new_name("minute"), f"captured-{uuid.uuid4().hex[:8]}"

    def send(n: int) -> None:
        stack.ingest(stack.environment["bucket_id"], [{"name": event, "data": {"n": n}, "process": {"name": "shop", "server": "web-1"}}])

    send(0)
    time.sleep(0.05)  # the window begins with the millisecond of the request
    made = captures.create(name, status="STARTED", duration=MINUTE)
    assert made["status"] in ("STARTED", "STARTING", "RUNNING")
    send(1)
    running = captures.await_status(made["id"], "RUNNING")
    start, end = (datetime.fromisoformat(running[each]).timestamp() for each in ("start", "scheduledEnd"))
    assert end - start == MINUTE
    sent = 1
    while time.time() < end - 1.5:
        sent += 1
        send(sent)
        time.sleep(4)
    until(lambda: time.time() > end + 0.5, "the window is over", MINUTE)
    send(1000)
    done = captures.await_status(made["id"], "DONE", "FAILED", seconds=90)
    assert (done["status"], done["start"], done["end"]) == ("DONE", running["start"], running["scheduledEnd"])
    assert found(captures, done["collectionId"], event) == list(range(1, sent + 1))
    assert captures.call("GET", f"/v1/collection/{done['collectionId']}")["type"] == "capture"
    metrics = {each["type"]: each for each in captures.call("GET", f"/api/captures/{made['id']}/metrics")}
    assert sum(point["Maximum"] for point in metrics["EVENTS IN"]["dataPoints"]) >= sent
    assert {"BYTES IN", "ERRORS", "LATENCY"} <= set(metrics)


def test_a_capture_is_watched_until_it_is_stopped(tapedeck: Run, surroundings: dict[str, str], captures: Captures) -> None:
    name = new_name("watched")
    created = tapedeck("captures", "create", name)
    assert created.returncode == 0, created
    capture_id = int(created.stdout)
    captures.await_status(capture_id, "RUNNING")
    watch = subprocess.Popen([TAPEDECK, "captures", "watch", str(capture_id)], env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert watch.stderr is not None
        assert f"{name} RUNNING: from " in watch.stderr.readline()
        assert json.loads(tapedeck("captures", "stop", str(capture_id), "--json").stdout)["status"] == "STOPPING"
        said, _ = watch.communicate(timeout=60)
        assert watch.returncode == 0
        told = re.fullmatch(rf"{name} DONE: from (\S+ \S+) \((\S+) UTC\) until .*, collection ([0-9a-f-]{{36}})\n", said)
        assert told is not None, said
        assert datetime.fromisoformat(f"{told[1]}+05:30").strftime("%H:%M:%S") != told[2], "local time, and UTC beside it"
    finally:
        watch.kill()
        watch.communicate()
    listed = tapedeck("captures", "list").stdout
    assert re.search(rf"^{capture_id} +DONE .*{name}", listed, re.MULTILINE)
    assert tapedeck("captures", "delete", str(capture_id), "--yes").stdout == f"{capture_id} deleted\n"
    assert tapedeck("captures", "watch", str(capture_id)).returncode == 3


def test_ctrl_c_ends_watching_and_not_the_capture(tapedeck: Run, surroundings: dict[str, str], captures: Captures) -> None:
    made = captures.create(new_name("goes on"), status="STARTED")
    captures.await_status(made["id"], "RUNNING")
    watch = subprocess.Popen(
        [TAPEDECK, "captures", "watch", str(made["id"])],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell lets what it starts in the background ignore Ctrl-C
    )
    assert watch.stderr is not None
    assert "RUNNING" in watch.stderr.readline()
    watch.send_signal(signal.SIGINT)
    said, _ = watch.communicate(timeout=20)
    assert (watch.returncode, said) == (0, "")
    assert captures.get(made["id"])["status"] == "RUNNING"
    captures.call("DELETE", f"/api/captures/{made['id']}")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["create", "x"], 1, "must be 4 to 25 characters long"),
        (["create", "x!", "--for", "5s"], 1, "must be at least 60 seconds"),
        (["create", "fine", "--for", "soon"], 1, "--for: soon is no length of time"),
        (["create", "fine", "--at", "tomorrow"], 1, "--at: tomorrow is no time"),
        (["create", "fine", "--at", "2026-01-01", "--in", "5m"], 1, "--at or --in, not both"),
        (["create", "fine", "--env", "nowhere"], 3, "there is no environment nowhere here: there is web"),
        (["watch", "999999"], 3, "404"),
        (["stop", "999999"], 3, "404"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(tapedeck: Run, arguments: list[str], code: int, said: str) -> None:
    ran = tapedeck("captures", *arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_browsers_cookie_opens_captures_and_nothing_else(stack: Stack, context: BrowserContext) -> None:
    assert context.request.post(f"{stack.api_url}/api/users/login", data={"token": "tdu_nobody"}).status == 403
    assert context.request.get(f"{stack.api_url}/api/users/me").status == 401
    member = stack.organization["users"]["member"]
    assert context.request.post(f"{stack.api_url}/api/users/login", data={"token": member["token"]}).status == 200
    [cookie] = context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == ("MyCRTAuthToken", True, "Strict", "/")
    assert context.request.get(f"{stack.api_url}/api/users/me").json()["email"] == member["email"]
    assert context.request.get(f"{stack.api_url}/api/captures").status == 200
    assert context.request.get(f"{stack.api_url}/api/bucket").status == 401


# The console ----------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past, in a zone whose offset is no whole number of hours."""
    opened = browser.new_context(viewport={"width": 1360, "height": 860}, timezone_id="Asia/Kolkata", locale="en-GB")
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def page(stack: Stack, context: BrowserContext) -> Iterator[Page]:
    """The captures page."""
    with signed_in(stack, context, "Captures", "New capture") as opened:
        yield opened


def row_of(page: Page, name: str) -> Locator:
    return page.locator(".capture", has_text=name)


def test_a_capture_is_begun_watched_stopped_looked_at_and_deleted(page: Page, stack: Stack) -> None:
    name, event = new_name("console"), f"seen-{uuid.uuid4().hex[:8]}"
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Stops after").select_option("900")
    page.keyboard.press("Enter")
    row = row_of(page, name)
    expect(row.locator(".badge")).to_have_text("Running")
    expect(row.get_by_role("progressbar", name=f"How far {name} is")).to_be_visible()
    expect(row.locator(".capture-left")).to_have_text(re.compile(r"^14:\d\d left$"))
    expect(row.locator("time").first).to_contain_text("UTC")
    expect(row).to_contain_text("owner@acme.example")
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-captures.png")
    stack.ingest(stack.environment["bucket_id"], [{"name": event, "data": {"n": n}} for n in range(7)])
    row.get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    chart = page.get_by_role("img", name="Events In over time")
    expect(chart).to_be_visible(timeout=90_000)
    expect(chart.locator("desc")).to_have_text(re.compile(r"the most, \d+, in "))
    plot = page.get_by_role("slider", name="Events In, interval by interval")
    plot.focus()
    page.keyboard.press("Home")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r": \d+$"))
    page.screenshot(path=ARTIFACTS / "e2e-capture-live.png")
    page.get_by_role("button", name=f"Stop {name}").click()
    expect(page.locator(".player-head .badge")).to_have_text("Done")
    link = page.get_by_role("link", name=re.compile(r"^[0-9a-f-]{36}$"))
    expect(link).to_be_visible()
    page.screenshot(path=ARTIFACTS / "e2e-capture-done.png")
    link.click()
    expect(page.locator(".event")).to_have_count(7)
    expect(page.locator(".event-app").first).to_have_text(event)
    expect(page.locator(".event-peek").first).to_have_text('{"n":6}')
    page.go_back()
    page.get_by_role("button", name=f"Delete {name}").click()
    expect(page.get_by_role("alertdialog", name=f"Delete {name}?")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    page.get_by_role("button", name=f"Delete {name}").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="New capture")).to_be_visible()
    expect(row_of(page, name)).to_have_count(0)


def test_a_capture_is_scheduled_in_local_time_with_utc_beside_it(page: Page, captures: Captures) -> None:
    name = new_name("planned")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Begins").select_option("at")
    at = page.get_by_label("Time", exact=True)
    local = page.evaluate("new Date(Math.ceil(Date.now() / 3600000) * 3600000 + 86400000 - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 16)")
    at.fill(local)
    told = page.locator("#capture-utc")
    expect(told).to_have_text(re.compile(r"^= \w{3} \d+ \w{3}, \d\d:00 UTC \(your time is UTC\+5:30\)$"))
    page.get_by_role("button", name="Schedule").click()
    row = row_of(page, name)
    expect(row.locator(".badge")).to_have_text("Scheduled")
    expect(row.locator(".capture-left")).to_have_text(re.compile(r"^begins in 2[3-4]:\d\d:\d\d$"))
    kept = next(each for each in captures.call("GET", f"/api/captures?envId={captures.environment}") if each["name"] == name)
    assert datetime.fromisoformat(kept["scheduledStart"]) == datetime.fromisoformat(f"{local}+05:30")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name=re.compile("Schedule|Capture")).last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    captures.call("DELETE", f"/api/captures/{kept['id']}")


def test_who_may_not_is_not_offered_it_and_people_are_changed_by_admins(page: Page, stack: Stack, captures: Captures, browser: Browser) -> None:
    made = captures.create(new_name("rights"), status="SCHEDULED", scheduledStart=int((time.time() + 86400) * 1000), duration=MINUTE)
    page.reload()
    panel = page.get_by_role("complementary", name="People of web")
    expect(panel.locator(".member")).to_have_count(3)
    panel.get_by_label("Add somebody of the organization").fill("outsider@acme.example")
    panel.get_by_role("button", name="Add").click()
    expect(panel.locator(".member")).to_have_count(4)
    panel.get_by_label("Role of Acme Outsider").select_option("admin")
    expect(page.locator("#announcer")).to_have_text("Acme Outsider is admin now")
    page.screenshot(path=ARTIFACTS / "e2e-members.png")
    elsewhere = browser.new_context(color_scheme="dark")
    try:
        other = elsewhere.new_page()
        other.set_default_timeout(30_000)
        other.goto(f"{stack.console}?page=captures#token={stack.organization['users']['member']['token']}")
        expect(row_of(other, made["name"])).to_be_visible()
        assert row_of(other, made["name"]).get_by_role("button").count() == 0
        expect(other.get_by_role("button", name="Leave web")).to_be_visible()
        assert other.get_by_label("Add somebody of the organization").count() == 0
        other.screenshot(path=ARTIFACTS / "e2e-captures-dark.png")
    finally:
        elsewhere.close()
    panel.get_by_role("button", name="Remove Acme Outsider").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(panel.locator(".member")).to_have_count(3)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        Captures(stack, "member").call("DELETE", f"/api/captures/{made['id']}")
    captures.call("DELETE", f"/api/captures/{made['id']}")
