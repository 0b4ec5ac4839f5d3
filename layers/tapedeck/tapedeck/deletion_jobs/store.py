"""Where deletion jobs are kept, and the bells that wake their worker.

control   ERASURE#{org}  J#{project}#{id:010d}        a job: one document, `v` counts its versions, every write is conditional on it
                         A#{project}#{digest}         the job that is under way for this person: there is never a second one
                         P#{id:010d}#{page:06d}#{n}   digests of the object keys of a page: written with the job, read into its receipt
          SEQ            erasure                      the last job number given out, of all organizations: ADD 1
          E#{org}#{project}  U#{digest}               the person's tombstone: in the transaction that starts or cancels the job
by_due    erasures       {seconds}                    jobs that are not over, by when somebody should look after them
scheduler erase-{id}                                  rings when the job is to begin
queue     ErasureBells                                bells: {organization_id, project_id, job_id}; state is in the table alone
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from tapedeck import aws, clock, due, errors, tombstones
from tapedeck.deletion_jobs.model import Job, Sealed
from tapedeck.erasure import Page

Item = dict[str, Any]
KIND = "erasures"
PATIENCE = 900  # seconds after which a job that nobody has moved is rung for again: more than its worker lives
_DIGESTS = 10_000  # of object keys in one row: 320 KB
_KEPT = 30 * 86400  # seconds for which the rows of a page outlive it: the receipt has been made long before


# ------------------------------------------------------------------------------------------------------------ a job's life


def create(organization_id: int, project_id: int, user_id: str, start_at: int, *also: Item) -> Job:
    """A new scheduled job; `also` is written in the same transaction. Conflict when one is under way for this person.

    The bell may be lost after it: the job is due, and the sweeper rings.
    """
    now = _now()
    job = Job(organization_id, project_id, _next(), user_id, now, now, start_at)
    marker = {**_marker(job), "job_id": {"N": str(job.id)}}
    taken = {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    reasons = _write(job, replace(job, version=1), {"Put": {**_table(), "Item": marker, **taken}}, *also)
    if reasons:
        if reasons[1]["Code"] != "ConditionalCheckFailed":
            raise errors.Unavailable
        holder = int(reasons[1]["Item"]["job_id"]["N"])
        if holder != job.id:  # else the answer to our own write was lost on its way
            raise errors.Conflict(f"Job {holder} erases this user already.")
    return replace(job, version=1)


def begin(job: Job, worker: str) -> Job:
    """Start a job: with it, in one transaction, the tombstone that refuses what the person's senders still bring of before this moment.

    Conflict when somebody else has moved the job: a job that was cancelled never leaves a tombstone behind.
    """
    before = _tombstone(job)
    until = max(clock.now(), before or 0.0)
    begun = replace(job, status="running", until=until, tombstone_before=before, attempts=1, worker=worker)
    return _saved(job, begun, _bury(job, until, "attribute_not_exists(pk)" if before is None else "#until = :before", before))


def take(job: Job, worker: str) -> Job:
    """Carry a running job on: counted, so that one at which every worker dies comes to an end. Conflict as `begin`."""
    return _saved(job, replace(job, attempts=job.attempts + 1, worker=worker))


def save(job: Job, moved: Job) -> Job:
    """Write how far a job has come. Conflict when somebody else has moved it."""
    return _saved(job, moved)


def seal(job: Job, moved: Job, page: Page) -> Job | None:
    """Write a page down, and close what is in it: one transaction. None when something was added to it meanwhile: look again.

    Conflict when somebody else has moved the job.
    """
    digests = [hashlib.sha256(key.encode()).digest() for key in page.object_keys]
    rows = [
        {
            "Put": {
                **_table(),
                "Item": {
                    **_key(job, f"P#{job.id:010d}#{moved.pages:06d}#{n:03d}"),
                    "h": {"B": b"".join(digests[first : first + _DIGESTS])},
                    "ttl": {"N": str(int(clock.now()) + _KEPT)},
                },
            }
        }
        for n, first in enumerate(range(0, len(digests), _DIGESTS))
    ]
    return _moved(job, moved, *rows, *page.seals)


def end(job: Job, over: Job) -> Job:
    """The job is over: the person may be erased again. Conflict when somebody else has moved it."""
    return _saved(job, over, {"Delete": {**_table(), "Key": _marker(job)}})


def cancel(job: Job, over: Job, *also: Item) -> Job:
    """The job is cancelled; what the start had refused is taken again, but for replays that have gone. Conflict as `end`."""
    lifted = []
    if job.status == "running":
        lifted = [_bury(job, job.tombstone_before) if job.tombstone_before is not None else {"Delete": {**_table(), "Key": _grave(job)}}]
    return _saved(job, over, {"Delete": {**_table(), "Key": _marker(job)}}, *lifted, *also)


# ------------------------------------------------------------------------------------------------------------ reading


def read(organization_id: int, project_id: int, job_id: int) -> Job:
    """One job, as it is now. NotFound when there is none."""
    answer = aws.client("dynamodb").get_item(**_table(), Key=_job_key(organization_id, project_id, job_id), ConsistentRead=True)
    if "Item" not in answer:
        raise errors.NotFound("Job not found.")
    return _job(answer["Item"])


def newest_first(organization_id: int, project_id: int, offset: int, limit: int) -> list[Job]:
    """A project's jobs, the newest first."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :jobs)",
        ExpressionAttributeValues={":pk": {"S": f"ERASURE#{organization_id}"}, ":jobs": {"S": f"J#{project_id}#"}},
        ScanIndexForward=False,
        ConsistentRead=True,
    )
    return [_job(item) for item in islice(found, offset, offset + limit)]


