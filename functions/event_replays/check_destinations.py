"""Every 5 minutes: check every live destination."""

from __future__ import annotations

from tapedeck.api.worker import worker
from tapedeck.event_replays.destinations import checking


@worker
def lambda_handler() -> dict[str, int]:
    """How many were checked, and how many of them are not well."""
    return checking.check_due()
