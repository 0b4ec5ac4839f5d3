"""The recording of a segment: rrweb events that we keep as they came, and the clicks that we read out of them.

A recording item is `{"segment_id":n}`, a newline, and the body: a JSON array of rrweb events, plain or deflated. The array is never built
as objects: it is inflated (bounded), and msgspec runs over it once, opening only the custom events (type 5) that are breadcrumbs. A
download is a join of bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from tapedeck import strict_json
from tapedeck.errors import Invalid, TooLarge
from tapedeck.inflating import inflate, looks_like_zlib

MAX_INFLATED = 20 * 1024 * 1024
MAX_EVENTS = 100_000
MAX_CLICKS = 20
MAX_SEGMENT_ID = 65_535
# A segment header is some twenty bytes; what has no newline by then is no recording.
MAX_HEADER = 1024

# The texts of a clicked element that a click keeps, in the order in which a row stores them. Classes are one text, parted by spaces.
TEXTS = ("tag", "id", "classes", "alt", "role", "testid", "label", "title", "component_name", "text")

_SLOW_TAGS = frozenset({"a", "button", "input"})
_SLOW_MS = 7000
_RAGE_CLICKS = 5
# Years 1970 to 5138: beyond it is no time of a click.
_MAX_SECOND = 100_000_000_000


class Click(NamedTuple):
    """A click on an element: when (whole seconds), on which rrweb node, and how the element looked."""

    second: int
    node: int
    dead: bool
    rage: bool
    texts: tuple[str, ...]

    @property
    def identity(self) -> str:
        """The same click told twice (once as a click, later as a slow click) has the same identity (§6.4)."""
        return f"{self.second}:{self.node}"


def split(payload: bytes) -> tuple[int, bytes]:
    """The segment id and the body of a recording item."""
    end = payload.find(b"\n", 0, MAX_HEADER)
    if end < 0:
        raise Invalid("invalid replay recording", causes=["missing the header line"])
    header = strict_json.loads(payload[:end])
    segment_id = header.get("segment_id") if isinstance(header, dict) else None
    if type(segment_id) is not int or not 0 <= segment_id <= MAX_SEGMENT_ID:
        raise Invalid("invalid replay recording", causes=["the header has no valid segment_id"])
    return segment_id, payload[end + 1 :]


def events(body: bytes, limit: int = MAX_INFLATED) -> bytes:
    """The JSON array of events in `body`, which may be the array itself, or zlib or gzip of it."""
    if body[:1] == b"[":
        encoding = "identity"
    elif body[:2] == b"\x1f\x8b":
        encoding = "gzip"
    elif looks_like_zlib(body):
        encoding = "zlib"
    else:
        raise Invalid("invalid replay recording", causes=["neither a JSON array nor a deflated one"])
    raw = inflate(body, encoding, limit)
    if raw[:1] != b"[":
        raise Invalid("invalid replay recording", causes=["not a JSON array"])
    return raw


def join(raws: Iterable[bytes]) -> bytes:
    """One array of many arrays, byte for byte: nothing is parsed."""
    return b"[" + b",".join(raws) + b"]"


def is_dead(tag: str, data: dict[str, Any]) -> bool:
    """Whether a slow click led to nothing (§6.4): seven seconds without a change after a click on what promises one."""
    waited = _number(data, "timeAfterClickMs", "timeafterclickms")
    return data.get("endReason") == "timeout" and tag in _SLOW_TAGS and waited >= _SLOW_MS


def is_rage(tag: str, data: dict[str, Any]) -> bool:
    """Whether a dead click was repeated in anger."""
    return is_dead(tag, data) and _number(data, "clickCount", "clickcount") >= _RAGE_CLICKS


def clicks(raw: bytes) -> list[Click]:
    """The first twenty clicks of a segment, those told twice as one. A body that does not parse has none, and is kept (§6.4)."""
    found = _opened(raw)
    if len(found) > MAX_EVENTS:
        raise TooLarge(f"more than {MAX_EVENTS} events in a segment")
    told: dict[str, Click] = {}
    count = 0
    for event in found:
        click = _click(event) if event.type == _CUSTOM else None
        if click is None:
            continue
        before = told.get(click.identity)
        told[click.identity] = click if before is None else before._replace(dead=before.dead or click.dead, rage=before.rage or click.rage)
        count += 1
        if count == MAX_CLICKS:
            break
    return list(told.values())


# --- What msgspec opens -------------------------------------------------------------------------------------------------------------------

_CUSTOM = 5


class _Event(msgspec.Struct, gc=False):
    type: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Custom(msgspec.Struct, gc=False):
    tag: str
    payload: msgspec.Raw = msgspec.Raw(b"null")


_ATTRIBUTES = {
    "classes": "class",
    "label": "aria-label",
    "component": "data-sentry-component",
    "test_id": "testId",
    "data_testid": "data-testid",
    "data_test_id": "data-test-id",
}


class _Attributes(msgspec.Struct, rename=_ATTRIBUTES):
    id: str = ""
    classes: str = ""
    alt: str = ""
    role: str = ""
    label: str = ""
    title: str = ""
    component: str = ""
    test_id: str = ""
    data_testid: str = ""
    data_test_id: str = ""


class _Node(msgspec.Struct, rename="camel"):
    id: int
    tag_name: str = ""
    text_content: str = ""
    attributes: _Attributes = msgspec.field(default_factory=_Attributes)


class _Data(msgspec.Struct):
    node: _Node


class _Breadcrumb(msgspec.Struct):
    category: str
    timestamp: float
    data: msgspec.Raw = msgspec.Raw(b"null")


_EVENTS = msgspec.json.Decoder(list[_Event])
_CUSTOMS = msgspec.json.Decoder(_Custom)
_BREADCRUMBS = msgspec.json.Decoder(_Breadcrumb)
_DATA = msgspec.json.Decoder(_Data)


# JavaScript writes half a character as an escape (§24.5.2.3 of ECMAScript) and whole ones as they are; msgspec stumbles over the half.
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def _opened(raw: bytes) -> list[_Event]:
    try:
        return _EVENTS.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        return _EVENTS.decode(_HALF_CHARACTER.sub(rb"\\ufffd", raw))
    except (msgspec.DecodeError, RecursionError):
        return []


def _click(event: _Event) -> Click | None:
    """The click that a custom event tells of, if it does: what is misshapen is passed over."""
    try:
        custom = _CUSTOMS.decode(event.data)
        if custom.tag != "breadcrumb":
            return None
        breadcrumb = _BREADCRUMBS.decode(custom.payload)
        if breadcrumb.category not in ("ui.click", "ui.slowClickDetected"):
            return None
        node = _DATA.decode(breadcrumb.data).node
        data = strict_json.loads(bytes(breadcrumb.data)) if breadcrumb.category == "ui.slowClickDetected" else {}
    except (msgspec.DecodeError, RecursionError, Invalid):
        return None
    if node.id < 0 or not isfinite(breadcrumb.timestamp) or not 0 <= breadcrumb.timestamp < _MAX_SECOND:
        return None
    return Click(int(breadcrumb.timestamp), node.id, is_dead(node.tag_name, data), is_rage(node.tag_name, data), _texts(node))


def _texts(node: _Node) -> tuple[str, ...]:
    of = node.attributes
    return (
        node.tag_name[:32],
        of.id[:64],
        " ".join(name[:64] for name in of.classes.split()[:10]),
        of.alt[:64],
        of.role[:32],
        (of.test_id or of.data_testid or of.data_test_id)[:64],
        of.label[:64],
        of.title[:64],
        of.component[:64],
        node.text_content[:1024],
    )


def _number(data: dict[str, Any], *names: str) -> float:
    """The first of these that is there and not zero, as SDKs spell it in more than one way."""
    for name in names:
        value = data.get(name)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value:
            return float(value)
    return 0.0
