"""`tapedeck user` and `tapedeck jobs`: what is known of a person, their erasure from all of it, and the proof."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tapedeck_cli.api import Client
from tapedeck_cli.looking import looks
from tapedeck_cli.place import ApiUrl, Env, Json, Org, Sure, Token, environment, reach
from tapedeck_cli.screen import emit, err, out
from tapedeck_cli.trouble import Trouble

users = typer.Typer(no_args_is_help=True, help="One person: show what is known of them, erase it, read the receipt.")
jobs = typer.Typer(no_args_is_help=True, help="Erasures that were asked for: list, cancel.")

Row = dict[str, Any]
_OVER = ("completed", "failed", "cancelled")

UserId = Annotated[str, typer.Argument(help="The person's id, as applications send it.")]
JobId = Annotated[int, typer.Argument(help="A job's number.")]


@dataclass(frozen=True, slots=True)
class _Project:
    """An environment as deletion jobs know it, seen by somebody."""

    client: Client
    slug: str
    key: str

    def path(self, rest: str) -> str:
        return f"/api/v1/{self.key}/{rest}"

    def user(self, user_id: str) -> Row:
        known: Row = self.client.get(self.path(f"users/{quote(user_id, safe='')}"))["data"]
        return known

    def job(self, number: int) -> Row:
        found: Row = self.client.get(self.path(f"jobs/{number}"))["data"]
        return found

    def receipt(self, number: int) -> Row:
        answer = self.client.get(self.path(f"jobs/{number}/receipt"))
        proof: Row = answer.get("data", answer)  # a large one comes from the bucket, bare
        return proof


def _project(api_url: str | None, token: str | None, org: str | None, env: str | None) -> _Project:
    client = reach(api_url, token, org).client
    found = environment(client, env)
    return _Project(client, found["slug"], found["projectKey"])


@users.command()
def show(user_id: UserId, env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """What an environment knows of a person: how many sessions, and from when to when."""
    project = _project(api_url, token, org, env)
    known = project.user(user_id)
    if as_json:
        emit(known)
    else:
        out.print(_known(project, known), markup=False)


@users.command()
def erase(
    user_id: UserId,
    at_once: Annotated[bool, typer.Option("--now", help="At once, and stay until it is done. Default: at the next midnight, UTC")] = False,
    sure: Sure = False,
    env: Env = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Json = False,
) -> None:
    """Erase a person from everything that an environment keeps: sessions, events, captures, collections. Nothing brings it back."""
    project = _project(api_url, token, org, env)
    known = project.user(user_id)
    if not sure:
        err.print(_known(project, known), markup=False)
        if _typed("All of it goes for good. Type the id to say so: ") != user_id:
            raise Trouble("that is another id: nothing was erased")
    job = project.client.delete(project.path(f"users/{quote(user_id, safe='')}"), query={"now": "true"} if at_once else None)["data"]
    if not at_once:
        _tell(job, as_json=as_json)
        return
    job = _watched(project, job, known["sessionCount"])
    if job["status"] != "completed":
        raise Trouble(_sentence(job))
    _prove(project.receipt(job["jobId"]), as_json=as_json)


@users.command()
def receipt(job_id: JobId, env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """The proof of an erasure, its seal checked; it does not name the person."""
    _prove(_project(api_url, token, org, env).receipt(job_id), as_json=as_json)


@jobs.command("list")
def list_(env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Erasures, the newest first."""
    project = _project(api_url, token, org, env)
    rows = project.client.get(project.path("jobs"))["data"]
    if as_json:
        emit(rows)
        return
    if not rows:
        err.print(f"nobody was erased from {project.slug}: `tapedeck user erase ID` does that", markup=False)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("job", justify="right", no_wrap=True)
    for title in ("status", "asked", "begins"):
        table.add_column(title, no_wrap=True)
    for title in ("user", "said"):
        table.add_column(title, overflow="fold")
    for row in rows:
        times = (_moment(row["createdAt"]), _moment(row["startAt"]))
        table.add_row(str(row["jobId"]), row["status"], *times, *map(escape, (row["referenceId"], row["errors"] or "-")))
    out.print(table, soft_wrap=False)


