"""`tapedeck destination`: where events can be sent to: create, list, test, delete, and how each of them fares."""

from __future__ import annotations

import base64
import secrets
import time
import uuid
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.place import ApiUrl, Json, Org, Sure, Token, chosen, reach
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.trouble import Trouble

app = typer.Typer(no_args_is_help=True, help="Where events are sent to: create, list, test, delete, health.")

Row = dict[str, Any]
_LOOKS = {"ok": "green", "error": "red", "pending": "dim"}
_NOTICES = ("replay.completed", "replay.failed", "replay.aborted")

Named = Annotated[str, typer.Argument(help="Which destination, by name or id.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    url: Annotated[str | None, typer.Option("--url", help="Where each event is POSTed to: a destination of the type http.")] = None,
    headers: Annotated[list[str] | None, typer.Option("--header", "-H", help="Sent along: 'Authorization: Bearer …'. Repeatable")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="http, sqs, sns, eventbridge, kinesis, s3, lambda, collection, listen")] = None,
    members: Annotated[
        list[str] | None, typer.Option("--set", help="A member of its metadata: queue_url=https://sqs.…, bucket=…. Repeatable")
    ] = None,
    most: Annotated[int | None, typer.Option("--max-per-second", min=1, help="Send no more than so many events a second.")] = None,
    signed: Annotated[bool, typer.Option("--sign", help="Sign requests as Standard Webhooks; the secret is printed once.")] = False,
    told: Annotated[bool, typer.Option("--notify", help="Tell it when a replay is over.")] = False,
    notes: Annotated[str, typer.Option(help="What it is for.")] = "",
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Make a destination; prints its id. What is secret of it is never shown again."""
    if url is None and kind is None:
        raise Trouble("say --url, or --type and what it needs with --set")
    metadata: Row = dict(_pair(each, "=", "--set") for each in members or ())
    if url is not None:
        metadata["url"] = url
    if headers:
        metadata["headers"] = [dict([_pair(each, ":", "--header")]) for each in headers]
    if signed:
        metadata["signing_secret"] = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
    body: Row = {"name": name, "notes": notes, "type": kind or "http", "metadata": metadata}
    if most is not None:
        body["max_per_second"] = most
    if told:
        body["notifications"] = list(_NOTICES)
    made = reach(api_url, token, org).client.post("/v1/destination", orjson.dumps(body), key=uuid.uuid4().hex)
    if as_json:
        emit(made | ({"signing_secret": metadata["signing_secret"]} if signed else {}))
        return
    out.print(made["id"], markup=False)
    if signed:
        out.print(f"signing secret  {metadata['signing_secret']}", markup=False)
        err.print("The secret is not shown again.", style="dim")


@app.command("list")
def list_(
    archived: Annotated[bool, typer.Option("--archived", help="The archived ones too.")] = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Destinations, the oldest first; secrets are masked."""
    rows = reach(api_url, token, org).client.get("/v1/destination", {"archived": "true"} if archived else {})
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print("there is no destination: `tapedeck destination create NAME --url https://…` makes one", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("id", "type"):
        table.add_column(title, no_wrap=True)
    for title in ("name", "where"):
        table.add_column(title, overflow="fold")
    table.add_column("limit", justify="right", no_wrap=True)
    for row in rows:
        limit = f"{row['max_per_second']:,}/s" if row["max_per_second"] else "-"
        table.add_row(row["id"], row["type"], *map(escape, (row["name"] + " (archived)" * row["archived"], _where(row))), limit)
    out.print(table, soft_wrap=False)


@app.command("test")
def try_out(named: Named, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Send one test event, and say what came of it."""
    client = reach(api_url, token, org).client
    destination = chosen(client.get("/v1/destination"), named, "destination")
    fared = client.post(f"/v1/destination/{destination['id']}/test", b"{}")[destination["id"]]
    if as_json:
        emit(fared)
    elif fared["status"] != "error":
        out.print(f"{destination['name']} {_fared(fared)}", markup=False)
    if fared["status"] == "error":
        raise Trouble(f"{destination['name']} {_fared(fared)}")


@app.command()
def delete(
    named: Named,
    sure: Sure = False,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Delete a destination, with its secrets. One that a replay still uses stays: archive the replay first."""
    client = reach(api_url, token, org).client
    row = chosen(client.get("/v1/destination"), named, "destination")
    if not sure:
        typer.confirm(f"Delete {row['name']} ({row['type']})?", abort=True, err=True)
    gone = client.delete(f"/v1/destination/{row['id']}")
    if as_json:
        emit(gone)
    else:
        out.print(f"{row['id']} deleted", markup=False)


@app.command()
def health(
    named: Annotated[str | None, typer.Argument(help="Which destination, by name or id. Default: all of them")] = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """How the latest delivery to each, or the latest look at it, came out; they are looked at every five minutes."""
    client = reach(api_url, token, org).client
    rows = client.get("/v1/destination")
    if named is not None:
        rows = [chosen(rows, named, "destination")]
    fares = client.get("/v1/health/destination" + (f"/{rows[0]['id']}" if named is not None else ""))
    if as_json:
        emit(fares)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("id", "health", "when"):
        table.add_column(title, no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for title in ("name", "said"):
        table.add_column(title, overflow="fold")
    for row in rows:
        fared = fares[row["id"]]
        status = f"[{_LOOKS[fared['status']]}]{fared['status']}[/]"
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(fared["last_checked_at"])) if fared["last_checked_at"] else "-"
        latency = f"{fared['latency_ms']:,}" if fared["last_checked_at"] else "-"
        table.add_row(row["id"], status, at, latency, *map(escape, (row["name"], fared["message"] or "-")))
    out.print(table, soft_wrap=False)


def _fared(fared: Row) -> str:
    """What became of a delivery, in words."""
    if fared["status"] == "pending":
        return "has not been looked at yet"
    took = f" in {fared['latency_ms']:,} ms"
    return f"is well: answered{took}" if fared["status"] == "ok" else f"is not well: {fared['message']}{took}"


def _where(row: Row) -> str:
    """The member of its metadata that says where it is."""
    metadata = row["metadata"]
    found = (metadata.get(name) for name in ("url", "queue_url", "queue_name", "bucket", "collection_id"))
    arns = (value for name, value in metadata.items() if name.endswith("_arn") and name != "role_arn")
    return str(next(filter(None, (*found, *arns)), "-"))


def _pair(text: str, between: str, option: str) -> tuple[str, str]:
    name, found, value = text.partition(between)
    if not found or not name.strip():
        raise Trouble(f"{option}: {text} is not NAME{between}VALUE")
    return name.strip(), value.strip()
