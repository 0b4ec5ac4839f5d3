"""`tapedeck events` and `tapedeck collections` against the running stack: what was sent is followed, counted and named."""

from __future__ import annotations

import json
import signal
import subprocess
import urllib.request
import uuid
from functools import partial
from pathlib import Path

import pytest

from .conftest import TAPEDECK, Run, Stack


def test_what_is_sent_is_counted_and_named(tapedeck: Run, stack: Stack, tmp_path: Path) -> None:
    name = f"sent-{uuid.uuid4().hex[:8]}"
    (tmp_path / "data.json").write_text('{"from": "a file"}')
    sent = [
        tapedeck("events", "send", name, "--data", '{"amount": 4.20}', "--app", "shop", "--server", "web-1"),
        tapedeck("events", "send", name, "--data", "@data.json", "--app", "shop"),
        tapedeck("events", "send", name, "--data", "-", stdin="[1, 2]"),
        tapedeck("events", "send", name),
        tapedeck("events", "send", name),  # the same again is another event
    ]
    assert [ran.returncode for ran in sent] == [0] * 5, sent
    assert len({ran.stdout for ran in sent}) == 5
    points = json.loads(tapedeck("events", "histogram", name, "--interval", "day", "--json").stdout)
    assert sum(count for _, count in points) == 5
    drawn = tapedeck("events", "histogram", name, "--interval", "day", "--app", "shop", "--server", "web-1")
    assert "█" in drawn.stdout
    assert "1 in all" in drawn.stderr
    apps = {each["app_name"]: each for each in json.loads(tapedeck("events", "names", "--json").stdout)}
    assert next(each["count"] for each in apps["shop"]["details"] if each["name"] == name) == 2
    assert name in tapedeck("events", "names").stdout


def test_events_are_followed_as_they_come_until_ctrl_c(tapedeck: Run, surroundings: dict[str, str]) -> None:
    name = f"followed-{uuid.uuid4().hex[:8]}"
    assert tapedeck("events", "send", name, "--data", '{"n": 1}').returncode == 0
    tail = subprocess.Popen(
        [TAPEDECK, "events", "tail", name, "--json", "-n", "1000"],
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell lets what it starts in the background ignore Ctrl-C
    )
    try:
        assert tail.stdout is not None
        assert json.loads(tail.stdout.readline())["data"] == {"n": 1}  # it was there before
        assert tapedeck("events", "send", f"not-{name}").returncode == 0
        assert tapedeck("events", "send", name, "--data", '{"n": 2}').returncode == 0
        assert json.loads(tail.stdout.readline())["data"] == {"n": 2}
        tail.send_signal(signal.SIGINT)
        assert tail.wait(10) == 0
        assert tail.stdout.read() == ""
        assert tail.stderr is not None
        assert tail.stderr.read() == f"following {name} of web; Ctrl-C ends it\n"
    finally:
        tail.kill()
        tail.communicate()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["events", "send", "x", "--data", "{nothing"], 1, "--data is not JSON"),
        (["events", "send", "x", "--data", "@nowhere.json"], 1, "nowhere.json cannot be read: No such file or directory"),
        (["events", "send", "x", "--at", "yesterday"], 1, "[0].at: must be"),
        (["events", "names", "--env", "nowhere"], 3, "there is no environment nowhere here: there is web"),
        (["events", "names", "--token", "tdu_nobody"], 4, "Invalid token"),
        (["events", "histogram", "x", "--interval", "fortnight"], 1, "interval: must be"),
        (["events", "histogram", f"x-{uuid.uuid4()}"], 0, "in the last 2 days"),
        (["collections", "create", "x", "--env", "nowhere"], 1, "there is no such environment"),
    ],
)
def test_what_goes_wrong_is_one_clear_line(tapedeck: Run, arguments: list[str], code: int, said: str) -> None:
    ran = tapedeck(*arguments)
    assert (ran.returncode, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1


def test_a_collection_takes_events_with_the_token_that_was_shown_once(tapedeck: Run, stack: Stack) -> None:
    name = f"made-{uuid.uuid4().hex[:8]}"
    made = json.loads(tapedeck("collections", "create", name, "--notes", "from e2e", "--env", "mobile", "--json").stdout)
    url = f"{stack.api_url}/v1/collect"
    request = urllib.request.Request(url, data=b'{"event": "hello"}', headers={"Batch-Token": made["token"]}, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["message"] == "event has been successfully collected"
    listed = tapedeck("collections", "list").stdout
    assert made["id"] in listed
    assert name in listed
    assert made["token"] not in listed
