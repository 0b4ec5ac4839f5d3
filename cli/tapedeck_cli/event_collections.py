"""`tapedeck collections`: the named sources of events, each with an ingest token of its own."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.place import ApiUrl, Json, Org, Token, reach
from tapedeck_cli.screen import emit, err, out

app = typer.Typer(no_args_is_help=True, help="The named sources of events: list, create.")


@app.command("list")
def list_(api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Collections, the oldest first; every environment has one from its birth."""
    rows = reach(api_url, token, org).client.get("/v1/collection")
    if as_json:
        emit(rows)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("collection", "made"):
        table.add_column(title, no_wrap=True)
    for title in ("environment", "name", "notes"):
        table.add_column(title, overflow="fold")
    for row in rows:
        told = (row["environment"] or "-", row["name"], row["notes"] or "-")
        table.add_row(row["id"], row["inserted_at"][:19].replace("T", " "), *map(escape, told))
    out.print(table, soft_wrap=False)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    notes: Annotated[str, typer.Option(help="What it is for.")] = "",
    env: Annotated[str | None, typer.Option("--env", help="The environment, by its slug. Default: the first.")] = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Make a collection; prints its id and its ingest token, which is never shown again."""
    client = reach(api_url, token, org).client
    body = {"name": name, "notes": notes} | ({"environment": env} if env else {})
    made = client.post("/v1/collection", orjson.dumps(body))
    if as_json:
        emit(made)
        return
    out.print(f"collection  {made['id']}\ntoken       {made['token']}", markup=False)
    err.print("The token is not shown again. Events go in with it:", style="dim")
    out.print(f"  curl {client.api_url}/v1/collect -H 'Batch-Token: {made['token']}' -d '{{\"event\": \"hello\"}}'", markup=False)
