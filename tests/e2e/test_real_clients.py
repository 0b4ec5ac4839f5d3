"""Sentry's own CLI and MCP server, unmodified, find and show a session that an SDK recorded here; docs/clients.md says what each of them needs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tapedeck_cli import demo

from .conftest import Stack, until

PATIENCE = 90
ANSWERED_IN = "2025-06-18"  # the version of the protocol that we speak to the MCP server

Sentry = Callable[..., str]


@pytest.fixture(scope="module")
def recorded(stack: Stack) -> dict[str, Any]:
    """A session that went in by the door of the SDKs, as the list shows it once all four segments and the error are there."""
    replay_id = uuid.uuid4().hex
    for envelope in demo.envelopes(replay_id, int(time.time()) - 60):  # on the second, so that it lasts 30 of them in whole ones
        stack.send(envelope)

    def arrived() -> dict[str, Any] | None:
        return next((row for row in stack.replays() if (row["id"], row["count_segments"], row["count_errors"]) == (replay_id, 4, 1)), None)

    return until(arrived, "the session is listed")


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """An environment without a past and without telemetry: nothing of this machine's user, and nobody but us to talk to."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TZ": "UTC", "SENTRY_CLI_NO_TELEMETRY": "1", **more}


@pytest.fixture(scope="module")
def sentry(stack: Stack, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Sentry:
    """The `sentry` command, signed in by its environment: arguments → what it printed."""
    environment = surroundings(
        tmp_path_factory.mktemp("cli"), SENTRY_URL=stack.api_url, SENTRY_AUTH_TOKEN=stack.token, COLUMNS="200", NO_COLOR="1"
    )

    def run(*arguments: str) -> str:
        ran = subprocess.run(
            [installed / "sentry", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd=environment["HOME"],
        )
        assert ran.returncode == 0, f"sentry {' '.join(arguments)} → {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    return run


class Conversation:
    """JSON-RPC with the MCP server on its standard input and output: one question, one answer."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.to: IO[str] = process.stdin
        self.back: IO[str] = process.stdout
        self.asked = 0
        self.watchdog = threading.Timer(PATIENCE, process.kill)
        self.watchdog.start()
        self.ask("initialize", protocolVersion=ANSWERED_IN, capabilities={}, clientInfo={"name": "tapedeck-e2e", "version": "1"})
        self._say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def ask(self, method: str, /, **params: Any) -> dict[str, Any]:
        """The result of a request; what the server says in between is for others."""
        self.asked += 1
        self._say({"jsonrpc": "2.0", "id": self.asked, "method": method, "params": params})
        for line in self.back:
            answer = json.loads(line)
            if answer.get("id") == self.asked:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
        pytest.fail("the MCP server ended")

    def tool(self, name: str, /, **arguments: Any) -> str:
        """The text that a tool gives to a model; an error of the tool is a failure here."""
        result = self.ask("tools/call", name=name, arguments=arguments)
        text = "\n".join(part["text"] for part in result["content"] if part["type"] == "text")
        assert not result.get("isError"), text
        return text

    def _say(self, message: dict[str, Any]) -> None:
        self.to.write(json.dumps(message) + "\n")
        self.to.flush()


@pytest.fixture(scope="module")
def mcp(stack: Stack, installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversation]:
    """Sentry's MCP server over stdio. `--host` takes our stage's path along with host and port."""
    home = tmp_path_factory.mktemp("mcp")
    host = stack.api_url.removeprefix("http://")
    with (home / "stderr").open("wb") as complaints:
        process = subprocess.Popen(
            [installed / "sentry-mcp", f"--access-token={stack.token}", f"--host={host}", "--insecure-http"],
            env=surroundings(home),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
    conversation = Conversation(process)
    yield conversation
    conversation.watchdog.cancel()
    process.kill()
    process.communicate()


def test_the_cli_lists_a_session(stack: Stack, recorded: dict[str, Any], sentry: Sentry) -> None:
    slug = stack.organization["slug"]
    line = next(line for line in sentry("replay", "list", f"{slug}/", "--fresh").splitlines() if recorded["id"] in line)
    assert [cell.strip() for cell in line.strip("│").split("│")][2:] == ["30s", "1", "4", "robin", str(stack.environment["project_id"])]
    of_project = json.loads(sentry("replay", "list", f"{slug}/{stack.environment['slug']}", "--fresh", "--json"))
    mine = next(row for row in of_project["data"] if row["id"] == recorded["id"])
    assert mine["started_at"] == recorded["started_at"]
    assert mine["urls"] == recorded["urls"]
    assert mine["tags"] == {"plan": ["regular"], "store": ["riverside"]}


def test_the_cli_lists_the_projects(stack: Stack, sentry: Sentry) -> None:
    listed = sentry("project", "list", f"{stack.organization['slug']}/", "--fresh")
    assert all(environment["slug"] in listed for environment in stack.organization["environments"])


def test_the_cli_searches(stack: Stack, recorded: dict[str, Any], sentry: Sentry) -> None:
    def found(query: str) -> list[str]:
        rows = json.loads(
            sentry(
                "replay",
                "list",
                f"{stack.organization['slug']}/",
                "--query",
                query,
                "-e",
                "production",
                "--sort",
                "errors",
                "--fresh",
                "--json",
            )
        )
        return [row["id"] for row in rows["data"]]

    this = f"id:{recorded['id']}"
    assert found(f'{this} count_errors:>0 user.email:*@customer.example rage.selector:"button#checkout"') == [recorded["id"]]
    assert found(f"{this} plan:[family, regular] !has:user.email") == []
    with pytest.raises(AssertionError, match="Invalid number: many"):
        found(f"{this} count_errors:many")


def test_the_cli_turns_pages(stack: Stack, recorded: dict[str, Any], sentry: Sentry) -> None:
    stack.send(next(iter(demo.envelopes(uuid.uuid4().hex, time.time() - 90))))
    where = f"{stack.organization['slug']}/"
    first = json.loads(sentry("replay", "list", where, "--limit", "1", "--fresh", "--json"))
    second = json.loads(sentry("replay", "list", where, "--limit", "1", "--cursor", "next", "--json"))
    assert first["hasMore"] is True
    assert len(first["data"]) == len(second["data"]) == 1
    assert first["data"][0]["id"] != second["data"][0]["id"]
    assert first["data"][0]["started_at"] >= second["data"][0]["started_at"]


def test_the_cli_shows_a_session(stack: Stack, recorded: dict[str, Any], sentry: Sentry) -> None:
    shown = sentry("replay", "view", f"{stack.organization['slug']}/{recorded['id']}", "--fresh")
    for words in ("30 seconds", "production", "Chrome 142.0.0", "robin@customer.example", "shop@1.4.2", *recorded["urls"], "plan: regular"):
        assert words in shown
    told = json.loads(sentry("replay", "view", f"{stack.organization['slug']}/{stack.environment['slug']}/{recorded['id']}", "--json"))
    assert told["id"] == recorded["id"]
    assert (told["count_rage_clicks"], told["count_dead_clicks"], told["error_ids"]) == (1, 1, recorded["error_ids"])


def test_the_mcp_server_tells_of_a_session(stack: Stack, recorded: dict[str, Any], mcp: Conversation) -> None:
    offered = {tool["name"] for tool in mcp.ask("tools/list")["tools"]}
    assert {"execute_sentry_tool", "get_sentry_resource"} <= offered  # get_replay_details is behind the first of them
    dashed = str(uuid.UUID(recorded["id"]))
    told = mcp.tool(
        "execute_sentry_tool", name="get_replay_details", arguments={"organizationSlug": stack.organization["slug"], "replayId": dashed}
    )
    for words in (
        "**Duration**: 30s",
        "**User**: robin",
        "**Errors**: 1",
        "**Rage Clicks**: 1",
        "**Recording Segments**: 4",
        "**Archived**: No",
    ):
        assert words in told
    assert 'message="3 books loaded"' in told  # out of the recording itself
    assert "body > main > button.add" in told
    by_address = f"{stack.api_url}/organizations/{stack.organization['slug']}/explore/replays/{recorded['id']}/"
    assert "**User**: robin" in mcp.tool("get_sentry_resource", url=by_address)


def test_the_mcp_server_searches(stack: Stack, recorded: dict[str, Any], mcp: Conversation) -> None:
    def found(query: str) -> str:
        return mcp.tool(
            "search_events",
            organizationSlug=stack.organization["slug"],
            projectSlug=stack.environment["slug"],
            dataset="replays",
            query=query,
        )

    told = found(f"id:{recorded['id']} plan:regular duration:30s")
    assert "Found **1** replay" in told
    assert f"{stack.api_url}/organizations/{stack.organization['slug']}/explore/replays/{recorded['id']}/" in told
    assert "Found **" not in found(f"id:{recorded['id']} !plan:regular")


def test_the_mcp_server_knows_the_organization(stack: Stack, mcp: Conversation) -> None:
    found = json.loads(mcp.tool("find_organizations"))["organizations"]
    assert [organization["slug"] for organization in found] == [stack.organization["slug"]]