def digests(job: Job) -> list[str]:
    """SHA-256, in hex, of the key of every object that has gone, in the order of the pages."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :pages)",
        ExpressionAttributeValues={":pk": {"S": f"ERASURE#{job.organization_id}"}, ":pages": {"S": f"P#{job.id:010d}#"}},
        ConsistentRead=True,
    )
    return [bytes(item["h"]["B"])[at : at + 32].hex() for item in found for at in range(0, len(item["h"]["B"]), 32)]


def overdue() -> Iterator[Job]:
    """Jobs that should have begun, or that nobody has moved for PATIENCE."""
    return map(_job, due.items(KIND))


# ------------------------------------------------------------------------------------------------------------ bells


def ring(job: Job) -> None:
    """Wake a worker for a job. Safe to repeat: a worker that has nothing to do goes back to sleep."""
    aws.client("sqs").send_message(QueueUrl=aws.setting("ERASURE_BELLS_QUEUE"), MessageBody=_bell(job))


def schedule(job: Job) -> None:
    """Have the bell rung when the job is to begin. What cannot be scheduled the sweeper rings for, five minutes later at most."""
    at = datetime.fromtimestamp(-(-job.start_at // 1000), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with suppress(ClientError, BotoCoreError):
        aws.client("scheduler").create_schedule(
            Name=f"erase-{job.id}",
            GroupName=aws.setting("SCHEDULE_GROUP"),
            ScheduleExpression=f"at({at})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target={"Arn": aws.setting("ERASURE_BELLS_ARN"), "RoleArn": aws.setting("SCHEDULER_ROLE_ARN"), "Input": _bell(job)},
        )


def unschedule(job: Job) -> None:
    """Nothing is to begin any more. A bell that rings all the same finds a job that is over."""
    with suppress(ClientError, BotoCoreError):
        aws.client("scheduler").delete_schedule(Name=f"erase-{job.id}", GroupName=aws.setting("SCHEDULE_GROUP"))


# ------------------------------------------------------------------------------------------------------------ items


def _saved(known: Job, moved: Job, *also: Item) -> Job:
    saved = _moved(known, moved, *also)
    if saved is None:
        raise errors.Conflict("The job was moved by somebody else.")
    return saved


def _moved(known: Job, moved: Job, *also: Item) -> Job | None:
    """The next version of a job, with whatever is to be true at the same time; None when something of that is not. Conflict when the
    job is not as it was known."""
    saved = replace(moved, version=known.version + 1, updated_at=_now())
    reasons = _write(known, saved, *also)
    if not reasons:
        return saved
    if reasons[0]["Code"] == "ConditionalCheckFailed":
        if bytes(reasons[0].get("Item", {}).get("d", {}).get("B", b"")) == _dumped(saved):
            return saved  # the answer to our own write was lost on its way
        raise errors.Conflict("The job was moved by somebody else.")
    return None


def _write(known: Job, saved: Job, *also: Item) -> list[Item]:
    """Put a version of a job where `known` stands, and `also`; why not, when it was not."""
    put = {
        **_table(),
        "Item": {
            **_job_key(saved.organization_id, saved.project_id, saved.id),
            "v": {"N": str(saved.version)},
            "d": {"B": _dumped(saved)},
            **_due(saved),
        },
        **_still(known),
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    try:
        aws.client("dynamodb").transact_write_items(TransactItems=[{"Put": put}, *also])
    except ClientError as error:
        if error.response["Error"]["Code"] != "TransactionCanceledException":
            raise
        reasons: list[Item] = error.response["CancellationReasons"]
        return reasons
    return []


def _still(known: Job) -> Item:
    if not known.version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionExpression": "v = :known", "ExpressionAttributeValues": {":known": {"N": str(known.version)}}}


def _due(job: Job) -> Item:
    """When somebody should look after it: until it is over, and everything about it is settled."""
    if job.is_over and not job.unsettled:
        return {}
    at = job.start_at // 1000 if job.status == "scheduled" else int(clock.now()) + PATIENCE
    return {"due_in": {"S": KIND}, "due_at": {"N": str(at)}}


def _tombstone(job: Job) -> float | None:
    answer = aws.client("dynamodb").get_item(**_table(), Key=_grave(job), ConsistentRead=True)
    return float(answer["Item"]["until"]["N"]) if "Item" in answer else None


def _bury(job: Job, until: float, condition: str | None = None, before: float | None = None) -> Item:
    put: Item = {**_table(), "Item": {**_grave(job), "until": {"N": repr(until)}}}
    if condition:
        put["ConditionExpression"] = condition
    if before is not None:
        put |= {"ExpressionAttributeNames": {"#until": "until"}, "ExpressionAttributeValues": {":before": {"N": repr(before)}}}
    return {"Put": put}


def _next() -> int:
    answer = aws.client("dynamodb").update_item(
        **_table(),
        Key={"pk": {"S": "SEQ"}, "sk": {"S": "erasure"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["n"]["N"])


def _bell(job: Job) -> str:
    return orjson.dumps({"organization_id": job.organization_id, "project_id": job.project_id, "job_id": job.id}).decode()


def _table() -> Item:
    return {"TableName": aws.setting("CONTROL_TABLE")}


def _job_key(organization_id: int, project_id: int, job_id: int) -> Item:
    return {"pk": {"S": f"ERASURE#{organization_id}"}, "sk": {"S": f"J#{project_id}#{job_id:010d}"}}


def _key(job: Job, sk: str) -> Item:
    return {"pk": {"S": f"ERASURE#{job.organization_id}"}, "sk": {"S": sk}}


def _marker(job: Job) -> Item:
    return _key(job, f"A#{job.project_id}#{job.subject.digest}")


def _grave(job: Job) -> Item:
    return {"pk": {"S": tombstones.partition(job.organization_id, job.project_id)}, "sk": {"S": tombstones.of_user(job.user_id)}}


def _now() -> int:
    return int(clock.now() * 1000)


def _dumped(job: Job) -> bytes:
    return orjson.dumps(job)


def _job(item: Mapping[str, Any]) -> Job:
    row = orjson.loads(item["d"]["B"])
    return Job(**{**row, "page": Sealed(**row["page"]) if row["page"] else None})
