"""Every minute: ring again for event replays whose bell, or whose worker, was lost."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.event_replays import sweeping


@worker
def lambda_handler() -> dict[str, int]:
    """How many there were."""
    return {"rung": sweeping.ring_overdue()}
