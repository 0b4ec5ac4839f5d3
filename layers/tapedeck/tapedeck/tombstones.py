"""Tombstones: what keeps erased data out. One names nobody, only a digest, and says until when data of that name is refused.

control  E#{org}#{project}  U#{sha256 of the user's id}  `until` (s since the epoch): this person's data from before it is refused
                            R#{replay}                   this session replay is gone for good
"""

from __future__ import annotations

import hashlib

from tapedeck import aws


def of_user(user_id: str) -> str:
    """The name of a person's tombstone."""
    return f"U#{hashlib.sha256(user_id.encode()).hexdigest()}"


def of_replay(replay_id: str) -> str:
    """The name of a session replay's tombstone."""
    return f"R#{replay_id}"


def of_users(organization_id: int, project_id: int) -> dict[str, float]:
    """Every person's tombstone in a project: its name, and until when (s) their data is refused."""
    found = aws.query(
        "CONTROL_TABLE",
        KeyConditionExpression="pk = :pk AND begins_with(sk, :user)",
        ExpressionAttributeValues={":pk": {"S": partition(organization_id, project_id)}, ":user": {"S": "U#"}},
        ConsistentRead=True,
    )
    return {item["sk"]["S"]: float(item["until"]["N"]) for item in found}


def partition(organization_id: int, project_id: int) -> str:
    """Where a project's tombstones are."""
    return f"E#{organization_id}#{project_id}"