@jobs.command()
def cancel(job_id: JobId, env: Env = None, api_url: ApiUrl = None, token: Token = None, org: Org = None, as_json: Json = False) -> None:
    """Cancel an erasure that has not begun, or is still going on; what is erased stays erased."""
    project = _project(api_url, token, org, env)
    _tell(project.client.delete(project.path(f"jobs/{job_id}"))["data"], as_json=as_json)


# Watching -------------------------------------------------------------------------------------------------------------------------------


def _watched(project: _Project, job: Row, sessions: int) -> Row:
    """The job when it is over. The bar is of the sessions that are still there; Ctrl-C ends watching, not the job."""
    columns = (TextColumn("  {task.description}"), BarColumn(bar_width=32), TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("erasing", total=sessions or None, said="")
            for seen, left in _states(project, job):
                job = seen
                said = f"{left:,} of {sessions:,} sessions left" if sessions else ""
                bar.update(task, description=f"erasing, {job['status']}", completed=max(0, sessions - left), said=said)
    except KeyboardInterrupt:
        err.print(f"the job goes on; `tapedeck user receipt {job['jobId']}` proves it when it is completed", style="dim", markup=False)
        raise typer.Exit from None
    return job


def _states(project: _Project, job: Row) -> Iterator[tuple[Row, int]]:
    """(the job, how many sessions are left) at each look, until it is over."""
    if job["status"] in _OVER:
        yield job, 0
        return
    for seen, left in looks(lambda: (project.job(job["jobId"]), project.user(job["referenceId"])["sessionCount"])):
        yield seen, left
        if seen["status"] in _OVER:
            return


# What is said ---------------------------------------------------------------------------------------------------------------------------


def _typed(question: str) -> str:
    """What somebody answers; nothing when nobody is there. Typer's own prompt leaves a space on standard output."""
    try:
        return err.input(question, markup=False)
    except EOFError:
        return ""


def _known(project: _Project, known: Row) -> str:
    count = known["sessionCount"]
    if not count:
        return f"{known['userId']}: no sessions in {project.slug}; events may be there"
    seen = f"first seen {_moment(known['firstSeen'])}, last {_moment(known['lastSeen'])}"
    return f"{known['userId']}: {count:,} session{'' if count == 1 else 's'} in {project.slug}, {seen}"


def _tell(job: Row, *, as_json: bool) -> None:
    if as_json:
        emit(job)
    else:
        out.print(_sentence(job), markup=False)


def _sentence(job: Row) -> str:
    """A job in one line."""
    begins = f", begins {_moment(job['startAt'])}" if job["status"] == "scheduled" else ""
    return f"job {job['jobId']} {job['status']}: erase {job['referenceId']}{begins}{': ' + job['errors'] if job['errors'] else ''}"


def _prove(proof: Row, *, as_json: bool) -> None:
    """Show a receipt whose seal is right: SHA-256 of its JSON without `sha256`, names sorted, no white space."""
    told = {name: value for name, value in proof.items() if name != "sha256"}
    if hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest() != proof["sha256"]:
        raise Trouble("the receipt's seal is broken: it was changed after it was made")
    if as_json:
        emit(proof)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    counts = ", ".join(f"{count:,} {name.removesuffix('s') if count == 1 else name}" for name, count in proof["counts"].items() if count)
    rows = {
        "job": str(proof["job_id"]),
        "completed": _moment(datetime.fromisoformat(proof["completed_at"]).timestamp() * 1000),
        "user, hashed": proof["user_hash"],
        "erased": counts or "nothing was there",
        "objects": f"{len(proof['objects']):,}, by the hashes of their keys in --json",
        "verified absent": "yes" if proof["verified_absent"] else "no",
        "seal": f"{proof['sha256']} (checked)",
    }
    for name, value in rows.items():
        table.add_row(name, escape(value))
    out.print(table, soft_wrap=False)


def _moment(milliseconds: float) -> str:
    """A moment in local time, and in UTC beside it where that is another."""
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    here = at.astimezone()
    if not here.utcoffset():
        return f"{here:%Y-%m-%d %H:%M:%S} UTC"
    return f"{here:%Y-%m-%d %H:%M:%S} ({at:%H:%M:%S} UTC)"
