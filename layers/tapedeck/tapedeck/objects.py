"""Objects of the one bucket: bytes under keys, found again by the hour of their receipt.

Whoever keeps objects files them as `{kind}/{organization}/{owner}/{yyyymmddhh}/…`: what a crash left behind, and no row knows, is then
among those of the last hours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tapedeck import aws

_MISSING = ("NoSuchKey", "404")


def hour(seconds: float) -> str:
    """The hour of receipt as keys spell it: `yyyymmddhh`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H")


def put(key: str, body: bytes) -> None:
    """Write an object. Safe to repeat."""
    aws.client("s3").put_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key, Body=body)


def get(key: str) -> bytes | None:
    """An object's bytes; None when there is none."""
    try:
        answer = aws.client("s3").get_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def delete(key: str) -> None:
    """Delete an object. Safe to repeat."""
    aws.client("s3").delete_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key)


def received_in(kind: str, hours: Sequence[str]) -> Iterator[tuple[str, float]]:
    """(key, seconds since the epoch when it was put) of every object of a kind that was received in these hours (`yyyymmddhh`)."""
    for organization in _folders(f"{kind}/"):
        for owner in _folders(organization):
            for each in hours:
                for page in _pages(f"{owner}{each}/"):
                    for entry in page.get("Contents", ()):
                        yield entry["Key"], entry["LastModified"].timestamp()


def _folders(prefix: str) -> Iterator[str]:
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"]


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    paginator = aws.client("s3").get_paginator("list_objects_v2")
    yield from paginator.paginate(Bucket=aws.setting("RECORDINGS_BUCKET"), Prefix=prefix, **options)
