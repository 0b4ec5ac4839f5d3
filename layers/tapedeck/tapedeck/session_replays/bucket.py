"""What of session replays is in the bucket: which key, which bytes, and the URLs that open it for five minutes.

rec/{org}/{project}/{yyyymmddhh}/{replay}/{seg:05d}-{attempt}   a recording as received. By hour of receipt, so that the janitor finds
                                                               what no row knows by listing the last hours; by attempt, so that no
                                                               two writers ever share an object, and an orphan stays one for ever
up/{org}/{project}/{upload}                                    an envelope too large for Lambda: gone after a day
pages/{org}/{project}/{replay}/{digest}                        an answer too large for Lambda: gone after a day
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from botocore.exceptions import ClientError

from tapedeck import aws, clock, errors, ids, objects, retention
from tapedeck.session_replays.store import ReplayId, Segment

PRESIGNED_SECONDS = objects.PRESIGNED_SECONDS
_MISSING = ("NoSuchKey", "404")


def recording_key(replay: ReplayId, number: int) -> str:
    """Where this attempt to write a segment received now puts its recording."""
    return f"rec/{replay.organization_id}/{replay.project_id}/{objects.hour(clock.now())}/{replay.key}/{number:05d}-{ids.random_hex(16)}"


def recording_of(key: str) -> tuple[ReplayId, int] | None:
    """Which segment a recording claims to be: `recording_key` read backwards; None for a key of another shape."""
    parts = key.split("/")
    if len(parts) != 6 or parts[0] != "rec":
        return None
    return ReplayId(int(parts[1]), int(parts[2]), parts[4]), int(parts[5].split("-")[0])


def put_recording(replay: ReplayId, segment: Segment, body: bytes) -> None:
    """Keep a segment's bytes for as long as its environment does. Safe to repeat."""
    objects.put(segment.object_key, body, days=retention.tag(retention.days(replay.days)))


def recording(segment: Segment) -> bytes | None:
    """A segment's bytes as they were received; None when they are not there."""
    return objects.get(segment.object_key)


def recordings(of: Sequence[Segment]) -> list[bytes | None]:
    """The bytes of several segments: side by side."""
    return aws.together(*(_reader(each) for each in of)) if of else []


def put_page(replay: ReplayId, name: str, body: bytes) -> str:
    """Keep a page that is too large for a Lambda answer for a day, and answer its key."""
    key = f"{pages_prefix(replay)}{name}"
    objects.put(key, body)
    return key


def pages_prefix(replay: ReplayId) -> str:
    """Where the pages of a replay are."""
    return f"pages/{replay.organization_id}/{replay.project_id}/{replay.key}/"


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


def delete_upload(organization_id: int, project_id: int, upload_id: str) -> None:
    """Delete what was uploaded. Safe to repeat."""
    objects.delete(upload_key(organization_id, project_id, upload_id))


def _reader(segment: Segment) -> Callable[[], bytes | None]:
    return lambda: recording(segment)
