"""What a query may speak of: a stored event as Batch's users know it (contract event-replays §1.2), and where the names in it lead.

    batch.info      date_human (when it was received, ISO 8601), date_string (the same, ns since the epoch), request_id (the event's id),
                    source (the collection's name)
    batch.team      id
    client.metadata event_name, app_name, server_name, and pm_id, rev, user where there are such: texts
    client.payload  the data, as they were sent

A field is looked for there by its whole path; if that leads to nothing, in the payload; then in the metadata. A path leads into objects
and through the elements of arrays, and a name with dots in it is found as well. null is nothing, and objects are no values, but exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from tapedeck.events.model import Event, iso

Line: TypeAlias = Mapping[str, Any]  # an event's line in a chunk, parsed, with its `received`


@dataclass(frozen=True, slots=True)
class Source:
    """Of whom the events are: what is the same in all envelopes of a collection."""

    team_id: str
    collection: str = ""  # its name


@dataclass(frozen=True, slots=True)
class Field:
    """A text of the envelope beside the payload. `member` is where a line holds it, if it does, as it is."""

    path: str
    read: Callable[[Line, Source], str | None]
    member: str | None = None


def _text(member: str) -> Callable[[Line, Source], str | None]:
    return lambda line, _: None if (value := line.get(member)) is None else str(value)


RECEIVED = "batch.info.date_human"
# fmt: off
FIELDS = (
    Field(RECEIVED, lambda line, _: iso(line["received"])),
    Field("batch.info.date_string", lambda line, _: str(line["received"] * 1_000_000)),
    Field("batch.info.request_id", _text("id"), "id"),
    Field("batch.info.source", lambda _, source: source.collection),
    Field("batch.team.id", lambda _, source: source.team_id),
    Field("client.metadata.event_name", _text("name"), "name"),
    Field("client.metadata.app_name", _text("app"), "app"),
    Field("client.metadata.server_name", _text("server"), "server"),
    Field("client.metadata.pm_id", _text("pm_id"), "pm_id"),
    Field("client.metadata.rev", _text("rev"), "rev"),
    Field("client.metadata.user", _text("user"), "user"),
)
# fmt: on
BY_PATH = {field.path: field for field in FIELDS}
METADATA, PAYLOAD = "client.metadata.", "client.payload"


def is_object(path: str) -> bool:
    """Whether it is the payload, or an object around it or beside it."""
    return path == PAYLOAD or any(field.path.startswith(f"{path}.") for field in FIELDS)


def envelope(event: Event, *, team_id: str, collection: str) -> dict[str, Any]:
    """The stored event; `client.payload` is the data's own bytes (`orjson.Fragment`), `collection` the collection's name."""
    line = {name: getattr(event, name) for name in event.__struct_fields__}
    source = Source(team_id, collection)
    whole: dict[str, Any] = {}
    for field in FIELDS:
        value = field.read(line, source)
        if value is not None:
            *path, name = field.path.split(".")
            within = whole
            for step in path:
                within = within.setdefault(step, {})
            within[name] = value
    whole["client"]["payload"] = orjson.Fragment(bytes(event.data))
    return whole
