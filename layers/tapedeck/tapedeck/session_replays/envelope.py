"""Envelopes, as Sentry's SDKs post them: a header line, then items; and what a replay's items say once they are checked and trimmed.

`parse` reads the frame and refuses what is no envelope. `segment_of` and `links_of` read the meaning and never refuse: the sender has its
200 all the same (§6.1), so an unusable replay is `Dropped`, with the reason for whoever counts such things.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, NamedTuple

from tapedeck import strict_json
from tapedeck.errors import Invalid, TooLarge
from tapedeck.ids import parse_uuid
from tapedeck.session_replays import recording, user_agent

MAX_ITEMS = 1000
MAX_RECORDING = 10 * 1024 * 1024
MAX_LIST = 100  #   urls, error ids and trace ids of one segment
MAX_TAGS = 64  #    tags of one segment
MAX_URL = 1024
MAX_TEXT = 200  #   any other text
MAX_USER_ID = 256  # as of an event: by this id a person is erased, and the path that names them takes as many
# A clock may be wrong; one that is wrong by more than a day is not a clock.
MAX_AHEAD = 86_400


# --- The frame (§6.2) ---------------------------------------------------------------------------------------------------------------------


class Item(NamedTuple):
    """One item: its type, its whole header, its bytes."""

    type: str
    headers: dict[str, Any]
    payload: bytes


class Envelope(NamedTuple):
    """The header and the items, in the order in which they came."""

    header: dict[str, Any]
    items: list[Item]

    @property
    def event_id(self) -> str | None:
        """The id that the envelope is about: of a replay, the replay's. 32 hex digits."""
        return parse_uuid(self.header.get("event_id"))


def parse(body: bytes) -> Envelope:
    """The envelope that `body` frames. Raises Invalid, with the reason in `causes`, for what is none."""
    if not body.strip():
        raise _malformed("missing envelope header")
    line, at = _line(body, 0)
    header = _object(line, "invalid envelope header")
    items: list[Item] = []
    while at < len(body):
        line, at = _line(body, at)
        if not line.strip():
            continue
        if len(items) == MAX_ITEMS:
            raise TooLarge(f"more than {MAX_ITEMS} items in an envelope")
        headers = _object(line, "invalid item header")
        kind, length = headers.get("type"), headers.get("length")
        if not isinstance(kind, str):
            raise _malformed("invalid item header", "missing the item's type")
        if length is None:
            payload, at = _line(body, at)
        elif type(length) is not int or length < 0:
            raise _malformed("invalid item header", "length is not a number of bytes")
        elif at + length > len(body):
            raise _malformed("unexpected end of file")
        elif body[at + length : at + length + 1] not in (b"\n", b""):
            raise _malformed("missing newline after header or payload")
        else:
            payload, at = body[at : at + length], at + length + 1
        items.append(Item(kind, headers, payload))
    return Envelope(header, items)


def _line(body: bytes, start: int) -> tuple[bytes, int]:
    end = body.find(b"\n", start)
    return (body[start:], len(body)) if end < 0 else (body[start:end], end + 1)


