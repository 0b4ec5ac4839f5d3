"""`tapedeck replays`: what was recorded, on the local stack or any other."""

from __future__ import annotations

import sys
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import orjson
import typer
from rich.table import Table

from tapedeck_cli.api import Client
from tapedeck_cli.local import home
from tapedeck_cli.screen import counting, emit, err, out
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="What was recorded: list, show, open in the console, download.")

ApiUrl = Annotated[
    str | None, typer.Option("--api-url", envvar="TAPEDECK_API_URL", help="The API's base, ending in /v. Default: the local stack.")
]
Token = Annotated[str | None, typer.Option("--token", envvar="TAPEDECK_TOKEN", help="A user's token or an organization key.")]
Org = Annotated[
    str | None, typer.Option("--org", envvar="TAPEDECK_ORG", help="The organization's slug. Default: the first of the local stack.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
ReplayId = Annotated[str, typer.Argument(help="A replay's id, with or without dashes.")]


@dataclass(frozen=True, slots=True)
class _Place:
    """Which stack, as whom, in which organization."""

    client: Client
    organization: str
    console_url: str
    token: str

    def project(self, replay: dict[str, Any]) -> str:
        """The path of a replay in its project; ids are as good as slugs there."""
        return f"/api/0/projects/{self.organization}/{replay['project_id']}/replays/{replay['id']}"

    def replay(self, replay_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/0/organizations/{self.organization}/replays/{replay_id}/")["data"]
        return found


def _place(api_url: str | None, token: str | None, org: str | None) -> _Place:
    about = home().read()
    if about is None and (api_url is None or token is None or org is None):
        raise Trouble("no local stack is known here: start one with `make run`, or say --api-url, --token and --org")
    organizations = (about or {}).get("organizations", [])
    known = next((each for each in organizations if org in (None, each["slug"])), None)
    if (token is None and known is None) or (org is None and not organizations):
        raise Trouble(f"the local stack has no organization {org}: say --token as well")
    url = api_url or about["api_url"]  # type: ignore[index]
    mine = token or known["users"]["owner"]["token"]  # type: ignore[index]
    return _Place(Client(url, mine), org or organizations[0]["slug"], f"{url}/console/", mine)


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
    place = _place(api_url, token, org)
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
    row = _place(api_url, token, org).replay(replay_id)
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
    place = _place(api_url, token, org)
    row = place.replay(replay_id)
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
    place = _place(api_url, token, org)
    row = place.replay(replay_id)
    segments: list[Any] = []
    with counting("downloading", int(row.get("count_segments") or 0)) as progress:
        for page in place.client.pages(f"{place.project(row)}/recording-segments/", {"download": "", "per_page": "100"}):
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
