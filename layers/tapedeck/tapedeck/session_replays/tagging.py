"""Tags over many replays: which keys there are, which values, how often, when. Computed from the rows, so deleting needs no counters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from tapedeck.clock import iso
from tapedeck.errors import Invalid

if TYPE_CHECKING:
    from tapedeck.session_replays.blocks.counting import Reduction
    from tapedeck.session_replays.merging import Row
    from tapedeck.session_replays.search.document import Document

_KEY = re.compile(r"[a-zA-Z0-9_.:-]+")
MOST_VALUES = 1000
HIDDEN = "transaction"  # a replay's title, not one of its tags (contract §4)
_SORTS = ("-last_seen", "-count")

# Keys that name a field of the replay and not a tag (contract §5).
_SCALARS = {
    name: name
    for name in (
        "replay_type", "platform", "environment", "dist", "user.id", "user.username", "user.email", "user.ip", "sdk.name", "sdk.version",
        "os.name", "os.version", "browser.name", "browser.version", "device.name", "device.brand", "device.family",
    )
} | {"device.model_id": "device.model"}  # fmt: skip
_LABELS = {
    "exc_type": "Exception Type",
    "sentry:user": "User",
    "sentry:release": "Release",
    "sentry:dist": "Distribution",
    "os": "OS",
    "url": "URL",
    "server_name": "Server",
}


class Seen(NamedTuple):
    """In how many replays a value is, and when segments of theirs were first and last recorded, in whole epoch seconds."""

    replays: int
    first: int
    last: int


def checked(key: str) -> str:
    """A tag's key, as a path names it. Invalid when no tag can be called so."""
    if not _KEY.fullmatch(key):
        raise Invalid(f'Invalid tag key format for "{key[:64]}"')
    return key


def sorting(sort: str | None) -> str:
    """How values are sorted. Invalid in the contract's words (§1.13)."""
    if sort is not None and sort not in _SORTS:
        raise Invalid("Invalid sort parameter. Please use one of: -last_seen or -count")
    return sort or _SORTS[0]


def field_of(key: str) -> str | None:
    """The field of the search (search/fields.py) whose values go by this tag's name; None where it is a tag."""
    return {"release": "releases", "url": "urls"}.get(key) or _SCALARS.get(key)


def keys(replays: Sequence[Document]) -> Counter[str]:
    """How often each tag is on these replays: once for each value that a replay has of it."""
    found: Counter[str] = Counter()
    for replay in replays:
        for key, values in replay.row.get("tags", {}).items():
            found[key] += len(values)
    del found[HIDDEN]
    return found


def values(replays: Sequence[Document], key: str) -> dict[str, Seen]:
    """The values that these replays have of a tag, or of a field that goes by a tag's name."""
    found: dict[str, Seen] = {}
    for replay in replays:
        for value in _values(replay.row, key):
            seen = Seen(1, int(replay.row["first"]), int(replay.row["last"]))
            found[value] = _joined(found[value], seen) if value in found else seen
    return found


def keys_in_blocks() -> Reduction[Counter[str]]:
    """The same of rows of blocks."""
    from tapedeck.session_replays.blocks import counting

    return counting.keys()


def values_in_blocks(key: str) -> Callable[[], Reduction[dict[str, Seen]]]:
    """The same of rows of blocks."""

    def values() -> Reduction[dict[str, Seen]]:
        from tapedeck.session_replays.blocks import counting

        return counting.values(key)

    return values


def joined(pages: Iterable[Mapping[str, Seen]]) -> dict[str, Seen]:
    """What several pages tell of values, as one."""
    total: dict[str, Seen] = {}
    for page in pages:
        for value, seen in page.items():
            total[value] = _joined(total[value], seen) if value in total else seen
    return total


def describe_keys(counted: Iterable[Counter[str]]) -> list[dict[str, Any]]:
    """`[{key, name, totalValues}]`, the most frequent first."""
    total: Counter[str] = sum(counted, Counter())
    found = sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"key": key, "name": label(key), "totalValues": count} for key, count in found]


def describe_values(pages: Iterable[dict[str, Seen]], key: str, *, containing: str | None, sort: str) -> list[dict[str, Any]]:
    """`[{key, name, value, count, lastSeen, firstSeen}]`: of the values that contain a text the most frequent, in the order asked for."""
    total = joined(pages)
    wanted = (containing or "").casefold()
    found = [(value, seen) for value, seen in total.items() if wanted in value.casefold()]
    found = sorted(found, key=lambda entry: (-entry[1].replays, entry[0]))[:MOST_VALUES]
    if sort == "-last_seen":
        found.sort(key=lambda entry: (-entry[1].last, entry[0]))
    return [
        {"key": key, "name": value, "value": value, "count": seen.replays, "lastSeen": iso(seen.last), "firstSeen": iso(seen.first)}
        for value, seen in found
    ]


def label(key: str) -> str:
    """A key as people read it.

    >>> label("plan.total_members")
    'Plan.Total Members'
    """
    return _LABELS.get(key) or key.replace("_", " ").title()


def _values(row: Row, key: str) -> Iterable[str]:
    if key in _SCALARS:
        return row.get("scalars", {}).get(_SCALARS[key], ())  # type: ignore[no-any-return]
    if key == "release":
        return row.get("releases", ())  # type: ignore[no-any-return]
    if key == "url":
        return {url for _, _, url in row.get("urls", ())}
    return row.get("tags", {}).get(key, ()) if key != HIDDEN else ()


def _joined(a: Seen, b: Seen) -> Seen:
    return Seen(a.replays + b.replays, min(a.first, b.first), max(a.last, b.last))