def _object(line: bytes, complaint: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(line)
    except Invalid as error:
        raise _malformed(complaint, *error.causes) from None
    if not isinstance(value, dict):
        raise _malformed(complaint, "not a JSON object")
    return value


def _malformed(*causes: str) -> Invalid:
    return Invalid("invalid event envelope", causes=causes)


# --- A segment (§6.3) ---------------------------------------------------------------------------------------------------------------------


class Dropped(NamedTuple):
    """A replay that was accepted with a 200 and is not kept."""

    reason: str


class ReplayEvent(NamedTuple):
    """A `replay_event`, checked, trimmed and flattened: `scalars` maps dotted names (`user.id`, `os.name`, …) to the texts there are."""

    replay_id: str
    segment_id: int
    timestamp: float
    started: float
    scalars: dict[str, str]
    urls: list[str]
    error_ids: list[str]
    trace_ids: list[str]
    release: str | None
    tags: dict[str, str]

    @property
    def user_id(self) -> str | None:
        """Whose session it is (decision 21): what a deletion job erases by."""
        return self.scalars.get("user.id")

    @property
    def environment(self) -> str | None:
        """The SDK's environment name, `production` for instance."""
        return self.scalars.get("environment")


class Segment(NamedTuple):
    """A `replay_event` and the body of its recording, as it was sent: deflated, or plain."""

    event: ReplayEvent
    body: bytes


def segment_of(
    envelope: Envelope, *, now: float, client_ip: str | None = None, client_agent: str | None = None
) -> Segment | Dropped | None:
    """The segment in an envelope; `Dropped` when there is an unusable one; None when it carries no replay at all.

    `client_ip` and `client_agent` are what the connection says of the sender: they fill in what the SDK leaves to the server.
    """
    events, recordings, videos = (
        [item.payload for item in envelope.items if item.type == kind] for kind in ("replay_event", "replay_recording", "replay_video")
    )
    if not events and not recordings and not videos:
        return None
    if videos:
        return Dropped("replay_video is not supported")
    if len(events) != 1 or len(recordings) != 1:
        return Dropped("not exactly one replay_event with one replay_recording")
    if len(recordings[0]) > MAX_RECORDING:
        return Dropped("the recording is too large")
    try:
        event = _replay_event(strict_json.loads(events[0]), now, client_ip, client_agent)
        segment_id, body = recording.split(recordings[0])
    except Invalid as error:
        return Dropped(": ".join([error.detail or "", *error.causes]))
    if event.replay_id != envelope.event_id:
        return Dropped("replay_id is not the envelope's event_id")
    if event.segment_id != segment_id:
        return Dropped("the recording has another segment_id than its replay_event")
    return Segment(event, body)


# name → (path in the replay_event, longest). A new text is a new row.
_SCALARS: dict[str, tuple[str, int]] = {
    "replay_type": ("replay_type", 64),
    "environment": ("environment", 64),
    "user.id": ("user.id", MAX_USER_ID),
    "user.username": ("user.username", MAX_TEXT),
    "user.email": ("user.email", MAX_TEXT),
    "user.geo.city": ("user.geo.city", 64),
    "user.geo.country_code": ("user.geo.country_code", 64),
    "user.geo.region": ("user.geo.region", 64),
    "user.geo.subdivision": ("user.geo.subdivision", 64),
    "sdk.name": ("sdk.name", 64),
    "sdk.version": ("sdk.version", 64),
    "ota_updates.channel": ("contexts.ota_updates.channel", MAX_TEXT),
    "ota_updates.runtime_version": ("contexts.ota_updates.runtime_version", MAX_TEXT),
    "ota_updates.update_id": ("contexts.ota_updates.update_id", MAX_TEXT),
}
_CONTEXTS: dict[str, tuple[str, ...]] = {
    "browser": ("name", "version"),
    "os": ("name", "version"),
    "device": ("name", "brand", "model", "family"),
}
_REPLAY_TYPES = ("session", "buffer", "error")
# fmt: off
_PLATFORMS = frozenset((
    "as3", "c", "cfml", "cocoa", "csharp", "dart", "elixir", "flutter", "go", "groovy", "haskell", "java", "javascript", "kotlin", "native",
    "node", "objc", "other", "perl", "php", "powershell", "python", "react-native", "ruby", "rust", "swift", "unity", "unreal",
))
# fmt: on
_DIST = re.compile(r"[a-zA-Z0-9_.-]+")


def _replay_event(said: Any, now: float, client_ip: str | None, client_agent: str | None) -> ReplayEvent:
    if not isinstance(said, dict):
        raise Invalid("the replay_event is not a JSON object")
    replay_id, segment_id = parse_uuid(said.get("replay_id")), said.get("segment_id")
    if replay_id is None:
        raise Invalid("missing or malformed replay_id")
    if type(segment_id) is not int or not 0 <= segment_id <= recording.MAX_SEGMENT_ID:
        raise Invalid("missing or impossible segment_id")
    timestamp = _time(said.get("timestamp"), now)
    if timestamp is None:
        raise Invalid("missing or impossible timestamp")
    started = timestamp if said.get("replay_start_timestamp") is None else _time(said.get("replay_start_timestamp"), now)
    if started is None:
        raise Invalid("impossible replay_start_timestamp")
    return ReplayEvent(
        replay_id=replay_id,
        segment_id=segment_id,
        timestamp=timestamp,
        started=min(started, timestamp),
        scalars={name: text for name, text in _scalars(said, client_ip, client_agent) if text},
        urls=[url for url in (_text(url, MAX_URL) for url in _list(said, "urls")) if url][:MAX_LIST],
        error_ids=_ids(said, "error_ids"),
        trace_ids=_ids(said, "trace_ids"),
        release=_text(said.get("release"), MAX_TEXT),
        tags=dict(_tags(said)),
    )


def _scalars(said: dict[str, Any], client_ip: str | None, client_agent: str | None) -> Iterator[tuple[str, str | None]]:
    for name, (path, limit) in _SCALARS.items():
        text = _text(_at(said, path), limit)
        yield name, text if name != "replay_type" or text in _REPLAY_TYPES else "session"
    platform = _text(said.get("platform"), 64)
    platform = platform if platform in _PLATFORMS else "other"
    yield "platform", platform
    dist = _text(said.get("dist"), 64)
    yield "dist", dist if dist and _DIST.fullmatch(dist) else None
    yield "user.ip", _ip(said, platform, client_ip)
    yield from _contexts(said, client_agent)


def _contexts(said: dict[str, Any], client_agent: str | None) -> Iterator[tuple[str, str | None]]:
    """Browser, system and device: as the SDK says or, where it says nothing, as the User-Agent of the recorded page says."""
    headers = _at(said, "request.headers")
    agent = next((_text(value, 1024) for name, value in _pairs(headers) if name.lower() == "user-agent"), None) or client_agent
    guessed = user_agent.contexts(agent) if agent and headers is not None else {}
    for context, leaves in _CONTEXTS.items():
        told = {leaf: _text(_at(said, f"contexts.{context}.{leaf}"), MAX_TEXT) for leaf in leaves}
        told = told if any(told.values()) else guessed.get(context, {})
        yield from ((f"{context}.{leaf}", told.get(leaf)) for leaf in leaves)


def _ip(said: dict[str, Any], platform: str, client_ip: str | None) -> str | None:
    told = _text(_at(said, "user.ip_address"), 64)
    if told is not None and told != "{{auto}}":
        return told if _is_ip(told) else None
    may_infer = _at(said, "sdk.settings.infer_ip") != "never" and (told is not None or platform == "javascript")
    return client_ip if may_infer and client_ip and _is_ip(client_ip) else None


def _is_ip(text: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, text)
        except (OSError, ValueError):
            continue
        return True
    return False


def _tags(said: dict[str, Any]) -> Iterable[tuple[str, str]]:
    tags = ((_text(key, MAX_TEXT), _text(value, MAX_TEXT)) for key, value in _pairs(said.get("tags")))
    return [(key, value) for key, value in tags if key and value][:MAX_TAGS]


def _ids(said: dict[str, Any], name: str) -> list[str]:
    ids = [parse_uuid(value) for value in _list(said, name)]
    if None in ids:
        raise Invalid(f"{name} has something that is no UUID")
    return [found for found in ids if found][:MAX_LIST]


# --- Links (§6.2) -------------------------------------------------------------------------------------------------------------------------


class EventLink(NamedTuple):
    """An event that happened during a replay: `level` is `error`, `warning` or `info`."""

    event_id: str
    replay_id: str
    level: str
    timestamp: float
    title: str


_LEVELS = {"fatal": "error", "error": "error", "warning": "warning", "info": "info", "debug": "info", "log": "info"}


def links_of(envelope: Envelope, *, now: float) -> list[EventLink]:
    """The events in an envelope that belong to a replay: by their replay context, their `replayId` tag or the envelope's trace header."""
    links = []
    for item in envelope.items:
        if item.type != "event":
            continue
        try:
            said = strict_json.loads(item.payload)
        except Invalid:
            continue
        event_id = parse_uuid(_at(said, "event_id")) or envelope.event_id
        named = (_at(said, "contexts.replay.replay_id"), _tag(said, "replayId"), _at(envelope.header, "trace.replay_id"))
        replay_id = next((found for found in map(parse_uuid, named) if found), None)
        if event_id and replay_id:
            level = _LEVELS.get(_text(_at(said, "level"), 64) or "error", "error")  # decision 39
            timestamp = _time(_at(said, "timestamp"), now)
            links.append(EventLink(event_id, replay_id, level, now if timestamp is None else timestamp, _title(said)))
    return links


def _tag(said: Any, wanted: str) -> Any:
    return next((value for key, value in _pairs(_at(said, "tags")) if key == wanted), None)


def _title(said: Any) -> str:
    """One line for people: the exception with its message, else the message."""
    thrown = _at(said, "exception.values") or _at(said, "exception")
    if isinstance(thrown, list) and thrown:
        kind, value = _text(_at(thrown[-1], "type"), MAX_TEXT), _text(_at(thrown[-1], "value"), MAX_TEXT)
        return ": ".join(part for part in (kind, value) if part)[:MAX_TEXT]
    paths = ("logentry.formatted", "logentry.message", "message.formatted", "message.message", "message")
    return next((text for text in (_text(_at(said, path), MAX_TEXT) for path in paths) if text), "")


# --- Reading what may be anything ---------------------------------------------------------------------------------------------------------


def _at(value: Any, path: str) -> Any:
    """The value under a dotted path, None when the way there is not made of objects."""
    for name in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _text(value: Any, limit: int) -> str | None:
    """At most `limit` characters of a text, without the white space around it. A number or a truth is spelled, anything else is None."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, float):
        value = str(int(value)) if value.is_integer() and abs(value) < 1e21 else str(value)
    elif isinstance(value, int):
        value = str(value)
    return value.strip()[:limit].rstrip() or None if isinstance(value, str) else None


def _time(value: Any, now: float) -> float | None:
    """Seconds since the epoch, of a number of seconds or an ISO text (naive is UTC); None when it is no time, or no time of ours."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value[:64])
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        return None
    return seconds if isfinite(seconds) and 0 <= seconds <= now + MAX_AHEAD else None


def _list(said: Mapping[str, Any], name: str) -> list[Any]:
    value = said.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Invalid(f"{name} is not a list")
    return value


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """An object's members, which SDKs may also write as a list of pairs."""
    pairs: Iterable[Any] = value.items() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for pair in pairs:
        if isinstance(pair, (tuple, list)) and len(pair) == 2 and isinstance(pair[0], str):
            yield pair[0], pair[1]
