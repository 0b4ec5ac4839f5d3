"""How a function that nobody calls over HTTP becomes a Lambda handler: one log line, and failures fly so that they are retried."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tapedeck.api.resolver import logger


def worker(work: Callable[[], dict[str, int]]) -> Callable[[dict[str, Any], Any], dict[str, int]]:
    """The Lambda entry point of scheduled work. The event says nothing that is not in a store: it is not looked at."""

    def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
        started = time.perf_counter()
        result = work()
        logger.info("worked", extra={"worker": work.__module__, "ms": round((time.perf_counter() - started) * 1000, 1), **result})
        return result

    return lambda_handler
