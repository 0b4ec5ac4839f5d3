"""`tapedeck replay`: send the events of a collection that match a query to a destination; watch, pause, resume, and do it again."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.api import Client
from tapedeck_cli.looking import Life, watched
from tapedeck_cli.place import ApiUrl, Json, Org, Sure, Token, Watch, chosen, reach
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.searching import show_events
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="Play events again: create, list, watch, pause, resume, redo, history, archive, delete.")

Row = dict[str, Any]
OVER = ("completed", "failed", "aborted")
_ATTEMPTS = 3

ReplayId = Annotated[str, typer.Argument(help="An event replay's id.")]


@app.command()
def create(
    destination: Annotated[str, typer.Option("--destination", "-d", help="Where to, by name or id.")],
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Where from, by name or id. Default: the oldest.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="Which events: Lucene. Default: all of them")] = "*",
    kind: Annotated[str, typer.Option("--type", help="onetime ends with what there is now; continuous goes on.")] = "onetime",
    concurrency: Annotated[int | None, typer.Option(min=1, max=64, help="Sends at a time; above 1 the order is lost. Default: 1")] = None,
    name: Annotated[str | None, typer.Option(help="What it is called. Default: where from and where to")] = None,
    notes: Annotated[str, typer.Option(help="What it is for.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    watching: Watch = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Begin an event replay; prints its id."""
    client = reach(api_url, token, org).client
    source, target = collection_of(client, collection), chosen(client.get("/v1/destination"), destination, "destination")
    body: Row = {
        "name": name or f"{source['name']} to {target['name']}",
        "notes": notes,
        "type": kind,
        "query": query,
        "collection_id": source["id"],
        "destination_id": target["id"],
    }
    if concurrency is not None:
        body["concurrency"] = concurrency
    if dry_run:
        _preview(client.post("/v1/replay", orjson.dumps(body), {"dry_run": "true"}), as_json=as_json)
        return
    _begun(client, only(client.post("/v1/replay", orjson.dumps(body), key=uuid.uuid4().hex)), watching=watching, as_json=as_json)


