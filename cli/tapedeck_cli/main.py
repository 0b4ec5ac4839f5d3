"""The commands of `tapedeck`, and how each of them ends: 0, or one clear line and a number."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tapedeck_cli import (
    blocks,
    captures,
    dead_letters,
    destinations,
    environments,
    event_collections,
    event_replays,
    events,
    listening,
    people,
    replays,
    searching,
)
from tapedeck_cli.local import home as home_of
from tapedeck_cli.screen import emit, err
from tapedeck_cli.trouble import Trouble

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False, help="Record browser sessions and watch them."
)
app.add_typer(replays.app, name="replays")
app.add_typer(events.app, name="events")
app.add_typer(event_collections.app, name="collections")
app.add_typer(captures.app, name="captures")
app.add_typer(environments.app, name="environments")
app.add_typer(destinations.app, name="destination")
app.add_typer(event_replays.app, name="replay")
app.add_typer(people.users, name="user")
app.add_typer(people.jobs, name="jobs")
app.add_typer(dead_letters.app, name="dlq")
app.add_typer(blocks.app, name="blocks")
app.command()(searching.search)
app.command()(listening.listen)

HomePath = Annotated[Path | None, typer.Option("--home", envvar="TAPEDECK_HOME", help="Folder of the local stack. Default: .tapedeck")]
Demo = Annotated[bool, typer.Option("--demo/--no-demo", help="Load a demo recording when there is none.")]


@app.command("dev")
def dev_(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 8080,
    home: HomePath = None,
    demo: Demo = True,
) -> None:
    """Run the whole system on this machine until Ctrl-C: MiniStack, sam build, sam deploy, two organizations, a demo recording."""
    from tapedeck_cli import dev  # boto3 takes a while: other commands do not wait for it

    dev.run(home_of(home), port, with_demo=demo)


@app.command()
def seed(
    home: HomePath = None,
    demo: Demo = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print what local.json says.")] = False,
) -> None:
    """Fill a running local stack again: whatever is missing of its organizations, people, keys and the demo."""
    from tapedeck_cli import dev

    about = dev.seed(home_of(home), with_demo=demo)
    if as_json:
        emit(about)
    else:
        err.print(f"{home_of(home).about} is up to date")


@app.command()
def bootstrap(
    stack: Annotated[str, typer.Option(help="Name of the CloudFormation stack.")],
    org: Annotated[str, typer.Option(help="Slug of the organization to make.")],
    email: Annotated[str, typer.Option(help="Its owner.")],
    name: Annotated[str | None, typer.Option(help="The organization's name. Default: its slug")] = None,
    environment: Annotated[str, typer.Option(help="Slug of its first environment.")] = "web",
) -> None:
    """Make the first organization of a stack deployed to AWS; prints its DSN and the owner's token, once, as JSON."""
    from tapedeck_cli import dev

    emit(dev.bootstrap(stack, org, name or org, email, environment))


def main() -> None:
    """The entry point."""
    try:
        app()
    except Trouble as trouble:
        err.print(f"tapedeck: {trouble}", markup=False, style="red")
        sys.exit(trouble.code)
    except KeyboardInterrupt:
        sys.exit(130)
