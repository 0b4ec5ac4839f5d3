"""A made-up visit to a small bookshop, as an unmodified Sentry SDK would have recorded it: something to watch before the first real one.

A customer adds two books to the basket, types a coupon, presses a check-out button that does nothing (again and again), sees the error
at last and gives up. The page, its changes, the pointer, console, network and one error event are rrweb and Sentry envelopes; only the
customer is invented.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

Event = dict[str, Any]

_SHOP = "https://shop.acme.example"
_AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
_SDK = {"name": "sentry.javascript.browser", "version": "11.12.0"}
_WIDTH, _HEIGHT = 1180, 760
_SEGMENTS = (0.0, 5.5, 13.0, 22.0, 60.0)  # seconds at which the SDK flushed
_STYLE = """
body{margin:0;font:16px/1.5 Georgia,serif;color:#2b2622;background:#f7f3ec}
header{display:flex;justify-content:space-between;align-items:center;padding:18px 48px;background:#23395b;color:#fff}
header b{font-size:24px;letter-spacing:.02em}
#basket{background:#f2b134;color:#2b2622;border-radius:16px;padding:4px 16px;font:600 15px sans-serif}
main{max-width:980px;margin:28px auto;padding:0 24px}.books{display:grid;grid-template-columns:repeat(3,1fr);gap:24px}
.book{background:#fff;border-radius:10px;box-shadow:0 1px 4px #0002;padding:18px}.cover{height:150px;border-radius:6px;margin-bottom:12px}
button{font:600 15px sans-serif;border:0;border-radius:6px;padding:10px 18px;background:#23395b;color:#fff;cursor:pointer}
.order{display:flex;gap:16px;align-items:center;margin-top:32px;padding:20px;background:#fff;border-radius:10px}
input{font:15px sans-serif;padding:9px 12px;border:1px solid #c9c0b2;border-radius:6px;width:220px}
#checkout{background:#2e7d4f;margin-left:auto}.banner{margin-top:20px;padding:14px 20px;border-radius:8px;background:#fbe3e0;color:#8c1d18}
"""
_BOOKS = (("The Tidal Clock", "#4f7cac"), ("A Field of Small Machines", "#c0803d"), ("Letters to a Lighthouse", "#7a5c8e"))


class _Page:
    """Builds a DOM as rrweb serialises it: every node gets the next id."""

    def __init__(self) -> None:
        self.last = 0
        self.named: dict[str, int] = {}

    def node(self, kind: int, **fields: Any) -> dict[str, Any]:
        self.last += 1
        return {"type": kind, **fields, "id": self.last}

    def text(self, content: str, *, style: bool = False) -> dict[str, Any]:
        return self.node(3, textContent=content, **({"isStyle": True} if style else {}))

    def tag(self, name: str, *children: Any, alias: str = "", **attributes: str) -> dict[str, Any]:
        made = self.node(
            2, tagName=name, attributes={key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()}, childNodes=[]
        )
        made["childNodes"] = [self.text(child, style=name == "style") if isinstance(child, str) else child for child in children]
        if alias:
            self.named[alias] = made["id"]
            if made["childNodes"] and made["childNodes"][0]["type"] == 3:
                self.named[f"{alias}:text"] = made["childNodes"][0]["id"]
        return made

    def shop(self) -> dict[str, Any]:
        books = [
            self.tag(
                "article",
                self.tag("div", class_="cover", style=f"background:{colour}"),
                self.tag("h3", title),
                self.tag("p", "Paperback, 14.90"),
                self.tag(
                    "button", "Add to basket", alias=f"add{number}", class_="add", data_testid=f"add-{number}", aria_label=f"Add {title}"
                ),
                class_="book",
            )
            for number, (title, colour) in enumerate(_BOOKS)
        ]
        order = self.tag(
            "section",
            self.tag("label", "Coupon"),
            self.tag("input", alias="coupon", id="coupon", type="text", value=""),
            self.tag("button", "Check out", alias="checkout", id="checkout", class_="primary large", data_testid="checkout"),
            class_="order",
        )
        body = self.tag(
            "body",
            self.tag("header", self.tag("b", "Acme Bookshop"), self.tag("span", "Basket: empty", alias="basket", id="basket")),
            self.tag("main", self.tag("h1", "New this week"), self.tag("div", *books, class_="books"), order, alias="main"),
        )
        head = self.tag("head", self.tag("title", "Acme Bookshop"), self.tag("style", _STYLE))
        html = self.tag("html", head, body, lang="en")
        doctype = self.node(1, name="html", publicId="", systemId="")
        return self.node(0, childNodes=[doctype, html])


@dataclass
class _Visit:
    """What happened, second by second from `start`."""

    start: float
    error_id: str
    page: _Page = field(default_factory=_Page)
    events: list[tuple[float, Event]] = field(default_factory=list)
    pointer: tuple[int, int] = (600, 90)

    def at(self, second: float, kind: int, data: dict[str, Any]) -> None:
        self.events.append((second, {"type": kind, "timestamp": round((self.start + second) * 1000), "data": data}))

    def crumb(self, second: float, category: str, **fields: Any) -> None:
        payload = {"timestamp": round(self.start + second, 3), "type": "default", "category": category, **fields}
        self.at(second, 5, {"tag": "breadcrumb", "payload": payload})

    def span(self, second: float, op: str, what: str, seconds: float, **data: Any) -> None:
        begun = round(self.start + second, 3)
        payload = {"op": op, "description": what, "startTimestamp": begun, "endTimestamp": round(begun + seconds, 3), "data": data}
        self.events.append((second + seconds, {"type": 5, "timestamp": begun, "data": {"tag": "performanceSpan", "payload": payload}}))

    def move(self, second: float, x: int, y: int, seconds: float = 0.8) -> None:
        """The pointer's way to a place, eased, as one mouse-move event of many positions."""
        (from_x, from_y), steps = self.pointer, max(2, int(seconds / 0.05))
        positions = []
        for step in range(1, steps + 1):
            part = step / steps
            part = part * part * (3 - 2 * part)
            where = {"x": round(from_x + (x - from_x) * part), "y": round(from_y + (y - from_y) * part)}
            positions.append({**where, "id": self.page.named["main"], "timeOffset": round((step / steps - 1) * seconds * 1000)})
        self.pointer = (x, y)
        self.at(second + seconds, 3, {"source": 1, "positions": positions})

    def click(self, second: float, alias: str, words: str, **attributes: str) -> dict[str, Any]:
        node_id, (x, y) = self.page.named[alias], self.pointer
        for offset, kind in ((0.0, 1), (0.08, 0), (0.09, 2)):
            self.at(second + offset, 3, {"source": 2, "type": kind, "id": node_id, "x": x, "y": y, "pointerType": 0})
        node = {"id": node_id, "tagName": "button", "textContent": words, "attributes": attributes}
        selector = (
            "button" + (f"#{attributes['id']}" if "id" in attributes else "") + "".join(f".{name}" for name in attributes["class"].split())
        )
        about = {"message": f"body > main > {selector}", "data": {"nodeId": node_id, "node": node}}
        self.crumb(second + 0.09, "ui.click", **about)
        return about

    def say(self, second: float, alias: str, words: str) -> None:
        self.at(
            second,
            3,
            {"source": 0, "texts": [{"id": self.page.named[f"{alias}:text"], "value": words}], "attributes": [], "removes": [], "adds": []},
        )

    def scroll(self, second: float, to: int) -> None:
        for step in range(1, 9):
            self.at(second + step * 0.06, 3, {"source": 3, "id": self._document, "x": 0, "y": round(to * step / 8)})

    def happen(self) -> None:
        """The story."""
        document = self.page.shop()
        self._document: int = document["id"]
        self.at(0.0, 4, {"href": f"{_SHOP}/new", "width": _WIDTH, "height": _HEIGHT})
        self.at(0.02, 2, {"node": document, "initialOffset": {"top": 0, "left": 0}})
        self.span(0.0, "navigation.navigate", f"{_SHOP}/new", 0.412, size=18230, duration=0.412)
        self.span(0.15, "resource.fetch", f"{_SHOP}/api/books?new=1", 0.184, method="GET", statusCode=200, response={"size": 2210})
        self.crumb(0.4, "console", level="info", message="3 books loaded", data={"logger": "console", "arguments": ["3 books loaded"]})
        self.span(0.3, "largest-contentful-paint", "largest-contentful-paint", 0.0, value=486, size=152000)
        self._basket(1.2, 0, 130, 470, "Basket: 1 book")
        self.scroll(4.2, 60)
        self._basket(6.4, 2, 800, 420, "Basket: 2 books")
        self.move(9.6, 300, 560, 1.1)
        coupon = self.page.named["coupon"]
        self.at(10.8, 3, {"source": 2, "type": 5, "id": coupon})
        for length in range(1, 9):
            self.at(10.9 + length * 0.16, 3, {"source": 5, "id": coupon, "text": "*" * length, "isChecked": False})
        self.crumb(12.3, "ui.input", message="body > main > section.order > input#coupon", data={"nodeId": coupon})
        self._check_out()
        self._give_up()

    def _basket(self, second: float, number: int, x: int, y: int, words: str) -> None:
        title = _BOOKS[number][0]
        self.move(second, x, y, 1.0)
        self.click(
            second + 1.3, f"add{number}", "Add to basket", **{"class": "add", "testId": f"add-{number}", "aria-label": f"Add {title}"}
        )
        request = {"size": 31, "body": {"book": number + 1}}
        self.span(second + 1.4, "resource.fetch", f"{_SHOP}/api/basket", 0.143, method="POST", statusCode=200, request=request)
        self.say(second + 1.6, "basket", words)

    def _check_out(self) -> None:
        attributes = {"id": "checkout", "class": "primary large", "testId": "checkout"}
        self.move(13.2, 1010, 560, 1.2)
        about = self.click(15.0, "checkout", "Check out", **attributes)
        self.span(15.1, "resource.fetch", f"{_SHOP}/api/orders", 0.731, method="POST", statusCode=500, request={"size": 88})
        wrong = "TypeError: Cannot read properties of undefined (reading 'total')"
        self.crumb(15.9, "console", level="error", message=wrong, data={"logger": "console", "arguments": [wrong]})
        self.crumb(15.92, "sentry.event", message=self.error_id, data={"eventId": self.error_id})
        for again in (16.6, 17.1, 17.5, 17.9, 18.4):
            self.click(again, "checkout", "Check out", **attributes)
        slow = {**about["data"], "url": f"{_SHOP}/new", "timeAfterClickMs": 7000, "endReason": "timeout", "clickCount": 6}
        self.events.append(
            (
                22.2,
                {
                    "type": 5,
                    "timestamp": round((self.start + 22.2) * 1000),
                    "data": {
                        "tag": "breadcrumb",
                        "payload": {
                            "timestamp": round(self.start + 15.09, 3),
                            "type": "default",
                            "category": "ui.slowClickDetected",
                            "message": about["message"],
                            "data": slow,
                        },
                    },
                },
            )
        )

    def _give_up(self) -> None:
        page = self.page
        text = "We could not place your order. Nothing was charged; please try again later."
        banner = page.tag("div", class_="banner", role="alert")
        add = {"parentId": page.named["main"], "nextId": None}
        child = {"parentId": banner["id"], "nextId": None, "node": page.text(text)}
        self.at(24.0, 3, {"source": 0, "texts": [], "attributes": [], "removes": [], "adds": [{**add, "node": banner}, child]})
        self.crumb(24.0, "console", level="warning", message="order not placed: retry disabled", data={"logger": "console"})
        self.move(25.0, 640, 120, 1.4)
        self.scroll(27.0, 0)
        self.crumb(29.0, "navigation", data={"from": f"{_SHOP}/new", "to": f"{_SHOP}/help"})
        self.span(29.0, "navigation.push", f"{_SHOP}/help", 0.02, previous=f"{_SHOP}/new")
        self.move(29.3, 400, 300, 1.5)


def envelopes(replay_id: str, start: float) -> Iterator[bytes]:
    """The envelopes of the demo, in the order in which an SDK sends them: four segments, and the error between two of them."""
    visit = _Visit(start, uuid.uuid5(uuid.UUID(replay_id), "error").hex)
    visit.happen()
    happened = sorted(visit.events, key=lambda each: each[0])
    for number, (begin, end) in enumerate(pairwise(_SEGMENTS)):
        events = [event for second, event in happened if begin <= second < end]
        until = min(end, max(second for second, _ in happened))
        yield _segment(replay_id, number, events, start, start + until, [visit.error_id] if number == 2 else [])
        if number == 2:
            yield _error(replay_id, visit.error_id, start + 15.9)


def _about(start: float) -> dict[str, Any]:
    return {
        "platform": "javascript",
        "environment": "production",
        "release": "shop@1.4.2",
        "sdk": {**_SDK, "integrations": ["Replay"], "settings": {"infer_ip": "never"}},
        "user": {"id": "c-1042", "username": "robin", "email": "robin@customer.example"},
        "tags": {"plan": "regular", "store": "riverside"},
        "request": {"url": f"{_SHOP}/new", "headers": {"User-Agent": _AGENT}},
        "contexts": {
            "culture": {"locale": "en-GB", "timezone": "Europe/London"},
            "replay": {"session_sample_rate": 1, "error_sample_rate": 1},
        },
        "replay_start_timestamp": start,
    }


def _segment(replay_id: str, number: int, events: list[Event], start: float, until: float, error_ids: list[str]) -> bytes:
    event = {
        "type": "replay_event",
        "replay_id": replay_id,
        "event_id": replay_id,
        "segment_id": number,
        "replay_type": "session",
        "timestamp": until,
        "urls": [f"{_SHOP}/new"] if number == 0 else [f"{_SHOP}/help"] if number == len(_SEGMENTS) - 2 else [],
        "error_ids": error_ids,
        "trace_ids": [],
        **_about(start),
    }
    recording = _line({"segment_id": number}) + b"\n" + zlib.compress(_line(events))
    header = {"event_id": replay_id, "sent_at": _iso(until), "sdk": _SDK}
    items = [
        _line(header),
        _line({"type": "replay_event"}),
        _line(event),
        _line({"type": "replay_recording", "length": len(recording)}),
        recording,
    ]
    return b"\n".join(items) + b"\n"


def _error(replay_id: str, error_id: str, when: float) -> bytes:
    about = _about(when)
    del about["replay_start_timestamp"]
    frames = [{"filename": f"{_SHOP}/static/shop.js", "function": "placeOrder", "lineno": 211, "colno": 34, "in_app": True}]
    exception = {"type": "TypeError", "value": "Cannot read properties of undefined (reading 'total')", "stacktrace": {"frames": frames}}
    event = {
        **about,
        "event_id": error_id,
        "timestamp": when,
        "level": "error",
        "exception": {"values": [exception]},
        "contexts": {**about["contexts"], "replay": {"replay_id": replay_id}},
    }
    header = {"event_id": error_id, "sent_at": _iso(when), "sdk": _SDK, "trace": {"trace_id": error_id, "replay_id": replay_id}}
    return b"\n".join((_line(header), _line({"type": "event"}), _line(event))) + b"\n"


def _line(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def replay_id(collection_id: str) -> str:
    """The demo's id in an environment: the same at every start, so that it is loaded once."""
    return uuid.uuid5(uuid.UUID(collection_id), "demo").hex
