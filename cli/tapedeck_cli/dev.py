"""`tapedeck dev`: from nothing to a running system that people can watch a recording on, and back again without losing anything."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import Any

import boto3
import orjson
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck.errors import DomainError
from tapedeck_cli import demo, demo_events, deploying, emulator, seeding
from tapedeck_cli.api import Client
from tapedeck_cli.local import Home
from tapedeck_cli.logs import Tail
from tapedeck_cli.screen import counting, doing, err, out
from tapedeck_cli.trouble import NOT_FOUND, Trouble

_LOGS = "Logs"
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,49}")


def run(home: Home, port: int, *, with_demo: bool = True) -> None:
    """Start everything, say where it is, and show requests until somebody stops us."""
    started = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(_stoppable())
        stack.enter_context(_alone(home))
        os.environ.update(emulator.environment(port))
        with doing("MiniStack, the local AWS"):
            process = stack.enter_context(emulator.running(home, port))
        stack.callback(err.print, "  saving and stopping …", style="dim")
        api_url = f"http://127.0.0.1:{port}/v"
        _deployed(home, port, api_url)
        tail = _tail()
        try:
            about = _seeded(home, api_url, with_demo=with_demo)
        except Trouble:
            _show(tail)  # what the functions say of it
            raise
        greet(home, about, time.monotonic() - started)
        _follow(process, home, tail)


def seed(home: Home, *, with_demo: bool) -> dict[str, Any]:
    """Fill a stack that is running already: what `dev` does after it has deployed."""
    about = home.read()
    if about is None:
        raise Trouble("no local stack is known here: `make run` starts one")
    port = int(str(about["api_url"]).split(":")[2].split("/")[0])
    os.environ.update(emulator.environment(port))
    return _seeded(home, about["api_url"], with_demo=with_demo)


def greet(home: Home, about: dict[str, Any], seconds: float) -> None:
    """Everything that somebody needs to begin."""
    first = about["organizations"][0]
    environment = first["environments"][0]
    owner = first["users"]["owner"]
    out.print(f"\n[bold]Tapedeck is running[/] [dim]({seconds:.0f} s)[/]\n")
    out.print(f"  console   [link={about['console_url']}]{about['console_url']}[/link]", markup=True)
    out.print(f"  api       {about['api_url']}")
    out.print(f"  dsn       {environment['dsn']}   [dim]{first['slug']}/{environment['slug']}: paste it into Sentry.init[/]")
    out.print("\n  tokens", end="")
    for number, organization in enumerate(about["organizations"]):
        for role, user in organization["users"].items():
            out.print(f"{'   ' if number == 0 and role == 'owner' else '           '} {organization['slug']:<8}{role:<10}{user['token']}")
        out.print(f"            {organization['slug']:<8}{'(org key)':<10}{organization['org_key']}")
    out.print("\n  first look")
    out.print(
        f"    curl -H 'Authorization: Bearer {owner['token']}' \\\n      {about['api_url']}/api/0/organizations/{first['slug']}/replays/\n"
    )
    out.print(f"  [dim]all of this is in {home.about}; `.venvs/dev/bin/tapedeck replays list` shows what was recorded[/]")
    out.print("  [dim]Ctrl-C stops; data stay[/]\n")


def _deployed(home: Home, port: int, api_url: str) -> None:
    mark = home.state / "deployed"
    wanted = deploying.fingerprint(port)
    if not (mark.exists() and mark.read_text() == wanted and deploying.outputs()):
        mark.unlink(missing_ok=True)
        with doing("sam build"):
            deploying.build(home, port)
        with doing("sam deploy onto MiniStack"):
            deploying.deploy(home, port, api_url)
        outputs = deploying.outputs()
        if not outputs:
            raise Trouble(f"the stack has no outputs: what `sam deploy` said is in {home.log('deploy')}")
        deploying.open_door(outputs["ApiId"])
        mark.write_text(wanted)


def _seeded(home: Home, api_url: str, *, with_demo: bool) -> dict[str, Any]:
    outputs = deploying.outputs()
    if not outputs:
        raise Trouble("the stack is not deployed: `make run` does that")
    seeding.point_at(outputs)
    with doing("two organizations, their people and environments"):
        about = seeding.seed(api_url, home.read())
        home.write(about)
    if with_demo:
        _load_demo(about)
        _load_demo_events(about)
    return about


def _load_demo(about: dict[str, Any]) -> None:
    """One recording to watch, through the same door as any SDK's; an id that is known already is left alone."""
    organization = about["organizations"][0]
    environment = organization["environments"][0]
    replay_id = demo.replay_id(environment["collection_id"])
    api = Client(about["api_url"], organization["users"]["owner"]["token"])
    try:
        api.get(f"/api/0/organizations/{organization['slug']}/replays/{replay_id}/")
    except Trouble as trouble:
        if trouble.code != NOT_FOUND:
            raise
    else:
        return
    envelopes = list(demo.envelopes(replay_id, time.time() - 120))
    with counting("a demo recording", len(envelopes)) as progress:
        for envelope in envelopes:
            sender = {"sentry_version": "7", "sentry_key": environment["public_key"], "sentry_client": "tapedeck-demo/1"}
            Client(about["api_url"]).post(f"/api/{environment['project_id']}/envelope/", envelope, sender)
            progress.advance(progress.task_ids[0])
    err.print("  [green]✓[/] a demo recording")


