"""Where bulk deletions are kept, and the bell that wakes their worker.

control   J#{org}#{project}  {id:010d}   a job: one document, `v` counts its versions, every write is conditional on it
          J#{org}            SEQ         the last number given out: ADD 1
by_due    delete_replays     {seconds}   jobs that are not over, by when somebody should look after them again
queue     DeleteJobs                     a bell: {organization_id, project_id, job_id}; state is in the table alone
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
from botocore.exceptions import ClientError

from tapedeck import aws, clock, due, errors
from tapedeck.session_replays.delete_jobs.model import Job, Order

Item = dict[str, Any]
KIND = "delete_replays"
PATIENCE = 900  # seconds after which a job that nobody has moved is rung for again: more than its worker lives


def create(organization_id: int, project_id: int, order: Order) -> Job:
    """A new pending job. The bell may be lost after it: the job is due, and the sweeper rings again."""
    now = clock.now()
    job = Job(organization_id, project_id, _next(organization_id), order, now, now, after=int(order.start * 1000))
    return save(job)


def save(job: Job) -> Job:
    """Write the next version of a job; Conflict when somebody else has. Until the job is over it is due again after PATIENCE."""
    saved = replace(job, version=job.version + 1, updated_at=clock.now())
    due: Item = {} if saved.is_over else {"due_in": {"S": KIND}, "due_at": {"N": str(int(clock.now()) + PATIENCE)}}
    try:
        aws.client("dynamodb").put_item(
            TableName=aws.setting("CONTROL_TABLE"),
            Item={**_key(job.organization_id, job.project_id, job.id), "v": {"N": str(saved.version)}, "d": {"B": _dumped(saved)}, **due},
            ConditionExpression="attribute_not_exists(pk) OR v = :known",
            ExpressionAttributeValues={":known": {"N": str(job.version)}},
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise errors.Conflict("The job was moved by somebody else.") from None
    return saved


def read(organization_id: int, project_id: int, job_id: int) -> Job:
    """One job, as it is now. NotFound when there is none."""
    answer = aws.client("dynamodb").get_item(
        TableName=aws.setting("CONTROL_TABLE"), Key=_key(organization_id, project_id, job_id), ConsistentRead=True
    )
    if "Item" not in answer:
        raise errors.NotFound("The requested resource does not exist")
    return _job(answer["Item"])


def newest_first(organization_id: int, project_id: int, most: int) -> list[Job]:
    """The newest `most` jobs of a project."""
    found: list[Job] = []
    more: dict[str, Any] = {}
    while len(found) < most:
        answer = aws.client("dynamodb").query(
            TableName=aws.setting("CONTROL_TABLE"),
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"J#{organization_id}#{project_id}"}},
            ScanIndexForward=False,
            ConsistentRead=True,
            Limit=most - len(found),
            **more,
        )
        found += [_job(item) for item in answer["Items"]]
        if "LastEvaluatedKey" not in answer:
            break
        more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    return found


def ring(job: Job) -> None:
    """Wake a worker for a job. Safe to repeat: a worker that has nothing to do goes back to sleep."""
    aws.client("sqs").send_message(
        QueueUrl=aws.setting("DELETE_JOBS_QUEUE"),
        MessageBody=orjson.dumps({"organization_id": job.organization_id, "project_id": job.project_id, "job_id": job.id}).decode(),
    )


def overdue() -> Iterator[Job]:
    """Jobs that are not over and that nobody has moved for PATIENCE."""
    return map(_job, due.items(KIND))


def _next(organization_id: int) -> int:
    answer = aws.client("dynamodb").update_item(
        TableName=aws.setting("CONTROL_TABLE"),
        Key={"pk": {"S": f"J#{organization_id}"}, "sk": {"S": "SEQ"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    return int(answer["Attributes"]["n"]["N"])


def _key(organization_id: int, project_id: int, job_id: int) -> Item:
    return {"pk": {"S": f"J#{organization_id}#{project_id}"}, "sk": {"S": f"{job_id:010d}"}}


def _dumped(job: Job) -> bytes:
    return orjson.dumps(job)


def _job(item: Item) -> Job:
    row = orjson.loads(item["d"]["B"])
    return Job(**{**row, "order": Order(**row["order"])})
