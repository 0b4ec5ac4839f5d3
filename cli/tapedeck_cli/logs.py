"""The functions' JSON logs, read from CloudWatch Logs as they come and told one line a request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import boto3
import orjson
from botocore.exceptions import ClientError
from rich.text import Text

_COLOURS = {2: "green", 3: "cyan", 4: "yellow", 5: "red"}


class Tail:
    """What a log group has got since the last look."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._logs = boto3.client("logs")
        self._since = int(time.time() * 1000)
        self._seen: set[tuple[int, str, str]] = set()
        self._forget()

    def lines(self) -> Iterator[Text]:
        """The new lines, oldest first."""
        asked: dict[str, Any] = {"logGroupName": self._group, "startTime": self._since}
        while True:
            page = self._logs.filter_log_events(**asked)
            for event in page["events"]:
                name = (event["timestamp"], event["logStreamName"], event["message"])  # MiniStack gives events no id
                if name in self._seen:
                    continue
                self._seen.add(name)
                # Lines are written in the order of their ends, which is not quite that of their times: look back a little.
                self._since = max(self._since, event["timestamp"] - 10_000)
                line = told(event["message"])
                if line is not None:
                    yield line
            if not page.get("nextToken"):
                return
            asked["nextToken"] = page["nextToken"]

    def _forget(self) -> None:
        """Drop what earlier starts logged: it has been shown, and MiniStack reads through all of it at every look."""
        try:
            for stream in self._logs.describe_log_streams(logGroupName=self._group)["logStreams"]:
                self._logs.delete_log_stream(logGroupName=self._group, logStreamName=stream["logStreamName"])
        except ClientError:
            return


def told(message: str) -> Text | None:
    """A log line for people; None for what is of no interest to them."""
    try:
        row = orjson.loads(message)
    except orjson.JSONDecodeError:
        if message.startswith(("START ", "END ", "REPORT ", "INIT_START ")) or not message.strip():
            return None
        return Text(message.rstrip(), style="dim")
    if not isinstance(row, dict) or "_aws" in row:  # a measurement, for CloudWatch
        return None
    when = time.strftime("%H:%M:%S")
    if row.get("message") == "request":
        status = int(row.get("status", 0))
        line = Text(f"{when}  ", style="dim")
        line.append(f"{row.get('method', ''):<7}", style="bold")
        line.append(f"{status}  ", style=_COLOURS.get(status // 100, "white"))
        line.append(f"{row.get('ms', 0):>7.1f} ms  ", style="dim")
        line.append(str(row.get("route", "")))
        return line
    known = (
        "level",
        "message",
        "location",
        "timestamp",
        "service",
        "exception",
        "exception_name",
        "stack_trace",
        "request_id",
        "xray_trace_id",
    )
    rest = " ".join(f"{name}={value}" for name, value in row.items() if name not in known)
    line = Text(f"{when}  ", style="dim").append(
        f"{row.get('level', '')} {row.get('message', '')} {rest}", style="red" if row.get("level") == "ERROR" else ""
    )
    return line.append(f"\n{row['exception']}", style="dim") if row.get("exception") else line
