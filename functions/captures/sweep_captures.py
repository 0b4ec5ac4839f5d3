"""Every 5 minutes: ring for captures that have something due, whose bell was lost."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.captures import turning


@worker
def lambda_handler() -> dict[str, int]:
    """How many there were."""
    return {"rung": turning.ring_overdue()}
