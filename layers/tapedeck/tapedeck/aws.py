"""Every boto3 client and every environment variable of the system: nobody else reads either."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any

import boto3
from botocore.config import Config

# Kept-alive connections and the standard retry policy (three attempts with jitter). botocore is nine tenths of what an ingest costs:
# what it checks, spells and sums up for nobody is left out.
_CONFIG = Config(
    retries={"mode": "standard"},
    max_pool_connections=32,
    tcp_keepalive=True,
    parameter_validation=False,
    user_agent="tapedeck",
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    account_id_endpoint_mode="disabled",
)


def setting(name: str, default: str | None = None) -> str:
    """The value of an environment variable that template.yaml sets."""
    return os.environ[name] if default is None else os.environ.get(name, default)


def emulated() -> bool:
    """Whether AWS is an emulator on this machine."""
    return "AWS_ENDPOINT_URL" in os.environ


def region() -> str:
    """The AWS region we run in."""
    return os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]


@cache
def client(service: str) -> Any:
    """The low-level client of an AWS service: made once in a process."""
    if service == "s3":  # presigned URLs by the fourth signature, whose age the bucket's policy can judge
        style = "path" if emulated() else "virtual"
        return boto3.client(service, config=_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": style})))
    return boto3.client(service, config=_CONFIG)


@lru_cache(maxsize=32)
def client_elsewhere(service: str, region: str, credentials: tuple[str, str, str] | None = None) -> Any:
    """The client of an AWS service in another region or, with a role's (key id, secret, session token), in another account."""
    keys = dict(zip(("aws_access_key_id", "aws_secret_access_key", "aws_session_token"), credentials or (), strict=False))
    return boto3.client(service, config=_CONFIG, region_name=region, **keys)


def account() -> str:
    """The number of the AWS account that we run in, as an ARN tells that template.yaml gives us."""
    return setting("SCHEDULER_ROLE_ARN").split(":")[4]


def query(table: str, **asked: Any) -> Iterator[dict[str, Any]]:
    """Every item that a Query finds, a page at a time, as far as the caller goes. `table` is the name of its environment variable."""
    more: dict[str, Any] = {}
    while True:
        answer = client("dynamodb").query(TableName=setting(table), **asked, **more)
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=32, thread_name_prefix="aws")


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls side by side (one round trip's time), wait for all of them, and answer in order; the first failure is raised."""
    if len(calls) == 1:
        return [calls[0]()]
    futures = [_pool().submit(call) for call in calls[1:]]
    failures: list[BaseException] = []
    results: list[Any] = []
    for answer in (calls[0], *(future.result for future in futures)):
        try:
            results.append(answer())
        except BaseException as failure:  # noqa: BLE001 - every call must have ended before the first failure goes up
            failures.append(failure)
    if failures:
        raise failures[0]
    return results
