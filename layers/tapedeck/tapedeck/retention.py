"""Retention: for how many days what was recorded is kept. The stack has a period, and an environment may have a shorter one of its own.

What is kept carries its own end, told when it is stored. A reader holds it against that end and against the days that the environment has
now: a shorter period hides at once, a longer one brings nothing back. DynamoDB's TTL and S3's lifecycle delete later, by days.
"""

from __future__ import annotations

from tapedeck import aws

DAY = 86_400  # seconds
# The periods that an environment may have: template.yaml has a lifecycle rule for each, by the objects' tag.
CLASSES = (1, 3, 7, 14, 30, 60, 90, 180, 365)


def days(own: int | None = None) -> int:
    """For how many days an environment keeps what is recorded; `own` are its own (None: it has none). Never longer than the stack."""
    stack = int(aws.setting("RETENTION_DAYS"))
    return stack if own is None else min(own, stack)


def choices() -> list[int]:
    """What an environment may choose from."""
    return [each for each in CLASSES if each <= days()]


def tag(needed: int) -> int | None:
    """The class of an object that must stay for so many days: the shortest that is long enough. None where the stack's rule is as short."""
    found = next((each for each in CLASSES if each >= needed), days())
    return found if found < days() else None
