"""Rung by the queue of event replays: carry one on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapedeck.api.worker import queue_worker
from tapedeck.event_replays import running


@queue_worker
def lambda_handler(message: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, int]:
    """How many events were sent."""
    return {"sent": running.run(message["organization_id"], message["replay_id"], seconds_left=seconds_left)}
