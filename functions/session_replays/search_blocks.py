"""Invoked by searches that look at more replays than one function should: what they ask, of a share of the blocks."""

from __future__ import annotations

from typing import Any

from tapedeck.api.worker import called
from tapedeck.session_replays.blocks import fanning


@called
def lambda_handler(event: dict[str, Any]) -> dict[str, Any]:
    """What was found there, for the caller to merge."""
    return fanning.answer(event)
