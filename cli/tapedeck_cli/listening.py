"""`tapedeck listen`: bring events to a program on this machine. They are fetched: no tunnel, no open port, no address of our own.

A destination of the type `listen` lends events out, and is told which of them have arrived. Whatever the program answers settles an
event: 2xx is sent, anything else is listed as failed in the replay's history. While nobody answers at all it is tried again: an event
arrives at least once, in order, and under the same Idempotency-Key each time.
"""

from __future__ import annotations

import socket
import sys
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

import orjson
import typer
import urllib3
from rich.markup import escape

from tapedeck_cli.api import Client
from tapedeck_cli.event_replays import OVER, all_replays, bring_to, collection_of, only
from tapedeck_cli.place import ApiUrl, Org, Token, reach
from tapedeck_cli.screen import err, out
from tapedeck_cli.trouble import Trouble

Row = dict[str, Any]
_LENT = 20  # events at a time: what is not settled when we end stays lent for a while
_WAIT = 20  # seconds for which the server holds a question open
_SETTLE = 1.0  # seconds between two words to the server about what has arrived
_PATIENCE = 30.0  # seconds for the program to answer: less than a lease lasts
_MOST_BACK_OFF = 10.0  # seconds between two attempts to reach the program, or the server
_MOST_PEEK = 100  # characters of an event in its line


@dataclass(slots=True)
class _Listener:
    """Who listens: through which destination, and where events are passed on to."""

    client: Client
    destination: str
    forward: str
    as_json: bool
    done: list[str] = field(default_factory=list)
    failed: list[Row] = field(default_factory=list)
    lease: str | None = None
    settled_at: float = 0.0
    http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=_PATIENCE))

    def fetch(self) -> list[Row]:
        """The next events; none when none have come for a while."""
        answer = self.client.post(f"/v1/destination/{self.destination}/lease", orjson.dumps({"limit": _LENT, "wait": _WAIT}))
        self.lease, self.settled_at = answer["lease"], time.monotonic()
        events: list[Row] = answer["events"]
        return events

    def serve(self, events: list[Row]) -> None:
        """Pass events on, and settle them a little later."""
        for event in events:
            if not self._pass_on(event) or (time.monotonic() - self.settled_at > _SETTLE and not self.settle()):
                return  # they are lent out anew
        self.settle()

    def settle(self, *, leaving: bool = False) -> bool:
        """Tell the server what has arrived, which keeps the rest ours; False when that has been lent out again meanwhile."""
        if self.lease is None:
            return True
        told = {"lease": self.lease, "done": self.done, "failed": self.failed} | ({"release": True} if leaving else {})
        try:
            self.client.post(f"/v1/destination/{self.destination}/ack", orjson.dumps(told))
        except Trouble as trouble:
            if trouble.status != 409:
                raise
            self.lease = None
        self.done, self.failed, self.settled_at = [], [], time.monotonic()
        return self.lease is not None

    def _pass_on(self, event: Row) -> bool:
        """Give an event to the program, however long that takes to be there; False when it has been lent out again meanwhile."""
        pause = 1.0
        while True:
            began = time.monotonic()
            try:
                answer = self.http.request("POST", self.forward, body=event["payload"].encode(), headers=event["headers"], redirect=False)
            except urllib3.exceptions.HTTPError as error:
                reason = type(getattr(error, "reason", None) or error).__name__
                err.print(f"{self.forward} does not answer ({reason}); again in {pause:.0f} s", style="dim", markup=False)
                if not self.settle():
                    return False
                time.sleep(pause)
                pause = min(pause * 2, _MOST_BACK_OFF)
                continue
            if 200 <= answer.status < 300:
                self.done.append(event["key"])
            else:
                self.failed.append({"key": event["key"], "message": f"the listener answered {answer.status}"})
            self._show(event, answer.status, (time.monotonic() - began) * 1000)
            return True

    def _show(self, event: Row, status: int, milliseconds: float) -> None:
        if self.as_json:
            told = {"key": event["key"], "number": event["number"], "event_name": event["event_name"], "status": status}
            sys.stdout.write(orjson.dumps(told | {"ms": round(milliseconds)}).decode() + "\n")
        else:
            colour = "green" if 200 <= status < 300 else "red"
            peek = "".join(letter if letter.isprintable() else "·" for letter in event["payload"][:_MOST_PEEK])
            at = f"[dim]{datetime.now().astimezone():%H:%M:%S}[/]  [{colour}]{status}[/]  {milliseconds:4.0f} ms"
            out.print(f"{at}  [bold]{escape(event['event_name'])}[/]  {escape(peek)}")
        sys.stdout.flush()


