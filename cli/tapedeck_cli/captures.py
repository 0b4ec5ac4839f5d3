"""`tapedeck captures`: keep a window of an environment's events; begun and ended by the clock, or by hand."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.api import Client
from tapedeck_cli.looking import Life, watched
from tapedeck_cli.place import ApiUrl, Env, Json, Org, Sure, Token, Watch, environment, reach
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="Keep what happens in a window of time: create, list, watch, stop, delete.")

Row = dict[str, Any]
_LENGTHS = {"s": 1, "m": 60, "h": 3600, "d": 86400}

CaptureId = Annotated[int, typer.Argument(help="A capture's number.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called: 4 to 25 letters, digits, spaces and : _ -")],
    env: Env = None,
    at: Annotated[str | None, typer.Option(help="When it begins: ISO 8601, in local time unless it has a zone. Default: now")] = None,
    within: Annotated[str | None, typer.Option("--in", help="Begin in this long: 90s, 10m, 2h, 1d")] = None,
    lasting: Annotated[str | None, typer.Option("--for", help="Stop by itself after this long: 60s, 10m, 2h. Default: never")] = None,
    watching: Watch = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Begin a capture, now or later; prints its number."""
    if at is not None and within is not None:
        raise Trouble("say --at or --in, not both")
    client = reach(api_url, token, org).client
    body: Row = {"name": name, "envId": environment(client, env)["id"]}
    if lasting is not None:
        body["duration"] = _seconds(lasting, "--for")
    start = _start(at, within)
    body |= {"status": "STARTED"} if start is None else {"status": "SCHEDULED", "scheduledStart": start.astimezone(UTC).isoformat()}
    made = client.post("/api/captures", orjson.dumps(body))
    if as_json and not watching:
        emit(made)
        return
    if not as_json:
        out.print(str(made["id"]), markup=False)
        err.print(_sentence(made), style="dim", markup=False)
    if watching:
        _watched(client, made, as_json=as_json)


@app.command("list")
def list_(env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Captures, the newest first; times are local, with UTC beside them where that is another."""
    client = reach(api_url, token, org).client
    environments = {each["id"]: each["slug"] for each in client.get("/api/environments")}
    query = {"envId": str(environment(client, env)["id"])} if env else {}
    rows = client.get("/api/captures", query)[::-1]
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print("nothing has been captured: `tapedeck captures create NAME` begins a capture", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("id", "status", "from", "until"):
        table.add_column(title, no_wrap=True)
    for title in ("environment", "name", "by"):
        table.add_column(title, overflow="fold")
    for row in rows:
        begins, ends = _window(row)
        told = (environments.get(row["envId"], "-"), row["name"], row["username"] or "-")
        table.add_row(str(row["id"]), row["status"], begins, ends, *map(escape, told))
    out.print(table, soft_wrap=False)


@app.command()
def watch(capture_id: CaptureId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Watch a capture until it is over; Ctrl-C ends watching, not the capture."""
    client = reach(api_url, token, org).client
    _watched(client, client.get(f"/api/captures/{capture_id}"), as_json=as_json)


@app.command()
def stop(capture_id: CaptureId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """End a running capture now."""
    _tell(reach(api_url, token, org).client.post(f"/api/captures/{capture_id}/stop", b"{}"), as_json=as_json)


@app.command()
def delete(
    capture_id: CaptureId,
    sure: Sure = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Delete a capture, with its collection and its metrics; a running one is stopped first."""
    client = reach(api_url, token, org).client
    if not sure:
        row = client.get(f"/api/captures/{capture_id}")
        typer.confirm(f"Delete {row['name']} ({row['status']}) and what it holds?", abort=True, err=True)
    _tell(client.delete(f"/api/captures/{capture_id}"), as_json=as_json, done="deleted")


# Watching -------------------------------------------------------------------------------------------------------------------------------


def _watched(client: Client, row: Row, *, as_json: bool) -> None:
    """Watch until it is over; a FAILED one is Trouble."""
    goes_on = f"the capture goes on; `tapedeck captures watch {row['id']}` watches it again"
    row = watched(_LIFE, row, partial(client.get, f"/api/captures/{row['id']}"), goes_on=goes_on)
    _tell(row, as_json=as_json)
    if row["status"] == "FAILED":
        raise Trouble(row["reason"] or "the capture has failed")


def _drawn(row: Row) -> dict[str, Any]:
    """Its bar."""
    now = datetime.now(UTC)
    begins, ends = _moment(row["start"] or row["scheduledStart"]), _moment(row["scheduledEnd"])
    said, total, done = "", None, 0.0  # a bar without a total swings
    if row["status"] == "SCHEDULED" and begins:
        said = f"begins in {_length(begins - now)}"
    elif row["status"] == "RUNNING" and begins and ends:
        total, done = (ends - begins).total_seconds(), (now - begins).total_seconds()
        said = f"{_length(ends - now)} left"
    elif row["status"] == "RUNNING" and begins:
        said = f"{_length(now - begins)}, until it is stopped"
    return {"description": f"{escape(row['name'])} {row['status']}", "said": said, "total": total, "completed": min(done, total or 0.0)}


# What is said ---------------------------------------------------------------------------------------------------------------------------


def _tell(row: Row, *, as_json: bool, done: str | None = None) -> None:
    if as_json:
        emit(row)
    else:
        out.print(f"{row['id']} {done}" if done else _sentence(row), markup=False)


def _sentence(row: Row) -> str:
    """A capture in one line."""
    begins, ends = _window(row)
    held = f", collection {row['collectionId']}" if row["collectionId"] else ""
    why = f": {row['reason']}" if row["reason"] else ""
    return f"{row['name']} {row['status']}: from {begins} until {ends}{held}{why}"


def _window(row: Row) -> tuple[str, str]:
    """When it begins and ends, as far as that is known."""
    begins, ends = row["start"] or row["scheduledStart"], row["end"] or row["scheduledEnd"]
    return _told(begins) if begins else "-", _told(ends) if ends else "-"


def _told(iso: str) -> str:
    """A moment in local time, and in UTC beside it where that is another."""
    at = datetime.fromisoformat(iso)
    here = at.astimezone()
    if not here.utcoffset():
        return f"{here:%Y-%m-%d %H:%M:%S} UTC"
    return f"{here:%Y-%m-%d %H:%M:%S} ({at:%H:%M:%S} UTC)"


def _moment(iso: str | None) -> datetime | None:
    return datetime.fromisoformat(iso) if iso else None


def _length(span: timedelta) -> str:
    """1:05:09, or 5:09."""
    hours, rest = divmod(max(0, round(span.total_seconds())), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


# What is asked for ----------------------------------------------------------------------------------------------------------------------


def _start(at: str | None, within: str | None) -> datetime | None:
    if within is not None:
        return datetime.now(UTC) + timedelta(seconds=_seconds(within, "--in"))
    if at is None:
        return None
    try:
        return datetime.fromisoformat(at).astimezone()
    except ValueError:
        raise Trouble(f"--at: {at} is no time: 2026-11-21T20:00, with +01:00 or Z if it is not local") from None


def _seconds(text: str, option: str) -> int:
    match = re.fullmatch(r"([0-9]{1,7})([smhd]?)", text)
    if match is None:
        raise Trouble(f"{option}: {text} is no length of time: 90s, 10m, 2h or 1d")
    return int(match[1]) * _LENGTHS[match[2] or "s"]


_LIFE = Life("status", ("DONE", "FAILED"), _drawn, _sentence)
