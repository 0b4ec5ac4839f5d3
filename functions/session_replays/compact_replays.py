"""Every five minutes: pack the replays that nobody writes to any more into blocks, and make large blocks of small ones."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.session_replays.blocks import compacting


@worker
def lambda_handler() -> dict[str, int]:
    """How many replays and blocks that were."""
    return compacting.run()
