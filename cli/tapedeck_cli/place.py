"""Where a command goes: which stack, as whom, in which organization; the local one unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from tapedeck_cli.api import Client
from tapedeck_cli.local import home
from tapedeck_cli.trouble import NOT_FOUND, Trouble

ApiUrl = Annotated[
    str | None, typer.Option("--api-url", envvar="TAPEDECK_API_URL", help="The API's base, ending in /v. Default: the local stack.")
]
Token = Annotated[str | None, typer.Option("--token", envvar="TAPEDECK_TOKEN", help="A user's token or an organization key.")]
Org = Annotated[
    str | None, typer.Option("--org", envvar="TAPEDECK_ORG", help="The organization's slug. Default: the first of the local stack.")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
Env = Annotated[str | None, typer.Option("--env", help="The environment, by its slug or number. Default: the first.")]
Sure = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Watch = Annotated[bool, typer.Option("--watch", help="Stay and watch it until it is over.")]


@dataclass(frozen=True, slots=True)
class Place:
    """Which stack, as whom, in which organization."""

    client: Client
    organization: str
    console_url: str
    token: str


def reach(api_url: str | None, token: str | None, org: str | None) -> Place:
    """The place that the options name, filled up from what the local stack says of itself. Trouble when that is not enough."""
    about = home().read()
    if about is None and (api_url is None or token is None or org is None):
        raise Trouble("no local stack is known here: start one with `make run`, or say --api-url, --token and --org")
    organizations = (about or {}).get("organizations", [])
    known = next((each for each in organizations if org in (None, each["slug"])), None)
    if (token is None and known is None) or (org is None and not organizations):
        raise Trouble(f"the local stack has no organization {org}: say --token as well")
    url = api_url or about["api_url"]  # type: ignore[index]
    mine = token or known["users"]["owner"]["token"]  # type: ignore[index]
    return Place(Client(url, mine), org or organizations[0]["slug"], f"{url}/console/", mine)


def environment(client: Client, named: str | None) -> dict[str, Any]:
    """The environment of a slug or number; the first one unless said. Trouble when there is none."""
    rows: list[dict[str, Any]] = client.get("/api/environments")
    found = next((each for each in rows if named in (None, each["slug"], str(each["id"]))), None)
    if found is None:
        known = ", ".join(each["slug"] for each in rows)
        raise Trouble(f"there is no environment {named or 'of yours'} here{f': there is {known}' if known else ''}", NOT_FOUND)
    return found


def chosen(rows: Sequence[dict[str, Any]], named: str, kind: str) -> dict[str, Any]:
    """The row with this id or name. Trouble when there is none, or when several have the name."""
    found = [each for each in rows if each["id"] == named] or [each for each in rows if each["name"] == named]
    if not found:
        raise Trouble(f"there is no {kind} {named} here", NOT_FOUND)
    if len(found) > 1:
        raise Trouble(f"{len(found)} {kind}s are called {named}: say which by its id, {' or '.join(each['id'] for each in found)}")
    return found[0]
