"""What the made-up bookshop's applications report in the minutes around the demo recording: something to list, to count and to capture."""

from __future__ import annotations

import random
from typing import Any

CAPTURE = "First minutes"  # the capture that is begun before they come in
LASTING = 300  # seconds
_BOOKS = ("The Tidal Clock", "A Field of Small Machines", "Letters to a Lighthouse")
_HOW_MANY = 60
_BACK = 3600  # seconds over which they are spread


def records(now: float) -> list[dict[str, Any]]:
    """Agent records, the oldest first, the same ones each time but for their hour; the last order is the one that fails there."""
    dice = random.Random(1)
    found = [_record(dice, now - _BACK * (1 - n / _HOW_MANY)) for n in range(_HOW_MANY)]
    failed = {"basket": list(_BOOKS[::2]), "coupon": True, "error": "payment provider did not answer"}
    return [*found, _event("order failed", "checkout", "web-1", now, failed)]


def _record(dice: random.Random, at: float) -> dict[str, Any]:
    user, server = f"reader-{dice.randint(1, 12)}", f"web-{dice.randint(1, 2)}"
    match dice.choices(("viewed", "added", "paid", "stock"), (6, 3, 2, 1))[0]:
        case "viewed":
            return _event("book viewed", "shop", server, at, {"user_id": user, "book": dice.choice(_BOOKS)})
        case "added":
            return _event("basket changed", "shop", server, at, {"user_id": user, "books": dice.randint(1, 4)})
        case "paid":
            amount = round(14.90 * dice.randint(1, 4), 2)
            return _event("order paid", "checkout", server, at, {"user_id": user, "amount": amount, "currency": "EUR"})
        case _:
            return _event("stock low", "warehouse", "depot", at, {"book": dice.choice(_BOOKS), "left": dice.randint(0, 3)})


def _event(name: str, app: str, server: str, at: float, data: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "at": int(at * 1000), "data": data, "process": {"name": app, "server": server, "pm_id": 0, "rev": "8f3c2a1"}}
