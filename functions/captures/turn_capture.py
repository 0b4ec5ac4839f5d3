"""Rung by the queue of captures: do what is due of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapedeck.api.worker import queue_worker
from tapedeck.captures import turning


@queue_worker
def lambda_handler(message: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, int]:
    """How many steps were made."""
    return {"steps": turning.turn(message["organization_id"], message["capture_id"], seconds_left=seconds_left)}
