"""Events as a shop's services send them, a few hundred bytes each, in chunks such as the compactor leaves."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from tapedeck.events import chunks
from tapedeck.events.model import Event

SEED = 5
AT = 1_760_000_000_000  # ms, of the first; one comes every 37
EVERY = 37
CHUNK = 65_536  # events
# fmt: off
TYPES = (
    "order.created", "order.paid", "order.cancelled", "user.signup", "user.login", "payment.failed", "payment.succeeded", "cart.updated",
)
WORDS = (
    "lorem", "ipsum", "dolor", "sit", "amet", "timeout", "connection", "refused", "payment", "gateway", "declined", "retry", "upstream",
    "database", "deadlock", "slow", "query",
)
# fmt: on


def events(size: int) -> Iterator[Event]:
    """So many events, the same ones each time."""
    chance = random.Random(SEED)
    for number in range(size):
        data = _data(chance, number)
        yield Event(
            received=AT + number * EVERY,
            id=f"{number:024x}",
            name=data["type"],
            app=data["svc"]["name"],
            server="web-1",
            at=AT + number * EVERY,
            user=str(data["user"]["id"]),
            data=msgspec.Raw(orjson.dumps(data)),
        )


def bodies(size: int) -> list[bytes]:
    """The same events as chunks."""
    stream, kept = events(size), []
    while part := [event for event, _ in zip(stream, range(CHUNK), strict=False)]:
        kept.append(chunks.encode(part))
    return kept


def _data(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": f"{chance.getrandbits(128):032x}",
        "ts": AT + number * EVERY,
        "type": chance.choice(TYPES),
        "user": {
            "id": chance.randrange(50_000),
            "email": f"u{chance.randrange(50_000)}@example{chance.randrange(97)}.com",
            "country": chance.choice(("us", "de", "fr", "gb", "in", "br")),
        },
        "amount": round(chance.expovariate(1 / 80), 2),
        "status": chance.choice((200, 200, 200, 201, 400, 404, 500, 503)),
        "message": " ".join(chance.choices(WORDS, k=chance.randrange(4, 12))),
        "tags": chance.sample(("vip", "beta", "eu", "mobile", "web", "promo"), k=chance.randrange(0, 3)),
        "svc": {"name": chance.choice(("api", "billing", "cart", "auth")), "version": f"1.{chance.randrange(9)}.{chance.randrange(20)}"},
    }
