"""What an admin does with an environment's retention, and what AWS does when it is over."""

from __future__ import annotations

from tapedeck.environments.model import Environment
from tests.harness.system import System

DAY = 86_400


def keep(system: System, days: int | None, environment: Environment | None = None) -> None:
    """Let an environment (acme's web) keep for so many days what is recorded; containers come to know of it."""
    url = f"/api/environments/{(environment or system.acme.web).env_id}"
    answer = system.request("PUT", url, json={"retentionDays": days}, token=system.acme.token("owner"))
    assert answer.status == 200, answer
    system.cold()


def tags(system: System, prefix: str) -> list[str | None]:
    """The retention that the objects of a kind are tagged with, by their keys."""
    s3, bucket = system.client("s3"), system.template.physical_id("RecordingsBucket")
    found = (s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"] for key in system.objects(prefix=prefix))
    return [next((tag["Value"] for tag in each if tag["Key"] == "retention"), None) for each in found]


def midnight(system: System, days: int) -> float:
    """The end of the day that so many days from now is (UTC)."""
    return (system.now // DAY + 1 + days) * DAY


def until(system: System, at: float) -> None:
    """Let time pass while nothing runs, to a moment."""
    system.skip(at - system.now)


def lifecycle(system: System, prefix: str) -> int:
    """S3 takes the objects of a kind whose days are over, by their tags or by the stack's rule; answers how many."""
    s3, bucket = system.client("s3"), system.template.physical_id("RecordingsBucket")
    stack, taken = 90, 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            found = s3.get_object_tagging(Bucket=bucket, Key=entry["Key"])["TagSet"]
            days = min([stack, *(int(tag["Value"]) for tag in found)])
            if system.now >= (entry["LastModified"].timestamp() // DAY + 1 + days) * DAY:
                s3.delete_object(Bucket=bucket, Key=entry["Key"])
                taken += 1
    return taken


def expire(system: System, table: str, *, of: str = "") -> int:
    """DynamoDB's TTL takes the rows that are over, those whose sort key contains a text; answers how many."""
    name, taken = system.template.physical_id(table), 0
    for item in system.items(table):
        if "ttl" in item and int(item["ttl"]["N"]) <= system.now and of in item["sk"]["S"]:
            system.client("dynamodb").delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
            taken += 1
    return taken
