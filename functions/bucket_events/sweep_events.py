"""Every 15 minutes: delete what deleted buckets left behind, and bodies that no chunk knows."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.events import compacting


@worker
def lambda_handler() -> dict[str, int]:
    """How many things there were."""
    return {"swept": compacting.sweep()}
