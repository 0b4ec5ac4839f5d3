"""How fast a destination may be sent to: `max_per_second`, shared by all its replays and all their workers.

RATE#{org}#{destination}  {second:011d}  how many were granted in this second; gone a minute later
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from tapedeck import aws, clock
from tapedeck.event_replays.destinations.model import Destination

_KEPT = 60  # seconds
_MOST_ATTEMPTS = 3


def take(destination: Destination, wanted: int) -> int:
    """How many of `wanted` events may be sent in the present second: all of them, without a call, where there is no limit.

    A conditional ADD counts what is granted, so the workers together are never granted more. What a lost answer was granted is not
    granted again: a second may end below its limit, and never above.
    """
    limit = destination.max_per_second
    if limit is None or wanted <= 0:
        return max(wanted, 0)
    second = int(clock.now())
    asked = min(wanted, limit)
    for _ in range(_MOST_ATTEMPTS):
        try:
            aws.client("dynamodb").update_item(
                TableName=aws.setting("CONTROL_TABLE"),
                Key={"pk": {"S": f"RATE#{destination.organization_id}#{destination.id}"}, "sk": {"S": f"{second:011d}"}},
                UpdateExpression="SET #ttl = :gone ADD n :asked",
                ConditionExpression="attribute_not_exists(n) OR n <= :room",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={
                    ":asked": {"N": str(asked)},
                    ":room": {"N": str(limit - asked)},
                    ":gone": {"N": str(second + _KEPT)},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            return asked
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            asked = min(asked, limit - int(error.response["Item"]["n"]["N"]))
            if asked <= 0:
                return 0
    return 0
