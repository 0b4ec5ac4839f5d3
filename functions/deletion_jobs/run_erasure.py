"""Rung by the queue of erasures: carry a job on, or erase what came of a replay before it turned out to be an erased person's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapedeck.api.worker import queue_worker
from tapedeck.deletion_jobs import running


@queue_worker
def lambda_handler(message: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, int]:
    """How much of what was erased."""
    return running.answer(message, seconds_left=seconds_left)
