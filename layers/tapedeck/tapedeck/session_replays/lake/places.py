"""Where lines are: objects of the bucket that a pack puts, by environment and by the UTC day on which their replays began. Pure.

lake/replays/org={org}/project={project}/day={yyyy-mm-dd}/{pack}-{part}.ndjson.gz

By `name=value`, as engines know folders for columns; by environment, so that one's lines can be kept for longer than another's; by day, so
that a query reads the days that it names, and what is past its retention goes by the folder. A replay's row knows its *place*, the two
last parts of that. An object's lines are written once, by one pack, and from then on only ever taken out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

PREFIX = "lake/replays/"
LEVEL = 6  # of gzip: 9 takes 2.5 times as long for a sixteenth less
ANSWERS = "athena/"  # where Athena puts its answers
_SLACK = timedelta(days=2)  # the day itself; and one, so that all but what was written again goes by the bucket's lifecycle


def place(began: float, pack: str, part: int) -> str:
    """The place of a replay that began at this moment (seconds)."""
    return f"{datetime.fromtimestamp(began, UTC):%Y-%m-%d}/{pack}-{part}"


def object_key(organization_id: int, project_id: int, place: str) -> str:
    """The key of the object that a place of an environment is."""
    day, name = place.split("/")
    return f"{PREFIX}org={organization_id}/project={project_id}/day={day}/{name}.ndjson.gz"


def organization_of(folder: str) -> int:
    """Whose an object or a folder is."""
    return int(folder.split("/")[2].removeprefix("org="))


def project_of(key: str) -> int:
    """The environment of an object, or of a folder of its own."""
    return int(key.split("/")[3].removeprefix("project="))


def day_of(folder: str) -> str:
    """The day of an object or a folder: `yyyy-mm-dd`."""
    return folder.split("/")[4].removeprefix("day=")


def is_over(day: str, now: float, retention: float) -> bool:
    """Whether nothing of a day (`yyyy-mm-dd`) is to be in the lake any more, `retention` and `now` in seconds."""
    over = datetime.fromisoformat(day).replace(tzinfo=UTC) + _SLACK + timedelta(seconds=retention)
    return over.timestamp() < now
