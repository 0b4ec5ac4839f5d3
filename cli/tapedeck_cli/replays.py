"""`tapedeck replays`: what was recorded, on the local stack or any other."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer
from rich.table import Table

from tapedeck_cli.place import ApiUrl, Json, Org, Place, Token, reach
from tapedeck_cli.screen import counting, emit, err, out
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="What was recorded: list, show, open in the console, download.")

ReplayId = Annotated[str, typer.Argument(help="A replay's id, with or without dashes.")]


def _project(place: Place, replay: dict[str, Any]) -> str:
    """The path of a replay in its project; ids are as good as slugs there."""
    return f"/api/0/projects/{place.organization}/{replay['project_id']}/replays/{replay['id']}"


def _replay(place: Place, replay_id: str) -> dict[str, Any]:
    found: dict[str, Any] = place.client.get(f"/api/0/organizations/{place.organization}/replays/{replay_id}/")["data"]
    return found


@app.command("list")
def list_(
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    period: Annotated[str, typer.Option(help="How far back: 1h, 24h, 7d, 2w …")] = "7d",
    project: Annotated[str | None, typer.Option(help="Only this project, by its slug or id.")] = None,
    search: Annotated[str | None, typer.Option("--query", "-q", help="What to find: 'count_errors:>0 url:*pay*' (docs/search.md)")] = None,
    sort: Annotated[str | None, typer.Option(help="duration, count_errors …; '-' before it: descending. Default: -started_at")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 25,
    as_json: Json = False,
) -> None:
    """Replays that began in the period, newest first unless told otherwise."""
    place = reach(api_url, token, org)
    wanted = {"query": search, "sort": sort, "project": project}
    query = {"statsPeriod": period, "per_page": str(limit)} | {name: value for name, value in wanted.items() if value}
    rows = place.client.get(f"/api/0/organizations/{place.organization}/replays/", query)["data"]
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print(f"nothing {'like that ' if search else ''}was recorded in {place.organization} in the last {period}")
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("replay", "began", "lasted", "who", "first page"):
        table.add_column(name, no_wrap=True, overflow="ellipsis", min_width={"replay": 32, "began": 19}.get(name, 5))
    for name in ("errors", "dead", "rage"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for row in rows:
        urls = row.get("urls") or [""]
        counts = (str(row.get(name) or "-") for name in ("count_errors", "count_dead_clicks", "count_rage_clicks"))
        table.add_row(
            row["id"],
            (row.get("started_at") or "")[:19].replace("T", " "),
            _lasted(row),
            row["user"]["display_name"] or "-",
            urls[0],
            *counts,
        )
    out.print(table, soft_wrap=False)


@app.command()
def show(replay_id: ReplayId, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Everything known of one replay."""
    row = _replay(reach(api_url, token, org), replay_id)
    if as_json:
        emit(row)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in row.items():
        table.add_row(name, _plain(value))
    out.print(table, soft_wrap=False)


@app.command("open")
def open_(
    replay_id: ReplayId,
    at: Annotated[int | None, typer.Option(help="Begin at this second.")] = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    only_print: Annotated[bool, typer.Option("--print", help="Print the address; open nothing.")] = False,
) -> None:
    """Watch a replay in the console."""
    place = reach(api_url, token, org)
    row = _replay(place, replay_id)
    query = {"replay": row["id"], "project": str(row["project_id"])} | ({"t": f"{at}s"} if at is not None else {})
    local = place.client.api_url.startswith("http://127.0.0.1")
    url = f"{place.console_url}?{urlencode(query)}" + (f"#token={place.token}" if local else "")
    out.print(url, markup=False)
    if not only_print and not webbrowser.open(url):
        err.print("no browser could be opened here: open the address above")


@app.command()
def download(
    replay_id: ReplayId,
    file: Annotated[Path | None, typer.Option("--output", "-o", help="Where to; '-' is standard output. Default: <id>.json")] = None,
    flat: Annotated[
        bool, typer.Option("--flat", help="One list of events, as rrweb-player takes it, instead of a list of segments.")
    ] = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
) -> None:
    """The recording: rrweb events as they were sent."""
    place = reach(api_url, token, org)
    row = _replay(place, replay_id)
    segments: list[Any] = []
    with counting("downloading", int(row.get("count_segments") or 0)) as progress:
        for page in place.client.pages(f"{_project(place, row)}/recording-segments/", {"download": "", "per_page": "100"}):
            found = orjson.loads(page)
            segments += found
            progress.advance(progress.task_ids[0], len(found))
    body = orjson.dumps([event for segment in segments for event in segment] if flat else segments)
    if str(file) == "-":
        sys.stdout.buffer.write(body)
        return
    target = file or Path(f"{row['id']}.json")
    try:
        target.write_bytes(body)
    except OSError as error:
        raise Trouble(f"{target} cannot be written: {error.strerror}") from None
    err.print(f"{target}: {len(segments)} segments, {len(body):,} bytes")


def _lasted(row: dict[str, Any]) -> str:
    seconds = row.get("duration")
    return "-" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_plain(each)}" for name, each in value.items() if each not in (None, "", [])) or "-"
    if isinstance(value, list):
        return "\n".join(_plain(each) for each in value) or "-"
    return "-" if value is None else str(value)
