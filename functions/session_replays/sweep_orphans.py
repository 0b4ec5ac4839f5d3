"""Every 15 minutes: delete recordings that no row knows, left by ingests that died half-way."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.session_replays import sweeping


@worker
def lambda_handler() -> dict[str, int]:
    """How many there were."""
    return {"swept": sweeping.sweep()}
