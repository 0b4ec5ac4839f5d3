"""`tapedeck environments`: the places where things happen, and for how long each keeps what is recorded."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.place import ApiUrl, Json, Org, Sure, Token, environment, reach
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="The places where things happen: list, retention.")

Row = dict[str, Any]
_STACK = "stack"


@app.command("list")
def list_(api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Environments, the oldest first, and for how long each keeps what is recorded."""
    rows = reach(api_url, token, org).client.get("/api/environments")
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print("you belong to no environment here", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("id", justify="right", no_wrap=True)
    for title in ("environment", "role", "keeps"):
        table.add_column(title, no_wrap=True)
    table.add_column("name", overflow="fold")
    for row in rows:
        table.add_row(str(row["id"]), row["slug"], row["role"] or "-", _days(row), escape(row["name"]))
    out.print(table, soft_wrap=False)


@app.command()
def retention(
    name: Annotated[str, typer.Argument(help="The environment, by its slug or number.")],
    days: Annotated[str | None, typer.Argument(help=f"For how many days; `{_STACK}` for as long as the stack does. Default: tell")] = None,
    sure: Sure = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """For how long an environment keeps what is recorded; told, or changed. A shorter period hides at once what is older."""
    client = reach(api_url, token, org).client
    row = environment(client, name)
    if days is not None:
        wanted = _wanted(days, row)
        shorter = (wanted or row["stackRetentionDays"]) < _kept(row)
        if shorter and not sure:
            typer.confirm(f"Hide what is older than {days} days in {row['slug']}, and let it go in time?", abort=True, err=True)
        row = client.put(f"/api/environments/{row['id']}", orjson.dumps({"retentionDays": wanted}))
    if as_json:
        emit(row)
    else:
        out.print(f"{row['slug']} keeps what is recorded for {_days(row)}", markup=False)


def _wanted(said: str, row: Row) -> int | None:
    """The days that somebody says. Trouble when an environment cannot have them."""
    if said == _STACK:
        return None
    if not said.isdecimal() or int(said) not in row["retentionChoices"]:
        choices = ", ".join(map(str, row["retentionChoices"]))
        raise Trouble(f"an environment keeps for {choices} days here, or as long as the `{_STACK}` does")
    return int(said)


def _kept(row: Row) -> int:
    stack: int = row["stackRetentionDays"]
    return min(row["retentionDays"] or stack, stack)


def _days(row: Row) -> str:
    days = _kept(row)
    return f"{days} day{'' if days == 1 else 's'}{', as the stack does' if row['retentionDays'] is None else ''}"
