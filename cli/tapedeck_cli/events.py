"""`tapedeck events`: put events into an environment's bucket, follow them as they come, count them."""

from __future__ import annotations

import socket
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.bar import Bar
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.api import Client
from tapedeck_cli.place import ApiUrl, Json, Org, Token, reach
from tapedeck_cli.screen import emit, err, harmless, out
from tapedeck_cli.trouble import FAILED, NOT_FOUND, Trouble

app = typer.Typer(no_args_is_help=True, help="What applications report: send, tail, histogram, names.")

WAIT = 20  # seconds for which the server holds a question open
MOST_BACK_OFF = 30.0  # seconds between two attempts to reach a server that has gone

Env = Annotated[str | None, typer.Option("--env", help="The environment, by its slug or bucket id. Default: the first.")]
Name = Annotated[str, typer.Argument(help="The event's name.")]
App = Annotated[str | None, typer.Option("--app", help="Only of this application.")]
Server = Annotated[str | None, typer.Option("--server", help="Only of this server.")]


@dataclass(frozen=True, slots=True)
class _Bucket:
    """An environment's events on some stack, seen by somebody."""

    client: Client
    slug: str
    id: str

    def path(self, rest: str) -> str:
        return f"/api/bucket/{self.id}/data/{rest}"

    def ask(self, rest: str, body: dict[str, Any]) -> Any:
        return self.client.post(self.path(rest), orjson.dumps({name: value for name, value in body.items() if value is not None}))


def _bucket(api_url: str | None, token: str | None, org: str | None, env: str | None) -> _Bucket:
    client = reach(api_url, token, org).client
    buckets = client.get("/api/bucket")
    found = next((each for each in buckets if env in (None, each["name"], each["_id"])), None)
    if found is None:
        known = ", ".join(each["name"] for each in buckets)
        raise Trouble(f"there is no environment {env or 'of yours'} here{f': there is {known}' if known else ''}", NOT_FOUND)
    return _Bucket(client, found["name"], found["_id"])


