"""Event replays on the whole stack: what matches arrives, byte for byte and once; paused, resumed, done again, listened to; by the tool and by the console."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from .conftest import ARTIFACTS, TAPEDECK, Run, Stack, free_port, signed_in, until

Row = dict[str, Any]
REPLAY_ID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


class Arrived(NamedTuple):
    """A request that somebody was sent."""

    path: str
    headers: dict[str, str]
    body: bytes


class Sink:
    """A web server on loopback that keeps what arrives, and answers what it is told to."""

    def __init__(self, port: int = 0) -> None:
        self.arrived: list[Arrived] = []
        self.status: Callable[[bytes], int] = lambda _: 204
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.arrived.append(Arrived(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.status(body))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def bodies(self) -> list[bytes]:
        """What arrived, in order."""
        return [each.body for each in self.arrived]

    def close(self) -> None:
        """Nobody answers any more."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def sink() -> Iterator[Sink]:
    """Where events are sent to."""
    opened = Sink()
    yield opened
    opened.close()


@pytest.fixture
def mark() -> str:
    """A word that is in no event but this test's."""
    return f"m{uuid.uuid4().hex[:12]}"


def collect(stack: Stack, *payloads: bytes) -> None:
    """Put payloads into the environment's collection, as they are."""
    token = stack.environment["collection_token"]
    body = b"[" + b",".join(payloads) + b"]"
    request = urllib.request.Request(f"{stack.api_url}/v1/collect", data=body, headers={"Batch-Token": token}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def payload(mark: str, n: int) -> bytes:
    """A payload that no two JSON libraries would write alike."""
    return b'{ "mark":"%b",\t"n": %d, "price":4.20, "big":12345678901234567890, "e":1E2, "text":"\xc3\xbc \\u00fc \\/" }' % (
        mark.encode(),
        n,
    )


def numbers(bodies: list[bytes]) -> list[int]:
    """The payloads' numbers."""
    return [json.loads(body)["n"] for body in bodies]


def destination(tapedeck: Run, sink: Sink, *more: str) -> str:
    """A destination that leads to the sink: its id."""
    made = tapedeck("destination", "create", f"sink {uuid.uuid4().hex[:8]}", "--url", f"{sink.url}/hook", *more)
    assert made.returncode == 0, made
    return made.stdout.strip()


def test_what_matches_arrives_byte_for_byte_and_in_order(tapedeck: Run, stack: Stack, sink: Sink, mark: str) -> None:
    """Decision 29, and the contract §1.4: one POST an event, the original payload, the destination's headers, a stable key."""
    wanted = [payload(mark, n) for n in range(12)]
    collect(stack, *(each for n, body in enumerate(wanted) for each in (body, b'{"mark":"other","n":%d}' % n)))
    where = destination(tapedeck, sink, "--header", "X-Tenant: acme", "--header", "Authorization: Bearer s3cret")
    query = f"mark:{mark} AND price:>=4.2"
    tried = json.loads(tapedeck("replay", "create", "-d", where, "-q", query, "--dry-run", "--json").stdout)
    assert (tried["matched"], numbers([json.dumps(each["client"]["payload"]).encode() for each in tried["sample"]])) == (
        12,
        [0, 1, 2, 3, 4],
    )
    assert (
        f"12 of {tried['estimate']['looked_at']:,} events match"
        in tapedeck("replay", "create", "-d", where, "-q", query, "--dry-run").stdout
    )
    assert sink.arrived == []
    ran = tapedeck("replay", "create", "-c", stack.environment["slug"], "-d", where, "-q", query, "--name", f"all of {mark}", "--watch")
    assert ran.returncode == 0, ran
    replay_id, sentence = ran.stdout.splitlines()
    assert re.fullmatch(REPLAY_ID, replay_id)
    assert sentence == f"all of {mark} completed: 12 of 12 found sent, 100 % looked through"
    assert sink.bodies() == wanted
    assert {each.path for each in sink.arrived} == {"/hook"}
    assert {(each.headers["x-tenant"], each.headers["authorization"]) for each in sink.arrived} == {("acme", "Bearer s3cret")}
    keys = [each.headers["idempotency-key"] for each in sink.arrived]
    assert len(set(keys)) == 12
    assert all(key.startswith(f"{replay_id}:") for key in keys)
    entries = json.loads(tapedeck("replay", "history", replay_id, "--json").stdout).values()
    assert [entry["type"] for entry in entries] == ["created", "started", "completed"]
    assert "completed" in tapedeck("replay", "history", replay_id).stdout
    assert re.search(rf"^{replay_id} +completed +single +12 +0 +100 % ", tapedeck("replay", "list").stdout, re.MULTILINE)
    assert "s3cret" not in tapedeck("destination", "list", "--json").stdout
    assert re.search(rf"^{where} +ok ", tapedeck("destination", "health").stdout, re.MULTILINE)


def test_a_paused_replay_sends_nothing_and_a_resumed_one_nothing_twice(tapedeck: Run, stack: Stack, sink: Sink, mark: str) -> None:
    """Decision 4, and issue 6: after a pause nothing leaves but what is in flight; after an orderly one nothing is repeated."""
    collect(stack, *(payload(mark, n) for n in range(60)))
    where = destination(tapedeck, sink, "--max-per-second", "4")
    replay_id = tapedeck("replay", "create", "-d", where, "-q", f"mark:{mark}").stdout.strip()
    until(lambda: len(sink.arrived) >= 4, "some have arrived", 60)
    paused = json.loads(tapedeck("replay", "pause", replay_id, "--json").stdout)
    assert (paused["state"], paused["paused"]) == ("paused", True)
    held = len(sink.arrived)
    assert held < 60
    assert "paused" in tapedeck("replay", "pause", replay_id).stdout, "said twice it is still paused"
    time.sleep(3)
    assert len(sink.arrived) == held
    assert tapedeck("replay", "resume", replay_id).returncode == 0
    watched = tapedeck("replay", "watch", replay_id)
    assert (watched.returncode, watched.stderr.splitlines()[-1].split(":")[0].split()[-1]) == (0, "completed")
    assert numbers(sink.bodies()) == list(range(60))
    types = [entry["type"] for entry in json.loads(tapedeck("replay", "history", replay_id, "--json").stdout).values()]
    assert types == ["created", "started", "paused", "resumed", "completed"]
    assert tapedeck("replay", "pause", replay_id).stderr.count("409 The replay is completed") == 1
    assert tapedeck("replay", "archive", replay_id).stdout == f"{replay_id} archived\n"
    assert replay_id not in tapedeck("replay", "list").stdout
    assert replay_id in tapedeck("replay", "list", "--archived").stdout
    assert tapedeck("replay", "delete", replay_id, "--yes").stdout == f"{replay_id} deleted\n"
    assert tapedeck("replay", "watch", replay_id).returncode == 3


def test_what_is_refused_is_listed_and_a_redo_sends_it_again(tapedeck: Run, stack: Stack, sink: Sink, mark: str) -> None:
    """Decisions 2, 7 and 29: a 4xx is for good and goes to the history; a redo is a new replay and leaves the old one as it is."""
    collect(stack, *(payload(mark, n) for n in range(5)))
    where = destination(tapedeck, sink)
    sink.status = lambda body: 422 if b'"n": 3' in body else 200
    ran = tapedeck("replay", "create", "-d", where, "-q", f"mark:{mark}", "--watch", "--json")
    first = json.loads(ran.stdout)
    assert (first["state"], first["progress"]["sent"], first["progress"]["failed"]) == ("completed", 4, 1)
    lost = [
        entry
        for entry in json.loads(tapedeck("replay", "history", first["id"], "--json").stdout).values()
        if entry["type"] == "delivery_error"
    ]
    assert len(lost) == 1
    assert "422" in lost[0]["message"]
    sink.status = lambda _: 200
    again = json.loads(tapedeck("replay", "redo", first["id"], "--name", "once more", "--watch", "--json").stdout)
    assert (again["name"], again["redo_of"], again["state"], again["progress"]["sent"]) == ("once more", first["id"], "completed", 5)
    assert numbers(sink.bodies()) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert len({each.headers["idempotency-key"] for each in sink.arrived}) == 10
    gone = tapedeck("destination", "delete", where, "--yes")
    assert gone.stdout == f"{where} deleted\n"
    assert where not in tapedeck("destination", "list").stdout


def test_a_search_shows_what_a_replay_sends(tapedeck: Run, stack: Stack, mark: str) -> None:
    collect(stack, *(payload(mark, n) for n in range(30)))
    found = json.loads(tapedeck("search", stack.environment["slug"], f"mark:{mark} AND n:[10 TO 19]", "-n", "3", "--json").stdout)
    assert (found["total"], [each["client"]["payload"]["n"] for each in found["data"]]) == (10, [19, 18, 17])
    shown = tapedeck("search", stack.environment["slug"], f"mark:{mark} AND n:<2")
    assert shown.stdout.count(mark) == 2
    assert shown.stderr == "2 in all\n"


@pytest.fixture
def listening(surroundings: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `tapedeck listen`; a shell would let it ignore Ctrl-C, we do not."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [TAPEDECK, "listen", *arguments],
            env=surroundings,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_events_are_brought_to_a_program_on_this_machine(
    tapedeck: Run, listening: Callable[..., subprocess.Popen[str]], stack: Stack, mark: str
) -> None:
    """What is there and what comes, in order, byte for byte, also when nobody is there to begin with; Ctrl-C pauses it."""
    collect(stack, payload(mark, 0), payload(mark, 1))
    port = free_port()
    arguments = ("--forward", f"http://127.0.0.1:{port}/in", "--query", f"mark:{mark}", "--name", mark)
    first = listening(*arguments)
    assert first.stderr is not None
    assert first.stderr.readline() == f"passing mark:{mark} of web on to http://127.0.0.1:{port}/in; Ctrl-C pauses that\n"
    assert f"http://127.0.0.1:{port}/in does not answer" in first.stderr.readline()
    sink = Sink(port)
    try:
        sink.status = lambda body: 500 if b'"n": 1' in body else 200
        until(lambda: len(sink.arrived) >= 2, "what was there has arrived")
        collect(stack, payload(mark, 2))
        until(lambda: len(sink.arrived) >= 3, "what came has arrived")
        time.sleep(2)  # it says so a moment later
        first.send_signal(signal.SIGINT)
        said, complained = first.communicate(timeout=30)
        assert first.returncode == 0
        assert [line.split()[1] for line in said.splitlines()] == ["200", "500", "200"]
        replay = next(row for row in json.loads(tapedeck("replay", "list", "--json").stdout) if row["query"] == f"mark:{mark}")
        assert f"replay {replay['id']} is paused" in complained
        assert (replay["state"], replay["type"], replay["progress"]["sent"], replay["progress"]["failed"]) == ("paused", "continuous", 2, 1)
        collect(stack, payload(mark, 3))
        second = listening(*arguments, "--json")
        assert second.stdout is not None
        assert json.loads(second.stdout.readline())["status"] == 200
        second.send_signal(signal.SIGINT)
        assert second.communicate(timeout=30)[0] == ""
        assert sink.bodies() == [payload(mark, n) for n in range(4)]
        keys = [each.headers["idempotency-key"] for each in sink.arrived]
        assert len(set(keys)) == 4
        assert all(key.startswith(f"{replay['id']}:") for key in keys)
    finally:
        sink.close()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replay", "create", "-d", "nowhere"], 3, "there is no destination nowhere here"),
        (["replay", "watch", str(uuid.UUID(int=0))], 3, "404 There is no such replay"),
        (["replay", "history", "nonsense"], 3, "404 There is no such replay"),
        (["destination", "create", "x"], 1, "say --url, or --type"),
        (["destination", "create", "x", "--url", "ftp://example.com"], 1, "422 metadata.url: "),
        (["destination", "create", "x", "--type", "carrier-pigeon"], 1, "422 type: must be one of http"),
        (["destination", "create", "x", "--url", "http://127.0.0.1:1/", "-H", "nothing"], 1, "--header: nothing is not NAME:VALUE"),
        (["destination", "test", "nowhere"], 3, "there is no destination nowhere here"),
        (["search", "nowhere", "*"], 3, "there is no collection nowhere here"),
        (["search", "web", "name:/x/"], 1, "422 query: "),
        (["listen", "--forward", "localhost:3000"], 1, "--forward: localhost:3000 is no address"),
        (["dlq", "list"], 1, "no local stack is known here"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(tapedeck: Run, arguments: list[str], code: int, said: str) -> None:
    ran = tapedeck(*arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_destination_that_is_not_there_is_not_well(tapedeck: Run) -> None:
    """The contract §1.2: a failed connection is told as such, by the test and by the health of it afterwards."""
    where = tapedeck("destination", "create", f"nobody {uuid.uuid4().hex[:8]}", "--url", f"http://127.0.0.1:{free_port()}/").stdout.strip()
    tried = tapedeck("destination", "test", where)
    assert (tried.returncode, tried.stdout) == (1, "")
    assert "is not well: Failed to connect" in tried.stderr
    assert json.loads(tapedeck("destination", "health", where, "--json").stdout)[where]["status"] == "error"


def test_dead_letters_are_seen_and_sent_back(tapedeck: Run, stack: Stack, surroundings: dict[str, str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "local.json").write_text(json.dumps({"api_url": stack.api_url, "organizations": [stack.organization]}))
    surroundings["TAPEDECK_HOME"] = str(home)
    here = {"endpoint_url": stack.origin, "region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
    sqs = boto3.client("sqs", **here)
    stacks = boto3.client("cloudformation", **here)
    dead = stacks.describe_stack_resource(StackName="tapedeck", LogicalResourceId="DeadLetters")["StackResourceDetail"][
        "PhysicalResourceId"
    ]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    name = f"e2e-{uuid.uuid4().hex[:8]}"
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "1"})
    queue = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    try:
        sqs.send_message(QueueUrl=queue, MessageBody='{"ring": 1}')
        until(lambda: sqs.receive_message(QueueUrl=queue).get("Messages", []) == [], "it was in vain")
        listed = [row for row in json.loads(tapedeck("dlq", "list", "--json").stdout) if row["from"] == name]
        assert [row["body"] for row in listed] == ['{"ring": 1}']
        assert listed[0]["id"] in tapedeck("dlq", "list").stdout
        assert tapedeck("dlq", "redrive", "nothing").returncode == 3
        assert tapedeck("dlq", "redrive", listed[0]["id"]).stdout == "1 sent back\n"
        assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == '{"ring": 1}'
        assert listed[0]["id"] not in tapedeck("dlq", "list").stdout
    finally:
        sqs.delete_queue(QueueUrl=queue)


# The console ------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def page(stack: Stack, context: BrowserContext) -> Iterator[Page]:
    """The page of event replays."""
    with signed_in(stack, context, "Event replays", "New replay") as opened:
        yield opened


def state(page: Page) -> Locator:
    return page.locator(".player-head .badge")


def test_the_console_makes_a_destination_looks_ahead_and_replays(page: Page, stack: Stack, sink: Sink, mark: str) -> None:
    markup = b'{"mark":"%b","n":0,"note":"<img src=x onerror=\\"top.pwned = 1\\">"}' % mark.encode()
    collect(stack, markup, *(payload(mark, n) for n in range(1, 9)))
    targets = page.get_by_role("complementary", name="Destinations")
    targets.get_by_text("New destination").click()
    targets.get_by_label("Name", exact=True).fill(f"sink {mark}")
    targets.get_by_label("URL").fill(f"{sink.url}/console")
    targets.get_by_label("Headers").fill("X-From: the console")
    targets.get_by_role("button", name="Make").click()
    row = targets.get_by_role("listitem").filter(has_text=f"sink {mark}")
    row.get_by_role("button", name="Test").click()
    expect(row.locator(".badge")).to_have_text("Well")
    assert json.loads(sink.arrived.pop().body)["type"] == "tapedeck.test"
    page.get_by_label("To", exact=True).select_option(label=f"sink {mark}")
    page.get_by_label("Query", exact=True).fill("name:/x/")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert").filter(has_text="query")).to_be_visible()
    expect(page.get_by_label("Query", exact=True)).to_be_focused()
    page.get_by_label("Query", exact=True).fill(f"mark:{mark}")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview")).to_contain_text("9 events match")
    expect(page.locator(".preview .event")).to_have_count(5)
    expect(page.locator(".preview .event-peek").nth(1)).to_contain_text('"price":4.20,"big":12345678901234567890')
    assert page.locator(".preview img").count() == 0
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / "e2e-replays.png", full_page=True)
    assert sink.arrived == []
    page.get_by_label("Name", exact=True).first.fill(f"from the console {mark}")
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.get_by_role("heading", name=f"from the console {mark}")).to_be_visible()
    expect(state(page)).to_have_text("Completed")
    assert numbers(sink.bodies()) == list(range(9))
    assert sink.bodies()[0] == markup
    assert {each.headers["x-from"] for each in sink.arrived} == {"the console"}
    past = page.get_by_role("region", name="History").get_by_role("row")
    expect(past).to_have_count(4)
    expect(past.nth(1)).to_contain_text("Completed")
    page.screenshot(path=ARTIFACTS / "e2e-replay.png", full_page=True)
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_role("link", name="the replay that this one does again")).to_be_visible()
    expect(state(page)).to_have_text("Completed")
    assert len(sink.arrived) == 18
    page.get_by_role("button", name="Archive").click()
    expect(page.locator(".player-head .chip")).to_have_text("Archived")
    page.get_by_role("link", name="Event replays").last.click()
    expect(page.locator(".event-replay").filter(has_text=f"from the console {mark}")).to_have_count(1)


def test_the_console_pauses_and_resumes(page: Page, tapedeck: Run, stack: Stack, sink: Sink, mark: str) -> None:
    collect(stack, *(payload(mark, n) for n in range(40)))
    where = destination(tapedeck, sink, "--max-per-second", "3")
    replay_id = tapedeck("replay", "create", "-d", where, "-q", f"mark:{mark}", "--name", f"slow {mark}").stdout.strip()
    row = page.locator(f'.event-replay[data-id="{replay_id}"]')
    page.reload()
    button = row.get_by_role("button", name="Pause")
    button.focus()
    page.keyboard.press("Enter")
    expect(row.locator(".badge")).to_have_text("Paused")
    expect(row.get_by_role("button", name="Resume")).to_be_focused()
    held = len(sink.arrived)
    page.wait_for_timeout(2_500)
    assert len(sink.arrived) == held < 40
    page.keyboard.press("Enter")
    expect(row.locator(".badge")).to_have_text("Running")
    expect(row.get_by_role("progressbar")).to_be_visible()
    page.screenshot(path=ARTIFACTS / "e2e-replays-running.png")
    row.get_by_role("link").click()
    expect(state(page)).to_have_text("Completed", timeout=60_000)
    assert numbers(sink.bodies()) == list(range(40))


def test_a_bar_of_the_histogram_becomes_a_query(page: Page, stack: Stack, mark: str) -> None:
    """From what is seen of events to what is sent of them: the form knows the environment, the name and the interval."""
    name = f'named "{mark}"'
    stack.ingest(
        stack.environment["bucket_id"], [{"name": name, "data": {"n": n}, "process": {"name": "shop", "server": "web-1"}} for n in range(4)]
    )
    page.goto(f"{stack.console}?{urllib.parse.urlencode({'page': 'events', 'event': name, 'app': 'shop', 'interval': '5m'})}")
    plot = page.get_by_role("slider", name="Intervals")
    plot.focus()
    page.keyboard.press("End")
    while "4 events" not in (plot.get_attribute("aria-valuetext") or ""):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=**")
    page.get_by_role("link", name="Replay these").click()
    query = page.get_by_label("Query", exact=True)
    expect(query).to_have_value(
        re.compile(
            rf'^client\.metadata\.event_name:"named \\"{mark}\\"" AND client\.metadata\.app_name:"shop" AND batch\.info\.date_human:\['
        )
    )
    page.get_by_label("To", exact=True).select_option(index=0)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".preview")).to_contain_text("4 events match")


def test_what_a_collection_shows_is_replayed(page: Page, stack: Stack, mark: str) -> None:
    collect(stack, *(payload(mark, n) for n in range(3)))
    collection = stack.environment["collection_id"]
    page.goto(f"{stack.console}?{urllib.parse.urlencode({'page': 'collection', 'collection': collection, 'query': f'mark:{mark}'})}")
    expect(page.locator(".event")).to_have_count(3)
    page.get_by_role("link", name="Replay this").click()
    expect(page.get_by_label("Query", exact=True)).to_have_value(f"mark:{mark}")
    expect(page.get_by_label("Query", exact=True)).to_be_focused()
    expect(page.get_by_label("Events of", exact=True)).to_have_value(collection)


def test_a_phone_shows_all_of_it(page: Page) -> None:
    page.set_viewport_size({"width": 375, "height": 760})
    page.reload()
    expect(page.get_by_role("heading", name="New replay")).to_be_visible()
    expect(page.get_by_role("link", name="Event replays", exact=True)).to_be_in_viewport()
    page.get_by_text("New destination").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.screenshot(path=ARTIFACTS / "e2e-replays-phone.png", full_page=True)
