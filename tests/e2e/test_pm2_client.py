"""PM2's own client, unmodified, exchanges its token and reads, counts and forgets what a bucket holds; docs/clients.md says how."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import pytest

from .conftest import HERE, Stack

PATIENCE = 90
MINUTE = 60_000


class Answer(NamedTuple):
    """What a call of the client came to; the status is None when the client itself refused."""

    status: int | None
    data: Any


class Pm2:
    """A node process with the client in it: one call at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.to: IO[str] = process.stdin
        self.back: IO[str] = process.stdout

    def __call__(self, name: str, /, *arguments: Any) -> Answer:
        self.to.write(json.dumps([name, *arguments]) + "\n")
        self.to.flush()
        if not (line := self.back.readline()):
            pytest.fail("the client ended, or waited for ever")
        return Answer(**json.loads(line))


@pytest.fixture
def pm2(stack: Stack, installed: Path, tmp_path: Path) -> Iterator[Callable[[str], Pm2]]:
    """Starts the client for somebody: `owner`, `member`, …"""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def start(somebody: str) -> Pm2:
        process = subprocess.Popen(
            ["node", HERE / "pm2.js"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "API_URL": stack.api_url,
                "REFRESH_TOKEN": stack.organization["users"][somebody]["token"],
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        watchdog = threading.Timer(PATIENCE, process.kill)
        watchdog.start()
        started.append((process, watchdog))
        return Pm2(process)

    yield start
    for process, watchdog in started:
        watchdog.cancel()
        process.kill()
        process.communicate()


@pytest.fixture
def sales(stack: Stack) -> tuple[str, str]:
    """A bucket and the name of an event that happened five times in it, in two applications, a minute apart."""
    bucket = stack.organization["environments"][-1]["bucket_id"]
    name = f"sold-{uuid.uuid4().hex[:8]}"
    now = int(time.time() * 1000)
    stack.ingest(
        bucket,
        [
            {
                "name": name,
                "at": now - (4 - number) * MINUTE,
                "data": {"number": number, "price": 4.20, "who": "маша"},
                "process": {"name": "till" if number < 3 else "web", "server": f"shop-{number % 2}", "pm_id": number, "rev": "abc123"},
            }
            for number in range(5)
        ],
    )
    return bucket, name


def test_the_client_reads_counts_and_forgets(stack: Stack, pm2: Callable[[str], Pm2], sales: tuple[str, str]) -> None:
    bucket, name = sales
    owner = pm2("owner")
    buckets = owner("bucket.retrieveAll")
    assert buckets.status == 200
    assert bucket in {each["_id"] for each in buckets.data}
    assert {each["node"]["endpoints"]["web"] for each in buckets.data} == {stack.api_url}
    assert owner("bucket.retrieve", bucket).data["_id"] == bucket

    events = owner("data.events.retrieve", bucket, {"event_name": name}).data
    assert [event["data"]["number"] for event in events] == [4, 3, 2, 1, 0]
    assert events[0]["data"] == {"number": 4, "price": 4.2, "who": "маша"}
    assert events[0]["process"] == {"name": "web", "server": "shop-0", "pm_id": 4, "rev": "abc123"}
    asked = {"event_name": name, "app_name": "till", "server_name": "shop-0", "limit": "1", "offset": "1"}
    assert [event["data"]["number"] for event in owner("data.events.retrieve", bucket, asked).data] == [0]

    apps = {app["app_name"]: app for app in owner("data.events.retrieveMetadatas", bucket).data}
    assert name in apps["till"]["events"]
    assert [each["count"] for app in ("till", "web") for each in apps[app]["details"] if each["name"] == name] == [3, 2]

    points = owner("data.events.retrieveHistogram", bucket, {"event_name": name}).data
    assert [count for _, count in points] == [1, 1, 1, 1, 1]
    assert [at - points[0][0] for at, _ in points] == [number * MINUTE for number in range(5)]
    [*_, (_, today)] = owner("data.events.retrieveHistogram", bucket, {"event_name": name, "days": 1, "interval": "month"}).data
    assert today >= 1

    assert pm2("member")("data.events.deleteAll", bucket).status == 403
    deleted = owner("data.events.deleteAll", bucket)
    assert deleted.status == 200
    assert name in {each for app in deleted.data for each in app["events"]}
    assert owner("data.events.retrieveMetadatas", bucket).data == []
    assert owner("data.events.retrieve", bucket, {"event_name": name}).data == []


@pytest.mark.parametrize(
    ("call", "asked"),
    [
        ("retrieve", {"event_name": ""}),
        ("retrieve", {"event_name": "sold", "limit": 1001}),
        ("retrieveHistogram", {"event_name": "sold", "days": 91}),
        ("retrieveHistogram", {"event_name": "sold", "interval": "fortnight"}),
    ],
)
def test_an_invalid_body_is_rejected_with_the_answer(stack: Stack, pm2: Callable[[str], Pm2], call: str, asked: dict[str, Any]) -> None:
    refused = pm2("member")(f"data.events.{call}", stack.environment["bucket_id"], asked)
    assert (refused.status, list(refused.data)) == (400, ["msg"])


def test_what_is_not_theirs_is_refused(stack: Stack, pm2: Callable[[str], Pm2]) -> None:
    outsider = pm2("outsider")
    assert outsider("bucket.retrieveAll") == Answer(200, [])
    assert outsider("data.events.retrieveMetadatas", stack.environment["bucket_id"]).data == "Request failed with status code 403"
