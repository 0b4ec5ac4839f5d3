"""Every minute: merge the small chunks of events that have come in."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.events import compacting


@worker
def lambda_handler() -> dict[str, int]:
    """How many went up in larger ones."""
    return {"merged": compacting.merge_due()}
