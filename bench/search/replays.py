"""Synthetic replays: sessions of a web shop over 89 days, busy by day and quiet at night, with what their segments tell of them."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from functools import reduce
from typing import NamedTuple

from bench import material
from tapedeck.session_replays import merging
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.store import ReplayId

ORGANIZATION = 1
PROJECTS = {1: 60, 2: 20, 3: 10, 4: 7, 5: 3}  # id → how many sessions in a hundred
NOW = material.AT
DAY = 86_400
_SPAN = 89 * DAY  # a day less than replays are kept
_LONGEST = 3600.0  # seconds: the SDK begins another replay then

_BROWSERS = [
    *(("Chrome", f"{version}.0.0") for version in range(100, 125)),
    *(("Firefox", f"{version}.0") for version in range(100, 120)),
    *(("Safari", "16.4"), ("Safari", "17.1"), ("Edge", "120.0")),
]
_SYSTEMS = [
    *(("Windows", "10"), ("Windows", "11"), ("macOS", "14.2"), ("macOS", "13.1")),
    *(("Android", "14"), ("iOS", "16.2"), ("iOS", "17.0"), ("Linux", "6.1")),
]
_DEVICES = [
    ("Apple", "iPhone", "iPhone14,5", "iPhone 13"),
    ("Samsung", "Galaxy", "SM-G991", "Galaxy S21"),
    ("Google", "Pixel", "Pixel 7", "Pixel 7"),
    ("", "", "", ""),
]
_PATHS = ["/", "/cart", "/checkout", "/login", "/settings", "/organizations/abc/issues", "/product/", "/search?q=", "/profile", "/help"]
_CITIES = [("Berlin", "DE", "Germany"), ("Lyon", "FR", "France"), ("Leeds", "GB", "United Kingdom"), ("Austin", "US", "United States")]
_LABELS = ["Add to cart", "Pay now", "Continue", "Search", "Close", "Menu", "Show more", "Remove"]


class Session(NamedTuple):
    """What the SDK told of one replay: its segments in order, the clicks in each, and the events that were linked to it."""

    name: ReplayId
    events: list[ReplayEvent]
    clicks: list[list[Click]]
    links: list[EventLink]


def sessions(count: int) -> Iterator[Session]:
    """So many sessions in the order in which they began: the same in every run. They have 15 segments on average."""
    chance = random.Random(count)
    return (_session(chance, count, start) for start in sorted(_start(chance) for _ in range(count)))


def row(session: Session) -> Row:
    """What merging makes of a session's segments and links, told directly: 20 times as fast. `merged` says whether it is so."""
    first, names = session.events[0], range(len(session.events))
    numbered = list(zip(names, session.events, session.clicks, strict=True))
    clicked = [(number, i, click) for number, _, clicks in numbered for i, click in enumerate(clicks)]
    told = {
        "scalars": {name: {value: 0} for name, value in first.scalars.items()},
        "urls": [[number, i, url] for number, event, _ in numbered for i, url in enumerate(event.urls)],
        "url_counts": {str(number): len(event.urls) for number, event, _ in numbered if event.urls},
        "trace_counts": {str(number): len(event.trace_ids) for number, event, _ in numbered if event.trace_ids},
        "error_ids": {name: [number, i] for number, event, _ in numbered for i, name in enumerate(event.error_ids)},
        "trace_ids": {name: [number, i] for number, event, _ in numbered for i, name in enumerate(event.trace_ids)},
        "releases": {first.release: [0, 0]} if first.release else {},
        "tags": {key: {value: [0, i]} for i, (key, value) in enumerate(first.tags.items())},
        "clicks": {click.identity: [number, i, list(click.texts)] for number, i, click in clicked},
        "slow": {click.identity: click.dead + click.rage for _, _, click in clicked if click.dead},
        "links": {link.event_id: [link.timestamp, link.level, link.title] for link in session.links},
    }
    return {name: value for name, value in told.items() if value} | {
        "seen": f"{(1 << len(session.events)) - 1:x}",
        "started": first.started,
        "finished": max(session.events[-1].timestamp, *(link.timestamp for link in session.links), 0.0),
        "first": first.timestamp,
        "last": session.events[-1].timestamp,
    }


def merged(session: Session) -> Row:
    """The row of a session as the ingest makes it."""
    segments = map(merging.segment_delta, session.events, session.clicks)
    return reduce(merging.merge, [*segments, *map(merging.link_delta, session.links)])


