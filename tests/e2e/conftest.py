"""What the end-to-end tests stand on: a running stack, a shop page with the real SDK in it, a browser that tells of every request, and a server nobody may call."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ARTIFACTS = ROOT / "artifacts"
T = TypeVar("T")
TAPEDECK = Path(sys.executable).parent / "tapedeck"
Run = Callable[..., "subprocess.CompletedProcess[str]"]
STARTED_WITHIN = 300
QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".json": "application/json"}


def pytest_configure(config: pytest.Config) -> None:
    """The mark of everything here; and patience, for functions that start cold on a busy machine."""
    expect.set_options(timeout=30_000)
    config.addinivalue_line("markers", "e2e: needs a browser, npm and a running stack; `make e2e` runs it, `make test` does not")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever is collected with this file is end to end."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker("e2e")


class Stack:
    """A running Tapedeck, as local.json tells of it, seen by the owner of the first organization."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.api_url: str = about["api_url"]
        self.organization: dict[str, Any] = about["organizations"][0]
        self.environment: dict[str, Any] = self.organization["environments"][0]
        self.token: str = self.organization["users"]["owner"]["token"]
        self.dsn: str = self.environment["dsn"]
        self.console = f"{self.api_url}/console/"
        self.origin = self.api_url.removesuffix("/v")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """What the API answers to JSON."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.api_url}{path}", data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def get(self, path: str) -> Any:
        """What the API answers."""
        request = urllib.request.Request(f"{self.api_url}/api/0/{path}", headers={"Authorization": f"Bearer {self.token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def replays(self) -> list[dict[str, Any]]:
        """The newest replays of the first environment."""
        rows: list[dict[str, Any]] = self.get(
            f"organizations/{self.organization['slug']}/replays/?statsPeriod=1d&per_page=100&project={self.environment['project_id']}"
        )["data"]
        return rows

    def send(self, envelope: bytes, environment: dict[str, Any] | None = None) -> None:
        """Post an envelope as the SDK does, into the first environment unless another is given."""
        to = environment or self.environment
        url = f"{self.api_url}/api/{to['project_id']}/envelope/?sentry_version=7&sentry_key={to['public_key']}"
        request = urllib.request.Request(url, data=envelope, headers={"Content-Type": "text/plain;charset=UTF-8"}, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200

    def bucket(self, method: str, path: str, body: bytes | None = None) -> Any:
        """What a bucket answers; the path begins with its id."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.api_url}/api/bucket/{path}", data=body, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def ingest(self, bucket_id: str, records: list[dict[str, Any]] | bytes) -> list[str]:
        """Put events into a bucket as an agent does; their ids."""
        body = records if isinstance(records, bytes) else json.dumps(records).encode()
        ids: list[str] = self.bucket("POST", f"{bucket_id}/data/events/ingest", body)["ids"]
        return ids


def until(question: Callable[[], T | None], what: str, seconds: float = 30) -> T:
    """Ask again until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.5)
    pytest.fail(f"{what}: not within {seconds:.0f} s")


def free_port() -> int:
    """A port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack named by TAPEDECK_LOCAL_JSON, or one started for this run in a folder of its own."""
    if given := os.environ.get("TAPEDECK_LOCAL_JSON"):
        yield Stack(json.loads(Path(given).read_text()))
        return
    home = tmp_path_factory.mktemp("tapedeck")
    output = home / "dev.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            [TAPEDECK, "dev", "--port", str(free_port()), "--home", home],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    about = home / "local.json"

    def ready() -> dict[str, Any] | None:
        if process.poll() is not None:
            pytest.fail(f"tapedeck dev ended with {process.returncode}:\n{output.read_text()[-4000:]}")
        if not about.exists():
            return None
        known: dict[str, Any] = json.loads(about.read_text())
        try:
            with urllib.request.urlopen(f"{known['api_url']}/health", timeout=5):
                return known
        except OSError:
            return None

    try:
        yield Stack(until(ready, "tapedeck dev is up", STARTED_WITHIN))
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def surroundings(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """Who we are and where, for the tool: no folder of a local stack is needed."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TAPEDECK_HOME": str(tmp_path / "nothing"),
        "TAPEDECK_API_URL": stack.api_url,
        "TAPEDECK_TOKEN": stack.token,
        "TAPEDECK_ORG": stack.organization["slug"],
        "NO_COLOR": "1",
    }


@pytest.fixture
def tapedeck(surroundings: dict[str, str], tmp_path: Path) -> Run:
    """Runs the tool: arguments → what became of it."""

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [TAPEDECK, *arguments], env=surroundings, cwd=tmp_path, input=stdin, capture_output=True, text=True, timeout=120, check=False
        )

    return run


def serve(answer: Callable[[str], tuple[int, str, bytes]]) -> tuple[ThreadingHTTPServer, str]:
    """A web server on loopback whose answers a function makes out of the path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="session")
def installed() -> Path:
    """Where the commands are that package.json asks for, installed when they are not or are of another lock."""
    npm = shutil.which("npm") or pytest.fail("npm is not installed")
    mark = HERE / "node_modules" / ".package-lock.json"
    if not mark.exists() or mark.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        subprocess.run([npm, "ci"], cwd=HERE, check=True, capture_output=True, timeout=300)
    return HERE / "node_modules" / ".bin"


@pytest.fixture(scope="session")
def bundle(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """page.js with the unmodified SDK in it."""
    made = tmp_path_factory.mktemp("page") / "page.bundle.js"
    subprocess.run(
        [installed / "esbuild", "--bundle", "--format=esm", f"--outfile={made}", "page/page.js"],
        cwd=HERE,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return made.read_bytes()


@pytest.fixture
def shop(stack: Stack, bundle: bytes) -> Iterator[str]:
    """The address of a shop whose page carries our DSN."""
    pages = {
        "/": (".html", (HERE / "page" / "index.html").read_bytes().replace(b"{{dsn}}", stack.dsn.encode())),
        "/page.bundle.js": (".js", bundle),
        "/stock.json": (".json", b'{"left": 7}'),
    }

    def answer(path: str) -> tuple[int, str, bytes]:
        kind, body = pages.get(path.partition("?")[0], ("", b""))
        return (200, TYPES[kind], body) if kind else (404, "text/plain", b"")

    server, address = serve(answer)
    yield address
    server.shutdown()


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A server of another origin, and the list of everything that ever reached it."""
    calls: list[str] = []

    def answer(path: str) -> tuple[int, str, bytes]:
        calls.append(path)
        return 200, "text/javascript", b"top.pwned = 'script from elsewhere'"

    server, address = serve(answer)
    yield address, calls
    server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The distribution's Chromium, never a downloaded one."""
    chromium = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or pytest.fail("chromium is not installed")
    )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser without a past."""
    opened = browser.new_context(viewport={"width": 1360, "height": 860})
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@contextmanager
def signed_in(stack: Stack, context: BrowserContext, link: str, heading: str) -> Iterator[Page]:
    """A page of the console in a browser that is signed in, where nothing may go wrong unseen."""
    complaints: list[str] = []
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("console", lambda said: complaints.append(said.text) if "Content Security Policy" in said.text else None)
    opened = context.new_page()
    opened.goto(f"{stack.console}#token={stack.token}")
    opened.get_by_role("link", name=link, exact=True).click()
    expect(opened.get_by_role("heading", name=heading)).to_be_visible()
    yield opened
    assert opened.evaluate("top.pwned") is None
    assert complaints == []
