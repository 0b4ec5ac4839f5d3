"""What of session replays is in the bucket: which key, which bytes, and the URLs that open it for five minutes.

rec/{org}/{project}/{yyyymmddhh}/{replay}/{seg:05d}-{attempt}   a recording as received. By hour of receipt, so that the janitor finds
                                                               what no row knows by listing the last hours; by attempt, so that no
                                                               two writers ever share an object, and an orphan stays one for ever
up/{org}/{project}/{upload}                                    an envelope too large for Lambda: gone after a day
pages/{org}/{project}/{replay}/{digest}                        an answer too large for Lambda: gone after a day
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, ids
from tapedeck.session_replays.store import ReplayId, Segment

PRESIGNED_SECONDS = 300
_MISSING = ("NoSuchKey", "404")


def hour(seconds: float) -> str:
    """The hour of receipt as keys spell it: `yyyymmddhh`, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%d%H")


def recording_key(replay: ReplayId, number: int) -> str:
    """Where this attempt to write a segment received now puts its recording."""
    return f"rec/{replay.organization_id}/{replay.project_id}/{hour(clock.now())}/{replay.key}/{number:05d}-{ids.random_hex(16)}"


def recording_of(key: str) -> tuple[ReplayId, int] | None:
    """Which segment a recording claims to be: `recording_key` read backwards; None for a key of another shape."""
    parts = key.split("/")
    if len(parts) != 6 or parts[0] != "rec":
        return None
    return ReplayId(int(parts[1]), int(parts[2]), parts[4]), int(parts[5].split("-")[0])


def put(key: str, body: bytes) -> None:
    """Write an object. Safe to repeat."""
    aws.client("s3").put_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key, Body=body)


def delete(key: str) -> None:
    """Delete an object. Safe to repeat."""
    aws.client("s3").delete_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=key)


def recordings_of_hours(hours: Sequence[str]) -> Iterator[tuple[str, float]]:
    """(key, seconds since the epoch when it was put) of every recording that was received in these hours (`yyyymmddhh`)."""
    for organization in _folders("rec/"):
        for project in _folders(organization):
            for each in hours:
                for page in _pages(f"{project}{each}/"):
                    for entry in page.get("Contents", ()):
                        yield entry["Key"], entry["LastModified"].timestamp()


def recording(segment: Segment) -> bytes | None:
    """A segment's bytes as they were received; None when they are not there."""
    try:
        answer = aws.client("s3").get_object(Bucket=aws.setting("RECORDINGS_BUCKET"), Key=segment.object_key)
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise
    body: bytes = answer["Body"].read()
    return body


def recordings(of: Sequence[Segment]) -> list[bytes | None]:
    """The bytes of several segments: side by side."""
    return aws.together(*(_reader(each) for each in of)) if of else []


def put_page(replay: ReplayId, name: str, body: bytes) -> str:
    """Keep a page that is too large for a Lambda answer for a day, and answer its key."""
    key = f"pages/{replay.organization_id}/{replay.project_id}/{replay.key}/{name}"
    put(key, body)
    return key


def presigned_get(key: str, *, content_type: str, encoding: str | None, filename: str) -> str:
    """A URL that anyone may GET for five minutes: no call is made."""
    wanted = {"ResponseContentType": content_type, "ResponseContentDisposition": f'attachment; filename="{filename}"'}
    if encoding:
        wanted["ResponseContentEncoding"] = encoding
    url: str = aws.client("s3").generate_presigned_url(
        "get_object", Params={"Bucket": aws.setting("RECORDINGS_BUCKET"), "Key": key, **wanted}, ExpiresIn=PRESIGNED_SECONDS
    )
    return url


def presigned_put(key: str) -> str:
    """A URL to which anyone may PUT for five minutes."""
    url: str = aws.client("s3").generate_presigned_url(
        "put_object", Params={"Bucket": aws.setting("RECORDINGS_BUCKET"), "Key": key}, ExpiresIn=PRESIGNED_SECONDS
    )
    return url


def upload_key(organization_id: int, project_id: int, upload_id: str) -> str:
    """Where a large envelope is put by its sender."""
    return f"up/{organization_id}/{project_id}/{upload_id}"


def upload(organization_id: int, project_id: int, upload_id: str, limit: int) -> tuple[bytes, str]:
    """(bytes, Content-Encoding) of what was uploaded. NotFound when nothing was, TooLarge beyond `limit` bytes."""
    try:
        answer = aws.client("s3").get_object(
            Bucket=aws.setting("RECORDINGS_BUCKET"), Key=upload_key(organization_id, project_id, upload_id)
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            raise errors.NotFound("Nothing was uploaded under this id.") from None
        raise
    if answer["ContentLength"] > limit:
        raise errors.TooLarge("envelope exceeds size limits", causes=[f"more than {limit} bytes"])
    return answer["Body"].read(), answer.get("ContentEncoding", "")


def _reader(segment: Segment) -> Callable[[], bytes | None]:
    return lambda: recording(segment)


def _folders(prefix: str) -> Iterator[str]:
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"]


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    paginator = aws.client("s3").get_paginator("list_objects_v2")
    yield from paginator.paginate(Bucket=aws.setting("RECORDINGS_BUCKET"), Prefix=prefix, **options)
