"""A row as the world sees it: the response object of the replay endpoints, and the choice of its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tapedeck.clock import iso
from tapedeck.errors import Invalid
from tapedeck.session_replays import counting
from tapedeck.session_replays.merging import Row, count_segments, scalar
from tapedeck.session_replays.recording import TEXTS

# What `field=` may name (§1.1): `replay_type` and `ota_updates` are in the answer, but cannot be asked for.
# fmt: off
FIELDS = frozenset((
    "activity", "browser", "count_dead_clicks", "count_errors", "count_infos", "count_rage_clicks", "count_segments", "count_urls",
    "count_warnings", "clicks", "device", "dist", "duration", "environment", "error_ids", "finished_at", "has_viewed", "id", "info_ids",
    "is_archived", "os", "platform", "project_id", "releases", "sdk", "started_at", "tags", "trace_ids", "urls", "user", "warning_ids",
))
# fmt: on

# answer → (its leaves → the scalar that fills it); an archived replay has the same leaves, empty.
_OBJECTS: dict[str, dict[str, str]] = {
    "sdk": {"name": "sdk.name", "version": "sdk.version"},
    "os": {"name": "os.name", "version": "os.version"},
    "browser": {"name": "browser.name", "version": "browser.version"},
    "device": {
        "name": "device.name",
        "brand": "device.brand",
        "model": "device.model",
        "model_id": "device.model",
        "family": "device.family",
    },
    "ota_updates": {leaf: f"ota_updates.{leaf}" for leaf in ("channel", "runtime_version", "update_id")},
}
_USER = ("username", "email", "id", "ip")
_GEO = ("city", "country_code", "region", "subdivision")
_SCALARS = ("environment", "platform", "dist")
_LISTS = ("error_ids", "trace_ids", "warning_ids", "info_ids", "releases", "clicks")
_CLICK = {
    "alt": "alt",
    "classes": "classes",
    "component_name": "component_name",
    "id": "id",
    "label": "label",
    "role": "role",
    "tag": "tag",
    "testid": "testid",
    "text": "text",
    "title": "title",
}


def present(row: Row, replay_id: str, project_id: int | str, viewer_id: int | None = None) -> dict[str, Any]:
    """The response object of §4; `viewer_id` is who asks. A deleted replay has the archived shape."""
    if row.get("archived"):
        return _archived(replay_id, project_id)
    scalars = {name: scalar(row, name) for name in row.get("scalars", {})}
    started, finished = counting.span(row)
    errors, warnings, infos = (_linked(row, level) for level in ("error", "warning", "info"))
    return {
        "id": replay_id,
        "project_id": str(project_id),
        "trace_ids": _in_order(row.get("trace_ids", {})),
        "error_ids": list(dict.fromkeys([*_in_order(row.get("error_ids", {})), *errors])),
        "environment": scalars.get("environment"),
        "tags": {key: _in_order(values) for key, values in row.get("tags", {}).items() if key != "transaction"},
        "user": _user(scalars),
        **{name: {leaf: scalars.get(source) for leaf, source in leaves.items()} for name, leaves in _OBJECTS.items()},
        "is_archived": False,
        "urls": [url for _, _, url in row.get("urls", [])],
        "clicks": [_click(texts) for _, _, texts in sorted(row.get("clicks", {}).values())],
        "activity": counting.activity(row),
        "count_dead_clicks": counting.count_dead_clicks(row),
        "count_rage_clicks": counting.count_rage_clicks(row),
        "count_errors": len(errors),
        "count_warnings": len(warnings),
        "count_infos": len(infos),
        "count_segments": count_segments(row),
        "count_urls": counting.count_urls(row),
        "dist": scalars.get("dist"),
        "duration": counting.duration(row),
        "finished_at": iso(finished),
        "started_at": iso(started),
        "platform": scalars.get("platform"),
        "releases": _in_order(row.get("releases", {})),
        "replay_type": scalars.get("replay_type") or "session",
        "warning_ids": warnings,
        "info_ids": infos,
        "has_viewed": viewer_id in row.get("viewers", []),
    }


def chosen(names: Sequence[str]) -> list[str]:
    """The fields that a request names, checked before anything is read. Invalid for one that there is not (contract §1.1)."""
    unknown = [name for name in names if name not in FIELDS]
    if unknown:
        raise Invalid(fields={"field": [f'"{name[:64]}" is not a valid choice.' for name in unknown]})
    return list(names)


def select(replay: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """The fields asked for, and no others; none asked for is all of them."""
    return {field: replay.get(field) for field in chosen(fields)} if fields else replay


def error_events(row: Row) -> list[dict[str, Any]]:
    """The linked events with their times, for a player's timeline: beyond the contract's object, earliest first."""
    if row.get("archived"):
        return []
    return [
        {"id": event_id, "level": level, "timestamp": timestamp, "title": title or None}
        for event_id, (timestamp, level, title) in sorted(row.get("links", {}).items(), key=lambda entry: (entry[1], entry[0]))
    ]


def _in_order(met: dict[str, Any]) -> list[str]:
    return sorted(met, key=lambda name: (met[name], name))


def _linked(row: Row, level: str) -> list[str]:
    return _in_order({event_id: link for event_id, link in row.get("links", {}).items() if link[1] == level})


def _user(scalars: dict[str, str | None]) -> dict[str, Any]:
    known = {leaf: scalars.get(f"user.{leaf}") for leaf in _USER}
    if known["ip"] and ":" in known["ip"]:
        known["ip"] = None  # IPv6 is kept and never shown (§4)
    return {
        "id": known["id"],
        "username": known["username"],
        "email": known["email"],
        "ip": known["ip"],
        "ip_address": known["ip"],
        "geo": {leaf: scalars.get(f"user.geo.{leaf}") for leaf in _GEO},
        "display_name": next((known[leaf] for leaf in _USER if known[leaf]), None),
    }


def _click(texts: list[str]) -> dict[str, Any]:
    known: dict[str, Any] = dict(zip(TEXTS, (text or None for text in texts), strict=True))
    known["classes"] = known["classes"].split() if known["classes"] else None
    return {f"click.{name}": known[source] for name, source in _CLICK.items()}


def _archived(replay_id: str, project_id: int | str) -> dict[str, Any]:
    replay = present({"seen": "0"}, replay_id, project_id)
    emptied: dict[str, Any] = {name: value if isinstance(value, dict) else None for name, value in replay.items() if name != "replay_type"}
    name = "Archived Replay"
    return emptied | {
        "id": replay_id,
        "project_id": str(project_id),
        "is_archived": True,
        "has_viewed": False,
        "user": replay["user"] | {"id": name, "display_name": name},
        "tags": [],
        **{field: [] for field in _LISTS},
    }
