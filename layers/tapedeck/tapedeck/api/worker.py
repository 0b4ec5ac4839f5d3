"""How a function that nobody calls over HTTP becomes a Lambda handler: one log line, and failures fly so that they are retried."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from tapedeck.api.resolver import logger

Handler = Callable[[dict[str, Any], Any], Any]


def worker(work: Callable[[], dict[str, int]]) -> Handler:
    """The Lambda entry point of scheduled work. The event says nothing that is not in a store: it is not looked at."""

    def lambda_handler(_event: dict[str, Any], _context: Any) -> dict[str, int]:
        return _logged(work, work)

    return lambda_handler


def queue_worker(work: Callable[[dict[str, Any], Callable[[], float]], dict[str, int]]) -> Handler:
    """The Lambda entry point of work that a queue rings for: called once a message, with the seconds that are left of the invocation.

    The queue hands out one message at a time (template.yaml), so a failure gives back that message and no other.
    """

    def lambda_handler(event: dict[str, Any], context: Any) -> None:
        for record in event["Records"]:
            _logged(work, partial(work, orjson.loads(record["body"]), lambda: context.get_remaining_time_in_millis() / 1000))

    return lambda_handler


def called(work: Callable[[dict[str, Any]], dict[str, Any]]) -> Handler:
    """The Lambda entry point of work that another function asks for and waits for: it is told what that one says, and answers it."""

    def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
        answered: dict[str, Any] = {}

        def call() -> dict[str, int]:
            answered.update(work(event))
            return {"bytes": sum(len(str(each)) for each in answered.values())}

        _logged(work, call)
        return answered

    return lambda_handler


def _logged(work: Callable[..., Any], call: Callable[[], dict[str, int]]) -> dict[str, int]:
    started = time.perf_counter()
    result = call()
    logger.info("worked", extra={"worker": work.__module__, "ms": round((time.perf_counter() - started) * 1000, 1), **result})
    return result
