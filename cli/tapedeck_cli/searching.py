"""`tapedeck search`: find the events of a collection by what is in them, with the query that a replay would send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from tapedeck_cli.place import ApiUrl, Json, Org, Token, chosen, reach
from tapedeck_cli.screen import emit, err, harmless, out


def search(
    collection: Annotated[str, typer.Argument(help="Which collection, by name or id.")],
    query: Annotated[str, typer.Argument(help="Lucene, such as 'level:error AND amount:>100'. Default: everything")] = "*",
    size: Annotated[int, typer.Option("--size", "-n", min=1, max=1000, help="So many events.")] = 25,
    offset: Annotated[int, typer.Option("--from", min=0, help="Leave out the newest so many.")] = 0,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Find events by what is in them, the newest first."""
    client = reach(api_url, token, org).client
    found = chosen(client.get("/v1/collection"), collection, "collection")
    answer = client.post(f"/v1/collection/{found['id']}/search", orjson.dumps({"query": query, "from": offset, "size": size}))
    if as_json:
        emit(answer)
        return
    show_events(answer["data"])
    shown = len(answer["data"])
    total = f"{answer['total']:,} in all" if answer.get("complete", True) else f"at least {answer['total']:,}"
    err.print(total + (f", {shown:,} shown" if shown < answer["total"] else ""), style="dim", markup=False)


def show_events(envelopes: Sequence[dict[str, Any]]) -> None:
    """Stored events, a line each."""
    for each in envelopes:
        metadata = each["client"]["metadata"]
        where = "@".join(filter(None, (metadata.get("app_name"), metadata.get("server_name"))))
        at = datetime.fromisoformat(each["batch"]["info"]["date_human"]).astimezone()
        said = escape(harmless(each["client"]["payload"]))
        out.print(f"[dim]{at:%m-%d %H:%M:%S}[/]  [bold]{escape(str(metadata.get('event_name', '')))}[/]  [cyan]{escape(where)}[/]  {said}")
