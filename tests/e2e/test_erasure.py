"""One person is erased on the whole stack: recordings, events, what a capture has kept; others stay; the receipt proves it. By the tool and by the console."""

from __future__ import annotations

import hashlib
import json
import re
import time
import uuid
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tapedeck_cli import demo

from .conftest import ARTIFACTS, Run, Stack, signed_in, until

ROBIN = b'{"id":"c-1042","username":"robin","email":"robin@customer.example"}'
EVENTS = 20
Row = dict[str, Any]


class Two(NamedTuple):
    """Two people in one environment, with the mark that is in all of their events."""

    ann: str
    bob: str
    mark: str


def visit(stack: Stack, user: str) -> str:
    """Somebody's recorded visit: its id."""
    replay_id = uuid.uuid4().hex
    for envelope in islice(demo.envelopes(replay_id, time.time() - 100), 3):
        stack.send(envelope.replace(ROBIN, json.dumps({"id": user}).encode()))
    return replay_id


def shop(stack: Stack, two: Two, first: int = 0) -> None:
    """Both of them do something, turn by turn: events numbered from `first` on, the even ones Ann's."""
    process = {"name": "shop", "server": "web-1"}
    records = [
        {"name": "bought", "user": (two.ann, two.bob)[n % 2], "data": {"n": n, "mark": two.mark}, "process": process}
        for n in range(first, first + EVENTS)
    ]
    stack.ingest(stack.environment["bucket_id"], records)


def people() -> Two:
    """Two that nobody has met; one has an id that must be decoded exactly once."""
    mark = f"m{uuid.uuid4().hex[:10]}"
    return Two(f"ann+{mark}%41/ü b@example.com", f"bob.{mark}", mark)


@pytest.fixture
def two(stack: Stack) -> Two:
    """Ann and Bob, who were recorded twice and once, and bought something ten times each."""
    made = people()
    visits = [visit(stack, made.ann), visit(stack, made.ann), visit(stack, made.bob)]
    shop(stack, made)
    until(lambda: set(visits) <= {row["id"] for row in stack.replays()}, "the visits are listed")
    return made


def found(stack: Stack, collection_id: str, mark: str) -> list[int]:
    """The events of a mark, by their numbers, the oldest first."""
    answer = stack.call("POST", f"/v1/collection/{collection_id}/search", {"query": f"mark:{mark}", "size": 100})
    return [each["client"]["payload"]["n"] for each in reversed(answer["data"])]


def sessions(stack: Stack, user: str) -> int:
    """How many sessions of a person there are, as the list of session replays tells it."""
    query = quote(f'user.id:"{user}"')
    rows: list[Row] = stack.get(f"organizations/{stack.organization['slug']}/replays/?statsPeriod=1d&per_page=100&query={query}")["data"]
    return len(rows)


def captured(stack: Stack, two: Two) -> str:
    """What a capture has kept of what both do: its collection."""
    capture = stack.call("POST", "/api/captures", {"name": f"c {two.mark}", "envId": stack.environment["envId"], "status": "STARTED"})
    one = f"/api/captures/{capture['id']}"
    until(lambda: stack.call("GET", one)["status"] == "RUNNING", "it runs", 60)
    shop(stack, two, EVENTS)
    stack.call("POST", f"{one}/stop", {})
    until(lambda: stack.call("GET", one)["status"] == "DONE", "it is done", 60)
    return str(stack.call("GET", one)["collectionId"])


def test_one_person_goes_from_all_of_it_and_the_others_stay(tapedeck: Run, stack: Stack, two: Two) -> None:
    """Issue 7, decisions 18 and 25: sessions, events, a capture's collection; counts follow exactly; the receipt names nobody."""
    live = stack.environment["collection_id"]
    collection = captured(stack, two)
    assert found(stack, live, two.mark) == list(range(2 * EVENTS))
    assert found(stack, collection, two.mark) == list(range(EVENTS, 2 * EVENTS))
    assert (sessions(stack, two.ann), sessions(stack, two.bob)) == (2, 1)
    shown = tapedeck("user", "show", two.ann)
    assert shown.stdout.startswith(f"{two.ann}: 2 sessions in web, first seen ")
    assert json.loads(tapedeck("user", "show", two.bob, "--json").stdout)["sessionCount"] == 1
    kept = tapedeck("user", "erase", two.ann, "--now", stdin=f"{two.bob}\n")
    assert (kept.returncode, kept.stdout) == (1, "")
    assert kept.stderr.endswith("Type the id to say so: tapedeck: that is another id: nothing was erased\n")
    erased = tapedeck("user", "erase", two.ann, "--now", "--json", stdin=f"{two.ann}\n")
    assert erased.returncode == 0, erased
    receipt = json.loads(erased.stdout)
    assert (sessions(stack, two.ann), sessions(stack, two.bob)) == (0, 1)
    assert found(stack, live, two.mark) == list(range(1, 2 * EVENTS, 2))
    assert found(stack, collection, two.mark) == list(range(EVENTS + 1, 2 * EVENTS, 2))
    assert json.loads(tapedeck("user", "show", two.ann, "--json").stdout)["sessionCount"] == 0
    assert json.loads(tapedeck("user", "show", two.bob, "--json").stdout)["sessionCount"] == 1
    assert (receipt["counts"]["sessions"], receipt["counts"]["events"]) == (2, EVENTS)
    assert receipt["verified_absent"] is True
    assert two.mark not in erased.stdout
    told = {name: value for name, value in receipt.items() if name != "sha256"}
    assert (
        hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
        == receipt["sha256"]
    )
    assert json.loads(tapedeck("user", "receipt", str(receipt["job_id"]), "--json").stdout) == receipt
    assert f"{receipt['sha256']} (checked)" in tapedeck("user", "receipt", str(receipt["job_id"])).stdout
    assert re.search(rf"^ *{receipt['job_id']} +completed ", tapedeck("jobs", "list").stdout, re.MULTILINE)


