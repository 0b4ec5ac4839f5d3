"""What may be asked of event replays: bodies read into wishes, refused by field (decisions 1 to 7 and 30). Pure."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tapedeck import ids
from tapedeck.errors import Invalid, Unspecified
from tapedeck.event_replays.model import Type

MOST_NAME, MOST_NOTES, MOST_QUERY = 256, 4096, 4096
MOST_CONCURRENCY = 64
MOST_AT_ONCE = 100  # replays of one deletion
MOST_LENT, MOST_WAIT = 100, 20.0
# What clients say, and what it is called (decision 3).
_TYPES: Mapping[Any, Type] = {
    "single": "single",
    "onetime": "single",
    "0": "single",
    0: "single",
    "continuous": "continuous",
    "1": "continuous",
    1: "continuous",
}
_NEEDED = "is needed"

Body = Mapping[str, Any]
Wrong = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new replay shall be."""

    name: str
    notes: str
    type: Type
    query: str
    collection_id: str
    destination_id: str
    concurrency: int = 1


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of which replay; None is nothing."""

    replay_id: str
    name: str | None
    notes: str | None
    query: str | None
    destination_id: str | None
    type: Type | None
    collection_id: str | None


@dataclass(frozen=True, slots=True)
class Ack:
    """What has become of events that were lent: keys that were taken, and keys that were not, with the reason.

    `release` gives back those of which nothing is said: they are handed out again at once.
    """

    lease: str
    done: Sequence[str]
    failed: Mapping[str, str]
    release: bool = False


def wanted(body: Body, team_id: str) -> Wanted:
    """The replay that a body asks for. Invalid by field."""
    wrong: Wrong = {}
    for name in ("name", "collection_id", "destination_id", "query", "type"):
        if body.get(name) in (None, ""):
            wrong[name] = [_NEEDED]
    asked = Wanted(
        _text(body, "name", MOST_NAME, wrong) or "",
        _text(body, "notes", MOST_NOTES, wrong, empty=True) or "",
        _type(body, wrong) or "single",
        _text(body, "query", MOST_QUERY, wrong) or "",
        _id(body, "collection_id", wrong) or "",
        _id(body, "destination_id", wrong) or "",
        _concurrency(body, wrong),
    )
    _team(body, team_id, wrong)
    _refuse(wrong)
    return asked


def change(body: Body) -> Change:
    """The change that a body asks for (decision 6). Invalid by field."""
    wrong: Wrong = {}
    replay_id = body.get("replay_id", body.get("id"))
    if replay_id in (None, ""):
        wrong["replay_id"] = [_NEEDED]
    asked = Change(
        known_as(replay_id),
        _text(body, "name", MOST_NAME, wrong),
        _text(body, "notes", MOST_NOTES, wrong, empty=True),
        _text(body, "query", MOST_QUERY, wrong),
        _id(body, "destination_id", wrong),
        _type(body, wrong) if body.get("type") is not None else None,
        _id(body, "collection_id", wrong),
    )
    _refuse(wrong)
    return asked


def to_delete(body: Body) -> list[str]:
    """The ids of the replays that are to be deleted: `replay_id` or `id`, one or a list. Nothing said is never "all": Unspecified."""
    said = body.get("replay_id", body.get("id"))
    found = said if isinstance(said, list) else [said]
    if said in (None, "", []):
        raise Unspecified(fields={"replay_id": ["one id or a list of ids is needed"]})
    if len(found) > MOST_AT_ONCE or not all(isinstance(each, str) and each for each in found):
        raise Invalid(fields={"replay_id": [f"one id or a list of 1 to {MOST_AT_ONCE} is needed"]})
    return list(dict.fromkeys(map(known_as, found)))


def new_name(body: Body) -> str | None:
    """The name that a redo may give. Invalid by field."""
    wrong: Wrong = {}
    name = _text(body, "name", MOST_NAME, wrong)
    _refuse(wrong)
    return name


def to_lease(body: Body) -> tuple[int, float]:
    """(how many events at most, how many seconds to wait for the first) of a reader that pulls. Invalid by field."""
    wrong: Wrong = {}
    limit, wait = body.get("limit", MOST_LENT), body.get("wait", 0)
    if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= MOST_LENT:
        wrong["limit"] = [f"a whole number from 1 to {MOST_LENT}"]
    if not isinstance(wait, (int, float)) or isinstance(wait, bool) or not 0 <= wait <= MOST_WAIT:
        wrong["wait"] = [f"seconds, from 0 to {MOST_WAIT:.0f}"]
    _refuse(wrong)
    return limit, float(wait)


def ack(body: Body) -> Ack:
    """What a reader that pulls says of the events that it was lent. Invalid by field."""
    wrong: Wrong = {}
    lease, done, failed = body.get("lease"), body.get("done") or [], body.get("failed") or []
    if not isinstance(lease, str) or not lease or len(lease) > MOST_NAME:
        wrong["lease"] = [_NEEDED]
    if not isinstance(done, list) or len(done) > MOST_LENT or not all(isinstance(key, str) for key in done):
        wrong["done"] = ["a list of keys"]
    if not isinstance(failed, list) or len(failed) > MOST_LENT or not all(_is_failure(each) for each in failed):
        wrong["failed"] = ["a list of {key, message}"]
    release = body.get("release", False)
    if not isinstance(release, bool):
        wrong["release"] = ["true or false"]
    _refuse(wrong)
    return Ack(str(lease), done, {each["key"]: str(each.get("message") or "")[:MOST_NAME] for each in failed}, release)


def known_as(replay_id: object) -> str:
    """A replay's id as it is kept: lower-case, with dashes; what is no id stays what no replay is called.

    >>> known_as("0DCE7D858D6141DB86BDAF005DF755F4")
    '0dce7d85-8d61-41db-86bd-af005df755f4'
    """
    bare = ids.parse_uuid(replay_id)
    return str(uuid.UUID(bare)) if bare else "none"


def _is_failure(each: Any) -> bool:
    return isinstance(each, dict) and isinstance(each.get("key"), str)


def _text(body: Body, name: str, most: int, wrong: Wrong, *, empty: bool = False) -> str | None:
    said = body.get(name)
    if said is None:
        return None
    if not isinstance(said, str) or len(said) > most or not (empty or said.strip()):
        wrong.setdefault(name, [f"a text of {0 if empty else 1} to {most} characters"])
        return None
    return said if name == "query" else said.strip()


def _id(body: Body, name: str, wrong: Wrong) -> str | None:
    said = body.get(name)
    if said is None:
        return None
    if not isinstance(said, str):
        wrong.setdefault(name, ["an id is a text"])
        return None
    return known_as(said)


def _type(body: Body, wrong: Wrong) -> Type | None:
    said = body.get("type")
    found = _TYPES.get(said) if isinstance(said, (str, int)) and not isinstance(said, bool) else None
    if found is None:
        wrong.setdefault("type", ['"onetime" (or "single", 0) or "continuous" (or 1)'])
    return found


def _concurrency(body: Body, wrong: Wrong) -> int:
    said = body.get("concurrency")
    if said is None:
        return 1
    if not isinstance(said, int) or isinstance(said, bool) or not 1 <= said <= MOST_CONCURRENCY:
        wrong["concurrency"] = [f"a whole number from 1 to {MOST_CONCURRENCY}"]
        return 1
    if said > 1 and body.get("ordered") is True:
        wrong["ordered"] = ["several at a time do not arrive in order: leave `concurrency` out"]
    return said


def _team(body: Body, team_id: str, wrong: Wrong) -> None:
    if body.get("team_id") not in (None, team_id):
        wrong["team_id"] = ["this is not your team"]


def _refuse(wrong: Wrong) -> None:
    if wrong:
        raise Invalid(fields=wrong)