def listen(
    forward: Annotated[str, typer.Option("--forward", "-f", help="Where to on this machine: http://localhost:3000/hook")],
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Where from, by name or id. Default: the oldest.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="Which events: Lucene. Default: all of them")] = "*",
    name: Annotated[str | None, typer.Option(help="Of the destination to listen through. Default: listen on this machine's name")] = None,
    api_url: ApiUrl = None,
    token: Token = None,
    org: Org = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")] = False,
) -> None:
    """Pass the events of a collection on to a program on this machine, those that are there and those that come; Ctrl-C pauses that.

    The same again goes on where it was.
    """
    if urlsplit(forward).scheme not in ("http", "https") or not urlsplit(forward).hostname:
        raise Trouble(f"--forward: {forward} is no address: http://localhost:3000")
    client = reach(api_url, token, org).client
    source = collection_of(client, collection)
    destination = _destination(client, name or f"listen on {socket.gethostname()}")
    replay = _replay(client, source, destination, query)
    listener = _Listener(client, destination["id"], forward, as_json)
    err.print(f"passing {query} of {source['name']} on to {forward}; Ctrl-C pauses that", style="dim", markup=False)
    try:
        try:
            _serve(listener, replay["id"])
        except (KeyboardInterrupt, BrokenPipeError):
            listener.settle(leaving=True)
            bring_to(client, replay["id"], "paused")
            err.print(f"replay {replay['id']} is paused; the same command goes on", style="dim", markup=False)
    except KeyboardInterrupt:  # pressed again: what was not said is lent out again later
        raise typer.Exit(130) from None


def _serve(listener: _Listener, replay_id: str) -> None:
    """Pass events on as they come, until the replay is no more."""
    pause = 1.0
    while True:
        try:
            events = listener.fetch()
            if not events:
                _look_after(listener.client, replay_id)
            listener.serve(events)
        except Trouble as trouble:
            if not trouble.passes:
                raise
            err.print(f"{trouble}; again in {pause:.0f} s", style="dim", markup=False)
            time.sleep(pause)
            pause = min(pause * 2, _MOST_BACK_OFF)
        else:
            pause = 1.0


def _look_after(client: Client, replay_id: str) -> None:
    """Trouble when nothing can come any more."""
    row = only(client.get(f"/v1/replay/{replay_id}"))
    if row["archived"] or row["state"] not in ("pending", "running"):
        raise Trouble(f"the replay is {'archived' if row['archived'] else row['state']}: somebody else ended it")


def _destination(client: Client, name: str) -> Row:
    """The destination of this name that lends events out, made when there is none."""
    rows: list[Row] = client.get("/v1/destination")
    found = next((each for each in rows if each["type"] == "listen" and each["name"] == name), None)
    if found is None:
        found = client.post("/v1/destination", orjson.dumps({"name": name, "type": "listen", "notes": "made by `tapedeck listen`"}))
    return found


def _replay(client: Client, source: Row, destination: Row, query: str) -> Row:
    """The continuous replay of this query, carried on where it was, or a new one."""
    wanted = (source["id"], destination["id"], query, "continuous")
    for row in all_replays(client):
        if (row["collection"]["id"], row["destination"]["id"], row["query"], row["type"]) == wanted and row["state"] not in OVER:
            return bring_to(client, row["id"], "running") if row["state"] == "paused" else row
    body = {
        "name": f"{source['name']} to {destination['name']}",
        "type": "continuous",
        "query": query,
        "collection_id": source["id"],
        "destination_id": destination["id"],
    }
    return only(client.post("/v1/replay", orjson.dumps(body), key=uuid.uuid4().hex))
