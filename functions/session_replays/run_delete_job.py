"""Rung by the queue of bulk deletions: carry one on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tapedeck.api.worker import queue_worker
from tapedeck.session_replays.delete_jobs import running


@queue_worker
def lambda_handler(message: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, int]:
    """How many replays were deleted."""
    return {"deleted": running.run(message["organization_id"], message["project_id"], message["job_id"], seconds_left=seconds_left)}