def _start(chance: random.Random) -> float:
    """A moment of the last 89 days: few people shop at night, and fewer at weekends."""
    while True:
        ago = chance.random() * _SPAN
        at = NOW - _LONGEST - ago
        weekend = int(at // DAY + 4) % 7 in (0, 6)
        if chance.random() < (0.15 + 0.85 * max(0.0, math.sin((at % DAY / DAY - 0.25) * 2 * math.pi))) * (0.4 if weekend else 1):
            return int(at * 1000) / 1000


def _session(chance: random.Random, count: int, start: float) -> Session:
    name = ReplayId(ORGANIZATION, chance.choices(list(PROJECTS), list(PROJECTS.values()))[0], _hex(chance))
    scalars, tags, release = _told(chance, count, start)
    session = Session(name, [], [], [])
    at, node = start, 100
    for number in range(min(100, 1 + int(chance.expovariate(1 / 14.6)))):
        # A segment comes every five seconds while something happens.
        began, at = at, min(round(at + 5 + (chance.expovariate(1 / 20) if chance.random() < 0.4 else 0), 3), start + _LONGEST)
        moves = number == 0 or chance.random() < 0.2
        errors = [_hex(chance) for _ in range(chance.random() < 0.06)]
        event = ReplayEvent(
            name.key,
            number,
            at,
            start,
            scalars,
            [_url(chance)] if moves else [],
            errors,
            [_hex(chance)] if moves else [],
            release,
            tags,
        )
        clicks = []
        for _ in range(int(chance.expovariate(1.3))):
            node += 1
            dead = chance.random() < 0.08
            clicks.append(Click(int(chance.uniform(began, at)), node, dead, dead and chance.random() < 0.3, _texts(chance)))
        session.events.append(event)
        session.clicks.append(clicks)
        session.links.extend(EventLink(error, name.key, "error", at, "TypeError: x is undefined") for error in errors)
        if chance.random() < 0.02:
            session.links.append(EventLink(_hex(chance), name.key, chance.choice(("warning", "info")), at, "Slow response"))
    return session


def _told(chance: random.Random, count: int, start: float) -> tuple[dict[str, str], dict[str, str], str]:
    """The texts, tags and release that all segments of a session repeat."""
    (browser, version), (system, edition) = chance.choice(_BROWSERS), chance.choice(_SYSTEMS)
    brand, family, model, device = chance.choice(_DEVICES)
    city, code, country = chance.choice(_CITIES)
    user = chance.randrange(max(1, count // 4))
    scalars = {
        "replay_type": "session",
        "environment": chance.choices(("production", "staging", "dev", ""), (80, 12, 6, 2))[0],
        "platform": "javascript",
        "user.id": str(user),
        "user.username": f"user{user}",
        "user.email": f"user{user}@example{user % 97}.com",
        "user.ip": f"10.{user % 256}.{user // 256 % 256}.7",
        "user.geo.city": city,
        "user.geo.country_code": code,
        "user.geo.region": country,
        "sdk.name": "sentry.javascript.react",
        "sdk.version": f"10.{chance.randrange(60)}.0",
        "browser.name": browser,
        "browser.version": version,
        "os.name": system,
        "os.version": edition,
        "device.name": device,
        "device.brand": brand,
        "device.model": model,
        "device.family": family,
    }
    tags = {
        "plan": chance.choice(("free", "team", "business", "enterprise")),
        "locale": chance.choice(("en", "de", "fr", "es", "pt", "ja")),
        "build": str(chance.randrange(400)),
        "cohort": chance.choice("abcd"),
    }
    release = f"shop@1.{int((start - NOW + 90 * DAY) / DAY * 2)}.{chance.randrange(3)}"
    return {name: text for name, text in scalars.items() if text}, tags, release


def _url(chance: random.Random) -> str:
    path = chance.choice(_PATHS)
    return "https://shop.example.com" + (f"{path}{chance.randrange(5000)}" if path[-1] in "/=" and path != "/" else path)


def _texts(chance: random.Random) -> tuple[str, ...]:
    label, number = chance.choice(_LABELS), chance.randrange(30)
    known = {
        "tag": chance.choice(("button", "a", "div", "input")),
        "id": f"item-{number}",
        "classes": f"btn btn-{number % 5} px-4",
        "role": "button",
        "testid": f"action-{number}",
        "label": label,
        "text": label,
    }
    return tuple(known.get(name, "") for name in TEXTS)


def _hex(chance: random.Random) -> str:
    return f"{chance.getrandbits(128):032x}"
