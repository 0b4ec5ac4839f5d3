"""Work to be done: rows that say, in an index, by when somebody should look after them. A queue is a bell and may be lost; this is not.

by_due  {kind}  {seconds}   on the control and the events table; a row without the two attributes is in nobody's list
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tapedeck import aws, clock


def items(kind: str, *, table: str = "CONTROL_TABLE") -> Iterator[dict[str, Any]]:
    """What is due by now, the longest waiting first: as the index knows it, which may be a moment behind."""
    return aws.query(
        table,
        IndexName="by_due",
        KeyConditionExpression="due_in = :kind AND due_at <= :now",
        ExpressionAttributeValues={":kind": {"S": kind}, ":now": {"N": str(int(clock.now()))}},
    )