@app.command("list")
def list_(
    archived: Annotated[bool, typer.Option("--archived", help="Those that were archived, and no others.")] = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Event replays, the newest first."""
    rows = all_replays(reach(api_url, token, org).client, archived=archived)
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print("nothing has been replayed: `tapedeck replay create` sends events to a destination", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("id", "state", "type"):
        table.add_column(title, no_wrap=True)
    for title in ("sent", "failed", "done", "rate"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("name", "query", "to"):
        table.add_column(title, overflow="fold")
    for row in rows:
        progress = row["progress"]
        counts = (f"{progress['sent']:,}", f"{progress['failed']:,}", _part(row), _rate(progress) or "-")
        told = map(escape, (row["name"], row["query"], _target(row)))
        table.add_row(row["id"], row["state"], row["type"], *counts, *told)
    out.print(table, soft_wrap=False)


@app.command()
def watch(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Watch an event replay until it is over; Ctrl-C ends watching, not the replay."""
    client = reach(api_url, token, org).client
    _watched(client, _read(client, replay_id), as_json=as_json)


@app.command()
def pause(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Let nothing more go out, but what is on its way, until it is resumed."""
    _tell(bring_to(reach(api_url, token, org).client, replay_id, "paused"), as_json=as_json)


@app.command()
def resume(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Go on where it was paused: nothing is sent twice."""
    _tell(bring_to(reach(api_url, token, org).client, replay_id, "running"), as_json=as_json)


@app.command()
def redo(
    replay_id: ReplayId,
    name: Annotated[str | None, typer.Option(help="Another name for it. Default: the same")] = None,
    watching: Watch = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Replay the same again, looked for anew; prints the id of the new replay."""
    client = reach(api_url, token, org).client
    body = orjson.dumps({"name": name} if name else {})
    _begun(client, only(client.put(f"/v1/replay/{replay_id}/redo", body, key=uuid.uuid4().hex)), watching=watching, as_json=as_json)


@app.command()
def history(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """What an event replay has done, the oldest first: among it every event that was given up, and why."""
    client = reach(api_url, token, org).client
    entries: dict[str, Row] = {}
    for page in client.pages(f"/v1/replayer/history/{replay_id}", {}):
        entries |= orjson.loads(page)
    if as_json:
        emit(entries)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("when", "what"):
        table.add_column(title, no_wrap=True)
    for title in ("matched", "sent", "failed"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("said", overflow="fold")
    for entry in entries.values():
        said = " ".join(filter(None, (entry.get("event_id"), entry["message"])))
        counts = (f"{entry[name]:,}" for name in ("matched", "sent", "failed"))
        table.add_row(_moment(entry["at"]), entry["type"], *counts, escape(said))
    out.print(table, soft_wrap=False)


@app.command()
def archive(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Stop an event replay and hide it; its history can still be read."""
    row = only(reach(api_url, token, org).client.delete(f"/v1/replay/{replay_id}"))
    _tell(row, as_json=as_json, done="archived")


@app.command()
def delete(
    replay_id: ReplayId,
    sure: Sure = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Delete an event replay and its history for good; what it has sent is sent."""
    client = reach(api_url, token, org).client
    if not sure:
        row = _read(client, replay_id)
        typer.confirm(f"Delete {row['name']} ({row['state']}) and its history?", abort=True, err=True)
    _tell(only(client.delete("/v1/replay", orjson.dumps({"replay_id": replay_id}))), as_json=as_json, done="deleted")


# What others do with event replays too ----------------------------------------------------------------------------------------------------


def only(answer: dict[str, Row]) -> Row:
    """The one replay of an answer, which is an object keyed by id."""
    return next(iter(answer.values()))


def all_replays(client: Client, *, archived: bool = False) -> list[Row]:
    """Every replay, the newest first: those that are not archived, or those that are."""
    query = {"archived": "true"} if archived else {}
    return [row for page in client.pages("/v1/replay", query) for row in orjson.loads(page).values()]


def collection_of(client: Client, named: str | None) -> Row:
    """The collection of this id or name; the oldest one unless said. Trouble when there is none."""
    rows = client.get("/v1/collection")
    if named is None and not rows:
        raise Trouble("there is no collection of yours here: `tapedeck collections create NAME` makes one")
    return rows[0] if named is None else chosen(rows, named, "collection")


def bring_to(client: Client, replay_id: str, state: str) -> Row:
    """The replay, running or paused as is wanted: the API knows only the other way round, and somebody else may press it meanwhile."""
    for _ in range(_ATTEMPTS):
        row = _read(client, replay_id)
        if row["state"] != state:
            row = only(client.put(f"/v1/replay/{replay_id}/toggle-pause", key=uuid.uuid4().hex))
        if row["state"] == state:
            return row
    raise Trouble(f"the replay is {row['state']}: somebody else pauses and resumes it right now")


def _read(client: Client, replay_id: str) -> Row:
    return only(client.get(f"/v1/replay/{replay_id}"))


# Watching -------------------------------------------------------------------------------------------------------------------------------


def _begun(client: Client, row: Row, *, watching: bool, as_json: bool) -> None:
    if as_json and not watching:
        emit(row)
        return
    if not as_json:
        out.print(row["id"], markup=False)
    if watching:
        _watched(client, row, as_json=as_json)
    elif not as_json:
        err.print(f"`tapedeck replay watch {row['id']}` watches it", style="dim", markup=False)


def _watched(client: Client, row: Row, *, as_json: bool) -> None:
    """Watch until it is over; a failed one is Trouble."""
    goes_on = f"the replay goes on; `tapedeck replay watch {row['id']}` watches it again"
    row = watched(_LIFE, row, partial(_read, client, row["id"]), goes_on=goes_on)
    _tell(row, as_json=as_json)
    if row["state"] == "failed":
        raise Trouble(f"the replay has failed: {row['message'] or 'its history says why'}")


def _drawn(row: Row) -> dict[str, Any]:
    """Its bar."""
    progress = row["progress"]
    total = _total(progress)  # a bar without a total swings
    parts = [f"{progress['sent']:,} sent", f"{progress['failed']:,} failed" if progress["failed"] else "", _rate(progress)]
    if progress["eta"] is not None and row["state"] == "running":
        parts.append(f"{_length(progress['eta'])} left")
    if progress["waiting"]:
        parts.append(f"{progress['waiting']:,} to be tried again")
    return {
        "description": f"{escape(row['name'])} {row['state']}",
        "said": escape(" · ".join(filter(None, parts))),
        "total": total,
        "completed": min(progress["looked_at"], total or 0),
    }


# What is said ---------------------------------------------------------------------------------------------------------------------------


def _preview(found: Row, *, as_json: bool) -> None:
    if as_json:
        emit(found)
        return
    estimate = found["estimate"]
    out.print(f"{found['matched']:,} of {estimate['looked_at']:,} events match", markup=False)
    if not estimate["complete"]:
        out.print(f"there are {estimate['events']:,} events: about {estimate['matched']:,} of them should match", markup=False)
    if found["matched"]:
        takes = f"about {_length(estimate['seconds'])}" if estimate["seconds"] >= 1 else "less than a second"
        out.print(f"sending them takes {takes}; the first of them:", markup=False)
    show_events(found["sample"])


def _tell(row: Row, *, as_json: bool, done: str | None = None) -> None:
    if as_json:
        emit(row)
    else:
        out.print(f"{row['id']} {done}" if done else _sentence(row), markup=False)


def _sentence(row: Row) -> str:
    """A replay in one line."""
    progress = row["progress"]
    failed = f", {progress['failed']:,} failed" if progress["failed"] else ""
    sent = f"{progress['sent']:,} of {progress['matched']:,} found sent"
    return f"{row['name']} {row['state']}: {sent}{failed}, {_part(row)} looked through"


def _target(row: Row) -> str:
    return str(row["destination"].get("name") or row["destination"]["id"])


def _total(progress: Row) -> int | None:
    """How many events there are to be looked at; None where there is no end."""
    if progress["until"] is None:
        return None
    return int(progress["looked_at"] + progress["until"] - progress["position"])


def _part(row: Row) -> str:
    """How much of it is done: 40 %, or how many events where it has no end."""
    progress = row["progress"]
    total = _total(progress)
    if total is None:
        return f"{progress['looked_at']:,} events"
    return f"{progress['looked_at'] * 100 // total if total else 100} %"


def _rate(progress: Row) -> str:
    return "" if progress["rate"] is None else f"{progress['rate']:,.1f}/s"


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}"


def _length(seconds: float) -> str:
    """1:05:09, or 5:09."""
    hours, rest = divmod(max(0, round(seconds)), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


_LIFE = Life("state", OVER, _drawn, _sentence)
