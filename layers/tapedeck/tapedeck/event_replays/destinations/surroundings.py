"""Where this installation is: what destinations are held against."""

from __future__ import annotations

from urllib.parse import urlsplit

from tapedeck import aws
from tapedeck.event_replays.destinations.metadata import Here


def here(base_url: str = "") -> Here:
    """As its settings and, where there is one, the URL of the request that is being answered show it."""
    own = {_address(url) for url in (base_url, aws.setting("PUBLIC_URL", "")) if url}
    return Here(aws.account(), aws.region(), aws.setting("STAGE") == "local", tuple(sorted(own)))


def _address(url: str) -> tuple[str, int]:
    parsed = urlsplit(url)
    return (parsed.hostname or "").rstrip("."), parsed.port or (443 if parsed.scheme == "https" else 80)
