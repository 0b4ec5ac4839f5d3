"""Every 5 minutes: ring again for bulk deletions that nobody has moved, whose worker was lost with its bell."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.session_replays.delete_jobs import running


@worker
def lambda_handler() -> dict[str, int]:
    """How many there were."""
    return {"rung": running.ring_overdue()}
