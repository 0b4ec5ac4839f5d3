"""A replay as a line of the lake: what the API presents of it to everybody, with flat names. Pure.

Each member is a column of the Glue table in template.yaml; a test holds the two together. `id` and `version` stand first, so that whoever
takes lines out of an object finds whose they are without parsing them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tapedeck.session_replays import presenting
from tapedeck.session_replays.merging import Row

# Not in a line: what is of the one who asks, and what every line would say (a deleted replay has none).
LEFT_OUT = ("has_viewed", "is_archived")
_ID = slice(7, 39)  # of `{"id":"…`


def line(row: Row, organization_id: int, project_id: int, replay_id: str, version: int) -> bytes:
    """A replay's line, newline and all. `version` goes up with every write: of two lines of a replay the greater is the newer."""
    shown = presenting.present(row, replay_id, project_id) | {"error_events": presenting.error_events(row)}
    told = {"id": replay_id, "version": version, "organization_id": str(organization_id)}
    return orjson.dumps(told | dict(_flat(shown)), option=orjson.OPT_APPEND_NEWLINE)


def replay_of(said: bytes) -> str:
    """Whose line this is."""
    return said[_ID].decode()


def version_of(said: bytes) -> int:
    """Of which version it is."""
    version: int = orjson.loads(said)["version"]
    return version


def _flat(shown: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in shown.items():
        if name == "clicks":
            yield name, [{leaf.removeprefix("click."): text for leaf, text in click.items()} for click in value]
        elif isinstance(value, dict) and name != "tags":
            yield from ((f"{name}_{leaf}", inner) for leaf, inner in _flat(value))
        elif name not in LEFT_OUT:
            yield name, value
