"""What wakes the worker of captures: a queue, and one-time schedules that put the same message into it.

queue     CaptureBells                  {organization_id, capture_id}: look after it; what is due, its row and the clock say
schedule  cap-{id}-start, cap-{id}-stop  the same message at a moment; each deletes itself when it has rung (group Schedules)

A bell says nothing but where to look, so it may ring late, early, twice or for a capture that is gone. Ids of captures are unique
among all organizations, so names of schedules are as well.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil
from typing import Any, Literal

import orjson

from tapedeck import aws
from tapedeck.captures.model import Capture

Bell = Literal["start", "stop"]


def ring(capture: Capture) -> None:
    """Wake the worker now. Safe to repeat: one that has nothing to do goes back to sleep."""
    aws.client("sqs").send_message(QueueUrl=aws.setting("CAPTURE_BELLS_QUEUE"), MessageBody=_message(capture))


def set_for(capture: Capture, bell: Bell, at: int) -> None:
    """Let a bell ring at a moment (ms), on the next whole second. Safe to repeat: one that is set already is set anew."""
    scheduler = aws.client("scheduler")
    schedule: dict[str, Any] = {
        **_name(capture, bell),
        "ScheduleExpression": f"at({datetime.fromtimestamp(ceil(at / 1000), UTC):%Y-%m-%dT%H:%M:%S})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {"Arn": aws.setting("CAPTURE_BELLS_ARN"), "RoleArn": aws.setting("SCHEDULER_ROLE_ARN"), "Input": _message(capture)},
    }
    try:
        scheduler.create_schedule(**schedule)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**schedule)


def unset(capture: Capture, bell: Bell) -> None:
    """Let a bell not ring any more. Safe to repeat."""
    scheduler = aws.client("scheduler")
    try:
        scheduler.delete_schedule(**_name(capture, bell))
    except scheduler.exceptions.ResourceNotFoundException:
        return  # it has rung, or was never set


def _name(capture: Capture, bell: Bell) -> dict[str, str]:
    return {"Name": f"cap-{capture.id}-{bell}", "GroupName": aws.setting("SCHEDULE_GROUP")}


def _message(capture: Capture) -> str:
    return orjson.dumps({"organization_id": capture.organization_id, "capture_id": capture.id}).decode()
