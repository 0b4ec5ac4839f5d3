"""Events as a bucket shows them (decision 19): a superset of what PM2's agent sent, `data` as it was sent."""

from __future__ import annotations

from collections.abc import Iterable

from tapedeck.events.model import Event


def elements(events: Iterable[Event]) -> bytes:
    """The JSON array of these events: `_id name event_name app_name server_name at timestamp(ms) data process{name,server,pm_id,rev}`."""
    raise NotImplementedError
