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

PRESIGNED_SECONDS = 300
_MISSING = ("NoSuchKey", "404")
_HIDDEN = (*_MISSING, "AccessDenied")  # so S3 says to those who may not list
_OVERTAKEN = (*_MISSING, "PreconditionFailed", "412", "ConditionalRequestConflict")
_MOST_AT_ONCE = 1000


def hour(seconds: float) -> str:
    """The hour of receipt as keys spell it: `yyyymmddhh`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H")


def put(key: str, body: bytes, *, days: int | None = None) -> None:
    """Write an object; one that is to go after so many `days` (of `retention.CLASSES`) is tagged so. Safe to repeat."""
    tagged = {} if days is None else {"Tagging": f"retention={days}"}
    aws.client("s3").put_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key, Body=body, **tagged)


def get(key: str) -> bytes | None:
    """An object's bytes; None when there is none."""
    found = get_tagged(key)
    return found[0] if found else None


def get_range(key: str, first: int, length: int) -> bytes | None:
    """So many bytes of an object from `first` on; None when there is no such object."""
    try:
        answer = aws.client("s3").get_object(
            Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key, Range=f"bytes={first}-{first + length - 1}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _HIDDEN:
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def get_tagged(key: str) -> tuple[bytes, str] | None:
    """(an object's bytes, its ETag), which `put_over` compares with; None when there is none."""
    try:
        answer = aws.client("s3").get_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    return answer["Body"].read(), answer["ETag"]


def put_over(key: str, body: bytes, tag: str) -> bool:
    """Write an object in the place of the one that has this ETag; False when another one is there by now, or none: look again. A repetition
    whose first answer was lost is False as well."""
    try:
        aws.client("s3").put_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key, Body=body, IfMatch=tag)
    except ClientError as error:
        if error.response["Error"]["Code"] in _OVERTAKEN:
            return False
        raise
    return True


def delete(key: str) -> None:
    """Delete an object. Safe to repeat."""
    aws.client("s3").delete_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key)


def delete_many(keys: Sequence[str]) -> None:
    """Delete objects, a thousand a call. Safe to repeat. An object that stays is an error of S3's, and is raised as one."""
    for first in range(0, len(keys), _MOST_AT_ONCE):
        batch = [{"Key": key} for key in keys[first : first + _MOST_AT_ONCE]]
        answer = aws.client("s3").delete_objects(Bucket=aws.setting("RECORDINGS_BUCKET"), Delete={"Objects": batch, "Quiet": True})
        if failed := answer.get("Errors"):
            raise ClientError({"Error": {"Code": failed[0].get("Code", ""), "Message": failed[0].get("Message", "")}}, "DeleteObjects")


def keys_under(prefix: str, after: str = "") -> Iterator[str]:
    """The keys that begin with a prefix (which should end in a slash), in their order; those behind the key `after`."""
    for page in _pages(prefix, **({"StartAfter": after} if after else {})):
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def presigned_get(key: str, *, content_type: str, filename: str, encoding: str | None = None) -> str:
    """A URL that anyone may GET for five minutes: no call is made."""
    wanted = {"ResponseContentType": content_type, "ResponseContentDisposition": f'attachment; filename="{filename}"'}
    if encoding:
        wanted["ResponseContentEncoding"] = encoding
    url: str = aws.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": aws.setting("RECORDINGS_BUCKET"), "Key": key, **wanted}, ExpiresIn=PRESIGNED_SECONDS
    )
    return url


def received_in(kind: str, hours: Sequence[str]) -> Iterator[tuple[str, float]]:
    """(key, seconds since the epoch when it was put) of every object of a kind that was received in these hours (`yyyymmddhh`)."""
    for organization in folders(f"{kind}/"):
        for owner in folders(organization):
            for each in hours:
                for page in _pages(f"{owner}{each}/"):
                    for entry in page.get("Contents", ()):
                        yield entry["Key"], entry["LastModified"].timestamp()


def put_under(prefix: str, after: str = "") -> Iterator[tuple[str, float]]:
    """(key, seconds since the epoch when it was put) of every object whose key begins so; of those behind the key `after`."""
    for page in _pages(prefix, **({"StartAfter": after} if after else {})):
        for entry in page.get("Contents", ()):
            yield entry["Key"], entry["LastModified"].timestamp()


def owners(kind: str) -> Iterator[tuple[int, list[int]]]:
    """(organization, its owners) of which there are objects of a kind."""
    for organization in organizations(kind):
        yield organization, [int(owner.split("/")[2]) for owner in folders(f"{kind}/{organization}/")]


def organizations(kind: str) -> list[int]:
    """The organizations of which there are objects of a kind."""
    return [int(organization.split("/")[1]) for organization in folders(f"{kind}/")]


def folders(prefix: str) -> Iterator[str]:
    """The folders in a folder, slash and all."""
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"]


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    paginator = aws.client("s3").get_paginator("list_objects_v2")
    yield from paginator.paginate(Bucket=aws.setting("RECORDINGS_BUCKET"), Prefix=prefix, **options)
