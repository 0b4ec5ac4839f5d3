"""Every 5 minutes: ring for deletion jobs whose time has come, or whose worker was lost with its bell."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.deletion_jobs import running


@worker
def lambda_handler() -> dict[str, int]:
    """How many there were."""
    return {"rung": running.ring_overdue()}
