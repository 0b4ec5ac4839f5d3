"""Browsers, systems and devices, as the ua-parser project knows them."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tapedeck.session_replays.user_agent import contexts

CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 16_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.2 "
    "Mobile/15E148 Safari/604.1"
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0"


@pytest.mark.parametrize(
    ("agent", "browser", "os", "device"),
    [
        (CHROME, ("Chrome", "120.0.0"), ("Windows", "10"), (None, None, None)),
        (FIREFOX, ("Firefox", "121.0"), ("Linux", None), (None, None, None)),
        (IPHONE, ("Mobile Safari", "16.2"), ("iOS", "16.2"), ("iPhone", "Apple", "iPhone")),
        ("curl/8.0", ("curl", "8.0"), (None, None), (None, None, None)),
        ("", (None, None), (None, None), (None, None, None)),
        ("Other", (None, None), (None, None), (None, None, None)),
        ("\0\ud800\U0001f600" * 50, (None, None), (None, None), (None, None, None)),
    ],
)
def test_what_the_tables_know(
    agent: str, browser: tuple[str | None, ...], os: tuple[str | None, ...], device: tuple[str | None, ...]
) -> None:
    found = contexts(agent)
    assert tuple(found["browser"].values()) == browser
    assert tuple(found["os"].values()) == os
    assert (found["device"]["family"], found["device"]["brand"], found["device"]["model"]) == device
    assert found["device"]["name"] == found["device"]["family"]


@pytest.mark.parametrize("text", ["(" * 100_000, "Mozilla/5.0 " + "a" * 100_000, "Android " + "; " * 50_000, "1." * 50_000])
def test_a_long_text_does_not_keep_the_tables_busy(text: str) -> None:
    contexts("warm up")
    before = time.perf_counter()
    contexts(text)
    assert time.perf_counter() - before < 1


def test_the_tables_are_not_loaded_before_they_are_needed() -> None:
    """200 ms that only the first envelope of a browser pays."""
    program = (
        "import sys, tapedeck.session_replays.envelope; print(sorted({'ua_parser', 'pydantic', 'brotli', 'zstandard'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert ran.stdout.strip() == "[]"