@app.command()
def send(
    name: Name,
    data: Annotated[str, typer.Option("--data", "-d", help="What it says: JSON, @file with JSON, or - for standard input.")] = "{}",
    app_name: Annotated[str, typer.Option("--app", help="The application that reports it.")] = "cli",
    server: Annotated[str | None, typer.Option("--server", help="The server it is on. Default: this machine")] = None,
    at: Annotated[str | None, typer.Option(help="When it happened: ISO 8601, or ms since the epoch. Default: now")] = None,
    env: Env = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Put one event into a bucket; prints its id."""
    said = _read(data)
    # The time also tells it from the same event sent a moment ago, which would be taken for a retry.
    record = {
        "name": name,
        "app_name": app_name,
        "server_name": socket.gethostname() if server is None else server,
        "at": at if at is not None else int(time.time() * 1000),
        "data": orjson.Fragment(said),
    }
    bucket = _bucket(api_url, token, org, env)
    answer = bucket.client.post(bucket.path("events/ingest"), orjson.dumps(record))
    if as_json:
        emit(answer)
    else:
        out.print(answer["ids"][0], markup=False)


@app.command()
def tail(
    name: Annotated[str | None, typer.Argument(help="Only events of this name.")] = None,
    app_name: App = None,
    server: Server = None,
    last: Annotated[int, typer.Option("--last", "-n", min=0, help="Begin with these among the newest so many events.")] = 10,
    env: Env = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")] = False,
) -> None:
    """Follow events as they come, until Ctrl-C."""
    bucket = _bucket(api_url, token, org, env)
    wanted = {"event_name": name, "app_name": app_name, "server_name": server}
    query = {key: value for key, value in wanted.items() if value}
    after = max(0, bucket.client.get(bucket.path("events/tail"), query)["next"] - last)
    err.print(f"following {name or 'all events'} of {bucket.slug}; Ctrl-C ends it", style="dim", markup=False)
    try:
        _follow(bucket, query, after, as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit from None
    except BrokenPipeError:
        sys.stderr.close()  # whoever read it has seen enough: no complaint while Python flushes the rest
        raise typer.Exit from None


def _follow(bucket: _Bucket, query: dict[str, str], after: int, *, as_json: bool) -> None:
    pause = 1.0
    while True:
        try:
            answer = bucket.client.get(bucket.path("events/tail"), query | {"after": str(after), "wait": str(WAIT), "limit": "1000"})
        except Trouble as trouble:
            if trouble.code != FAILED:
                raise
            err.print(f"{trouble}; again in {pause:.0f} s", style="dim", markup=False)
            time.sleep(pause)
            pause = min(pause * 2, MOST_BACK_OFF)
            continue
        pause, after = 1.0, answer["next"]
        for event in answer["events"]:
            _show(event, as_json=as_json)
        sys.stdout.flush()


def _show(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(harmless(event) + "\n")
        return
    where = "@".join(part for part in (event["app_name"], event["server_name"]) if part)
    at = datetime.fromisoformat(event["at"]).astimezone()
    said = escape(harmless(event["data"]))
    out.print(f"[dim]{at:%m-%d %H:%M:%S}[/]  [bold]{escape(event['name'])}[/]  [cyan]{escape(where)}[/]  {said}")


@app.command()
def histogram(
    name: Name,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far back.")] = 2,
    interval: Annotated[str, typer.Option(help="second, minute, hour, day, week, month, or 30s, 5m, 6h …")] = "hour",
    app_name: App = None,
    server: Server = None,
    env: Env = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """How often something happened, by time; times are UTC, as the intervals are."""
    bucket = _bucket(api_url, token, org, env)
    points = bucket.ask(
        "events/stats", {"event_name": name, "app_name": app_name, "server_name": server, "days": days, "interval": interval}
    )
    if as_json:
        emit(points)
        return
    if not points:
        err.print(f"no {name} in {bucket.slug} in the last {days} days", markup=False)
        return
    most = max(count for _, count in points)
    form = _form(points)
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("from (UTC)", no_wrap=True)
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for at, count in points:
        table.add_row(f"{datetime.fromtimestamp(at / 1000, UTC):{form}}", f"{count:,}" if count else "-", Bar(most, 0, count, width=60))
    out.print(table, soft_wrap=False)
    err.print(f"{sum(count for _, count in points):,} in all, {most:,} in the fullest interval", style="dim", markup=False)


def _form(points: list[list[int]]) -> str:
    """As much of a time as tells the points apart."""
    if all(at % 86_400_000 == 0 for at, _ in points):
        return "%Y-%m-%d"
    return "%m-%d %H:%M" if all(at % 60_000 == 0 for at, _ in points) else "%m-%d %H:%M:%S"


@app.command()
def names(env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """What was reported, by application: how often, first and last."""
    bucket = _bucket(api_url, token, org, env)
    apps = bucket.client.get(bucket.path("eventsKeysByApp"))
    if as_json:
        emit(apps)
        return
    if not apps:
        err.print(f"there are no events in {bucket.slug}: `tapedeck events send` puts one in", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("app", "event"):
        table.add_column(title, overflow="fold")
    table.add_column("count", justify="right", no_wrap=True)
    for title in ("first", "last"):
        table.add_column(title, no_wrap=True)
    for each in apps:
        for row in each["details"]:
            first, last = (row[when][:19].replace("T", " ") for when in ("first", "last"))
            table.add_row(escape(each["app_name"]), escape(row["name"]), f"{row['count']:,}", first, last)
    out.print(table, soft_wrap=False)


def _read(data: str) -> bytes:
    """The JSON that is meant, as it is written. Trouble when it cannot be read or is none."""
    if data == "-":
        said, origin = sys.stdin.buffer.read(), "standard input"
    elif data.startswith("@"):
        try:
            said, origin = Path(data[1:]).read_bytes(), data[1:]
        except OSError as error:
            raise Trouble(f"{data[1:]} cannot be read: {error.strerror}") from None
    else:
        said, origin = data.encode(), "--data"
    try:
        orjson.loads(said)
    except orjson.JSONDecodeError as error:
        raise Trouble(f"{origin} is not JSON: {error}") from None
    return said
