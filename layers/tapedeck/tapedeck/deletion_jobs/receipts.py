"""The receipt of an erasure: what has gone, how that was verified, and a seal over it. It does not name the person (decision 25).

bucket  receipts/{org}/{project}/{job}/{sha256}.json   by project, like everything that is an environment's; by its seal, so that no two
                                                       workers ever write the same object, and the job's row says which one holds
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tapedeck import clock, objects
from tapedeck.deletion_jobs.model import Job
from tapedeck.errors import NotFound

_MOST_ANSWERED = 4_000_000  # bytes: a Lambda answers 6 MB, base64 included
COUNTED = ("sessions", "segments", "recordings", "pages", "lines", "uploads", "events", "chunks", "collections", "captures", "answers")


def make(job: Job, object_digests: Sequence[str], completed_at: float) -> dict[str, Any]:
    """The receipt of a job whose erasers have all found nothing more. Its `sha256` is of the rest of it: see `seal`."""
    told = {
        "job_id": job.id,
        "project_id": job.project_id,
        "user_hash": job.subject.digest,
        "until": clock.iso(job.until),
        "counts": {name: job.totals.get(name, 0) for name in COUNTED},
        "objects": list(object_digests),
        "verified_absent": True,
        "completed_at": clock.iso(completed_at),
    }
    return {**told, "sha256": seal(told)}


def seal(receipt: Mapping[str, Any]) -> str:
    """SHA-256 of a receipt without its `sha256`: of its JSON with sorted names and no white space."""
    told = {name: value for name, value in receipt.items() if name != "sha256"}
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def keep(job: Job, receipt: Mapping[str, Any]) -> None:
    """Put a receipt where it stays. Safe to repeat."""
    objects.put(_key(job, receipt["sha256"]), orjson.dumps(receipt))


def read(job: Job) -> tuple[bytes, str | None]:
    """The receipt's bytes; or, when there are more of them than an answer holds, a URL that opens it for five minutes.

    NotFound when the job is not completed.
    """
    if job.status != "completed":
        raise NotFound(f"There is no receipt: the job is {job.status}.")
    key = _key(job, job.receipt or "")
    body = objects.get(key)
    if body is None:
        raise NotFound("There is no receipt any more.")
    if len(body) > _MOST_ANSWERED:
        return b"", objects.presigned_get(key, content_type="application/json", filename=f"receipt-{job.id}.json")
    return body, None


def _key(job: Job, sha256: str) -> str:
    return f"receipts/{job.organization_id}/{job.project_id}/{job.id}/{sha256}.json"
