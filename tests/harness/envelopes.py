"""Envelopes as Sentry's SDKs send them: a segment of a replay, an event linked to one, and the clicks of a page."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tapedeck import clock

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"


def new_id() -> str:
    """A replay's or an event's id, as SDKs make it."""
    return uuid.uuid4().hex


def replay_event(
    replay_id: str, segment_id: int = 0, *, at: float | None = None, started: float | None = None, **fields: Any
) -> dict[str, Any]:
    """A `replay_event`: began 10 seconds ago unless said otherwise. A field set to None is sent as null."""
    at = clock.now() if at is None else at
    return {
        "type": "replay_event",
        "replay_id": replay_id,
        "event_id": replay_id,
        "segment_id": segment_id,
        "replay_type": "session",
        "timestamp": at,
        "replay_start_timestamp": at - 10 if started is None else started,
        "urls": ["https://example.com/"] if segment_id == 0 else [],
        "error_ids": [],
        "trace_ids": [],
        "environment": "production",
        "release": "web@1.0.0",
        "platform": "javascript",
        "user": {"id": "u-1", "email": "ann@example.com", "username": "ann", "ip_address": "198.51.100.4"},
        "tags": {},
        "sdk": {"name": "sentry.javascript.browser", "version": "10.0.0"},
        "request": {"url": "https://example.com/", "headers": {"User-Agent": CHROME}},
        **fields,
    }


def recording(segment_id: int, events: Sequence[Any] | bytes, *, compress: bool = True) -> bytes:
    """The payload of a `replay_recording`: a header line, then the events, deflated as the SDK's worker does it."""
    text = events if isinstance(events, bytes) else json.dumps(events, separators=(",", ":")).encode()
    return json.dumps({"segment_id": segment_id}).encode() + b"\n" + (zlib.compress(text) if compress else text)


def envelope(header: Mapping[str, Any], *items: tuple[Mapping[str, Any], bytes | Mapping[str, Any]]) -> bytes:
    """Lines of JSON with payloads between them; a payload that is bytes gets its `length`."""
    lines = [json.dumps(header).encode()]
    for item, payload in items:
        if isinstance(payload, bytes):
            lines += [json.dumps({**item, "length": len(payload)}).encode(), payload]
        else:
            lines += [json.dumps(item).encode(), json.dumps(payload).encode()]
    return b"\n".join(lines) + b"\n"


def page(segment_id: int = 0, *, at: float | None = None) -> list[dict[str, Any]]:
    """What rrweb records of a small page: enough for a player to begin with."""
    ms = int((clock.now() if at is None else at) * 1000)
    if segment_id:
        return [{"type": 3, "data": {"source": 1, "positions": [{"x": segment_id, "y": 2, "id": 1, "timeOffset": 0}]}, "timestamp": ms}]
    return [
        {"type": 4, "data": {"href": "https://example.com/", "width": 800, "height": 600}, "timestamp": ms},
        {"type": 2, "data": {"node": {"type": 0, "childNodes": [], "id": 1}, "initialOffset": {"left": 0, "top": 0}}, "timestamp": ms},
    ]


def segment(
    replay_id: str,
    segment_id: int = 0,
    *,
    events: Sequence[Any] | bytes | None = None,
    compress: bool = True,
    header: Mapping[str, Any] | None = None,
    at: float | None = None,
    **fields: Any,
) -> bytes:
    """The envelope of one segment."""
    events = page(segment_id, at=at) if events is None else events
    return envelope(
        {"event_id": replay_id, "sent_at": clock.iso(clock.now()), **(header or {})},
        ({"type": "replay_event"}, replay_event(replay_id, segment_id, at=at, **fields)),
        ({"type": "replay_recording"}, recording(segment_id, events, compress=compress)),
    )


def error_event(
    replay_id: str, *, level: str | None = "error", event_id: str | None = None, by: str = "context", at: float | None = None
) -> bytes:
    """The envelope of an event that happened during a replay, named in one of the three ways of contract §6.2."""
    event_id = event_id or new_id()
    event: dict[str, Any] = {
        "event_id": event_id,
        "timestamp": clock.now() if at is None else at,
        "exception": {"values": [{"type": "TypeError", "value": "x is undefined"}]},
        **({} if level is None else {"level": level}),
        **({"contexts": {"replay": {"replay_id": replay_id}}} if by == "context" else {}),
        **({"tags": {"replayId": replay_id}} if by == "tag" else {}),
    }
    header = {"event_id": event_id, **({"trace": {"replay_id": replay_id}} if by == "trace" else {})}
    return envelope(header, ({"type": "event"}, event))


def click(node_id: int, *, at: float, tag: str = "button", text: str = "", **attributes: Any) -> dict[str, Any]:
    """An rrweb event of a `ui.click` breadcrumb."""
    return _breadcrumb("ui.click", at, {"nodeId": node_id, "node": _node(node_id, tag, text, attributes)})


def slow_click(
    node_id: int, *, at: float, tag: str = "button", waited_ms: float = 7000, clicks: int = 1, reason: str = "timeout", **attributes: Any
) -> dict[str, Any]:
    """An rrweb event of a `ui.slowClickDetected` breadcrumb: dead after 7 s without an effect, rage from 5 clicks on."""
    data = {"nodeId": node_id, "timeAfterClickMs": waited_ms, "endReason": reason, "clickCount": clicks}
    return _breadcrumb("ui.slowClickDetected", at, {**data, "node": _node(node_id, tag, "", attributes)})


def _node(node_id: int, tag: str, text: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": node_id,
        "tagName": tag,
        "textContent": text,
        "attributes": {name.replace("_", "-"): value for name, value in attributes.items()},
    }


def _breadcrumb(category: str, at: float, data: Mapping[str, Any]) -> dict[str, Any]:
    payload = {"timestamp": at, "type": "default", "category": category, "message": "body > button", "data": data}
    return {"type": 5, "timestamp": int(at * 1000), "data": {"tag": "breadcrumb", "payload": payload}}


def concat(pages: Iterable[Sequence[Any]]) -> list[Any]:
    """The events of several segments, in order."""
    return [event for events in pages for event in events]