def _load_demo_events(about: dict[str, Any]) -> None:
    """Events of the same shop, and a capture that runs while they come in and ends by itself; once in an environment."""
    organization = about["organizations"][0]
    environment = organization["environments"][0]
    api = Client(about["api_url"], organization["users"]["owner"]["token"])
    if api.get("/api/captures", {"envId": str(environment["envId"]), "name": demo_events.CAPTURE}):
        return
    capture = {"name": demo_events.CAPTURE, "envId": environment["envId"], "status": "STARTED", "duration": demo_events.LASTING}
    api.post("/api/captures", orjson.dumps(capture))
    api.post(f"/api/bucket/{environment['bucket_id']}/data/events/ingest", orjson.dumps(demo_events.records(time.time())))
    err.print("  [green]✓[/] demo events, and a capture of them")


def _tail() -> Tail | None:
    group = deploying.physical_id(_LOGS)
    return Tail(group) if group else None


def _show(tail: Tail | None) -> None:
    with suppress(ClientError, BotoCoreError):
        for line in tail.lines() if tail else ():
            out.print(line)


def _follow(process: subprocess.Popen[bytes], home: Home, tail: Tail | None) -> None:
    while process.poll() is None:
        _show(tail)
        time.sleep(0.7)
    raise Trouble(f"MiniStack ended by itself: {emulator.last_line(home, 'ministack')} (all of it: {home.log('ministack')})")


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C, a closed terminal and a plain kill all end us in the same orderly way; a second one does not interrupt the saving."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    except KeyboardInterrupt:
        err.print("  stopped; data stay in .tapedeck/state", style="dim")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """One stack a folder: two would write over each other's state."""
    home.state.mkdir(parents=True, exist_ok=True)
    with (home.path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Trouble(f"a stack is running from {home.path} already: stop it first, or choose another folder with --home") from None
        yield


def bootstrap(stack: str, slug: str, name: str, email: str, environment: str) -> dict[str, Any]:
    """The first organization of a stack in the cloud, with the credentials of this shell."""
    for each in (slug, environment):
        if not _SLUG.fullmatch(each):
            raise Trouble(f"{each!r} is no slug: small letters, digits and dashes, at most 50, a letter first")
    try:
        described = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        raise Trouble(f"the stack {stack} cannot be read: {error}") from None
    outputs = {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", [])}
    for each in ("ControlTable", "ReplaysTable", "RecordingsBucket", "ApiUrl"):
        if each not in outputs:
            raise Trouble(f"the stack {stack} has no output {each}: it is none of Tapedeck's, or was not deployed to its end")
    seeding.point_at(outputs, stage="prod")
    try:
        return seeding.bootstrap(slug, name, email, environment, outputs["ApiUrl"])
    except DomainError as error:
        raise Trouble(str(error)) from None
    except (ClientError, BotoCoreError) as error:
        raise Trouble(f"the stack {stack} cannot be written to: {error}") from None