def test_what_comes_late_of_an_erased_person_is_refused(tapedeck: Run, stack: Stack, two: Two) -> None:
    """Decision 27: nothing that happened before the erasure comes back after it, and others' still come."""
    assert tapedeck("user", "erase", two.ann, "--now", "--yes").returncode == 0
    before = int((time.time() - 3600) * 1000)
    process = {"name": "shop", "server": "web-1"}
    late = [
        {"name": "bought", "user": user, "at": before, "data": {"n": n, "mark": two.mark}, "process": process}
        for n, user in ((100, two.ann), (101, two.bob))
    ]
    stack.ingest(stack.environment["bucket_id"], late)
    visit(stack, two.ann)
    theirs = visit(stack, two.bob)
    until(lambda: any(row["id"] == theirs for row in stack.replays()), "bob's is listed")
    assert found(stack, stack.environment["collection_id"], two.mark) == [*range(1, EVENTS, 2), 101]
    assert sessions(stack, two.ann) == 0


def test_an_erasure_waits_for_midnight_and_can_be_cancelled_once(tapedeck: Run, stack: Stack, two: Two) -> None:
    """Decisions 16 and 17: scheduled for the next UTC midnight; a second one meanwhile 409; cancelled 200, again 501."""
    asked = json.loads(tapedeck("user", "erase", two.ann, "--yes", "--json").stdout)
    assert (asked["status"], asked["referenceId"], asked["startAt"] % 86_400_000) == ("scheduled", two.ann, 0)
    assert 0 < asked["startAt"] / 1000 - time.time() <= 86_400
    assert "409" in tapedeck("user", "erase", two.ann, "--yes").stderr
    early = tapedeck("user", "receipt", str(asked["jobId"]))
    assert (early.returncode, early.stderr.count("\n")) == (3, 1)
    cancelled = tapedeck("jobs", "cancel", str(asked["jobId"]))
    assert cancelled.stdout == f"job {asked['jobId']} cancelled: erase {two.ann}\n"
    again = tapedeck("jobs", "cancel", str(asked["jobId"]))
    assert (again.returncode, again.stdout, again.stderr.count("\n")) == (1, "", 1)
    assert "501" in again.stderr
    assert sessions(stack, two.ann) == 2


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["user", "show", "x" * 257], 1, "400 A user id has 1 to 256 characters"),
        (["user", "show", "x", "--env", "nowhere"], 3, "there is no environment nowhere here: there is web"),
        (["user", "receipt", "999999999"], 3, "404 Job not found"),
        (["jobs", "cancel", "999999999"], 3, "404 Job not found"),
        (["jobs", "list", "--token", "tdu_nobody"], 4, "401"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(tapedeck: Run, arguments: list[str], code: int, said: str) -> None:
    ran = tapedeck(*arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


# The console ------------------------------------------------------------------------------------------------------------------------------


def test_the_tool_tells_and_changes_for_how_long_is_kept(tapedeck: Run, stack: Stack) -> None:
    slug = stack.environment["slug"]
    assert tapedeck("environments", "retention", slug).stdout == f"{slug} keeps what is recorded for 90 days, as the stack does\n"
    assert tapedeck("environments", "retention", slug, "30", stdin="n\n").returncode != 0
    assert tapedeck("environments", "retention", slug, "30", "--yes").stdout == f"{slug} keeps what is recorded for 30 days\n"
    assert re.search(rf"{slug} +owner +30 days ", tapedeck("environments", "list").stdout)
    assert json.loads(tapedeck("environments", "retention", slug, "stack", "--json").stdout)["retentionDays"] is None
    wrong = tapedeck("environments", "retention", slug, "5")
    assert wrong.returncode != 0
    assert "1, 3, 7, 14, 30, 60, 90 days here" in wrong.stderr


@pytest.fixture
def page(stack: Stack, context: BrowserContext) -> Iterator[Page]:
    """The privacy page."""
    with signed_in(stack, context, "Privacy", "Erasures") as opened:
        yield opened


def look_up(page: Page, user: str) -> Locator:
    """The card of a person."""
    page.get_by_label("Their id").fill(user)
    page.keyboard.press("Enter")
    card = page.get_by_role("region", name=user, exact=True)
    expect(card).to_be_visible()
    return card


def ask(page: Page, card: Locator, user: str, when: str) -> None:
    """Ask for an erasure in the dialog, which wants the id typed."""
    card.get_by_role("button", name="Erase…").click()
    dialog = page.get_by_role("alertdialog")
    act = dialog.get_by_role("button", name="Erase", exact=True)
    expect(dialog.get_by_label("Type")).to_be_focused()
    dialog.get_by_label("Type").fill(user[:-1])
    expect(act).to_be_disabled()
    dialog.get_by_label("Type").fill(user)
    dialog.get_by_label(when).check()
    act.click()
    expect(dialog).to_have_count(0)


def test_the_console_shows_what_would_go_erases_it_and_proves_it(page: Page, stack: Stack, two: Two) -> None:
    card = look_up(page, two.ann)
    expect(card.locator("dl")).to_contain_text("Sessions2")
    expect(card.get_by_role("row")).to_have_count(3)
    assert two.mark not in page.url
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-privacy.png", full_page=True)
    ask(page, card, two.ann, "Now")
    job = page.locator(".job").filter(has_text=two.ann).first
    expect(job.locator(".badge")).to_have_text("Completed", timeout=90_000)
    expect(card.locator("dl")).to_contain_text("Sessions0")
    job.get_by_text("Receipt", exact=True).click()
    expect(job.locator(".receipt")).to_contain_text(re.compile(r"2 sessions"))
    expect(job.locator(".receipt pre")).to_contain_text('"verified_absent": true')
    assert two.mark not in job.locator(".receipt").inner_text()
    page.screenshot(path=ARTIFACTS / "e2e-privacy-receipt.png", full_page=True)
    assert sessions(stack, two.bob) == 1
    expect(look_up(page, two.bob).locator("dl")).to_contain_text("Sessions1")


def test_only_who_owns_the_environment_is_offered_to_erase(page: Page, stack: Stack, two: Two) -> None:
    page.goto(f"{stack.console}?page=privacy#token={stack.organization['users']['member']['token']}")
    card = look_up(page, two.bob)
    expect(card).to_contain_text("Who owns web can erase them")
    expect(card.get_by_role("button")).to_have_count(0)
    expect(page.locator(".job").get_by_role("button")).to_have_count(0)


def test_the_console_tells_and_changes_for_how_long_is_kept(page: Page, stack: Stack) -> None:
    card = page.get_by_role("region", name="Retention")
    expect(card).to_contain_text("web keeps what is recorded for 90 days")
    card.get_by_label("Keep for").select_option("30 days")
    card.get_by_role("button", name="Change").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Keep for 30 days only?")
    dialog.get_by_role("button", name="Cancel").click()
    expect(card.get_by_label("Keep for")).to_have_value("")
    card.get_by_label("Keep for").select_option("30 days")
    card.get_by_role("button", name="Change").click()
    dialog.get_by_role("button", name="Change").click()
    expect(card).to_contain_text("web keeps what is recorded for 30 days")
    page.reload()
    expect(card.get_by_label("Keep for")).to_have_value("30")
    page.screenshot(path=ARTIFACTS / "e2e-privacy-retention.png", full_page=True)
    card.get_by_label("Keep for").select_option("")
    card.get_by_role("button", name="Change").click()
    expect(card).to_contain_text("web keeps what is recorded for 90 days")  # a longer period asks nothing
    page.goto(f"{stack.console}?page=privacy#token={stack.organization['users']['member']['token']}")
    expect(card).to_contain_text("web keeps what is recorded for 90 days")
    expect(card.get_by_role("button")).to_have_count(0)


def test_the_console_schedules_and_cancels(page: Page, stack: Stack, two: Two) -> None:
    ask(page, look_up(page, two.bob), two.bob, "At the next midnight")
    job = page.locator(".job").filter(has_text=two.bob).first
    expect(job.locator(".badge")).to_have_text("Scheduled")
    card = page.get_by_role("region", name=two.bob, exact=True)
    ask(page, card, two.bob, "Now")
    expect(page.get_by_role("alert").filter(visible=True)).to_be_visible()  # one is under way
    job.get_by_role("button", name="Cancel job").click()
    expect(job.locator(".badge")).to_have_text("Cancelled")
    assert sessions(stack, two.bob) == 1
    page.set_viewport_size({"width": 375, "height": 760})
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.screenshot(path=ARTIFACTS / "e2e-privacy-phone.png", full_page=True)
