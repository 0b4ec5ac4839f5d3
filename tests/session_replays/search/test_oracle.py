"""The contract, told a second time: a slow evaluator over the single rows of replays, written from §2 and §3 alone, finds the same pages.

Hypothesis makes replays out of segments, clicks, linked events, views and deletions, and queries out of every kind of term. Here each
replay is kept as Sentry keeps it: one row for each thing that happened (§2.4). There it is one merged row, searched through the parser,
the table of fields and the compiled closures.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, reduce
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import archive_delta, decode, encode, link_delta, merge, segment_delta, view_delta
from tapedeck.session_replays.presenting import present
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.search.document import Document, clicks
from tapedeck.session_replays.search.evaluating import click_matcher, is_descending, matcher, sort_key
from tapedeck.session_replays.search.language import parse

VIEWER = 1

# --- Replays as rows (§2.4) ---------------------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """What happened in one replay: dictionaries, one for each row that Sentry would store."""

    replay_id: str
    project_id: int
    segments: list[dict[str, Any]]
    clicks: list[dict[str, Any]]
    links: list[dict[str, Any]]
    viewers: list[int]
    archived: bool

    def document(self) -> Document:
        """The same, as Tapedeck keeps it, with what happened in another order."""
        told = {id(segment): [one for one in self.clicks if one["segment"] == segment["segment_id"]] for segment in self.segments}
        deltas = [
            segment_delta(
                ReplayEvent(
                    self.replay_id,
                    segment["segment_id"],
                    segment["timestamp"],
                    segment["started"],
                    {name: value for name, value in segment["scalars"].items() if value},
                    segment["urls"],
                    segment["error_ids"],
                    segment["trace_ids"],
                    segment["release"],
                    segment["tags"],
                ),
                [Click(c["second"], c["node"], c["anger"] > 0, c["anger"] > 1, tuple(c[t] for t in TEXTS)) for c in told[id(segment)]],
            )
            for segment in self.segments
        ]
        deltas += [link_delta(EventLink(one["id"], self.replay_id, one["level"], one["timestamp"], "")) for one in self.links]
        deltas += [view_delta(user) for user in self.viewers] + [archive_delta()] * self.archived
        return Document(self.replay_id, self.project_id, decode(encode(reduce(merge, reversed(deltas)))))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The segments' rows, unless it is deleted."""
        return [] if self.archived else self.segments

    @property
    def click_rows(self) -> list[dict[str, Any]]:
        """The same click, told twice, is one row; rows of no tag are none."""
        rows: dict[tuple[int, int], dict[str, Any]] = {}
        for one in [] if self.archived else self.clicks:
            key = (one["second"], one["node"])
            rows[key] = one | {"anger": max(one["anger"], rows[key]["anger"] if key in rows else 0)}
        return [row for row in rows.values() if row["tag"]]

    @property
    def finished(self) -> float:
        return max(
            *(segment["timestamp"] for segment in self.segments),
            *(float(one["second"]) for one in self.clicks),
            *(one["timestamp"] for one in self.links),
            0.0,
        )

    @property
    def started(self) -> float:
        return float(min(segment["started"] for segment in self.segments))


BASE = 1_700_000_000
HEXES = [digit * 32 for digit in "0123abc"]
hexes = st.sampled_from(HEXES)
WORDS = ("a", "b", "ab", "A", "Ab", "a b", "a*b", 'x"y', ">5", "7", "[a]", "ü", "1.2.3.4", "a(b)")
words = st.sampled_from(WORDS)
maybe = st.none() | words
SCALARS = (
    *("browser.name", "browser.version", "device.brand", "device.family", "device.model", "device.name", "dist", "environment", "os.name"),
    *("os.version", "platform", "replay_type", "sdk.name", "sdk.version", "user.email", "user.id", "user.username", "user.geo.city"),
    *("ota_updates.channel", "ota_updates.runtime_version", "ota_updates.update_id", "user.geo.country_code"),
)
addresses = st.sampled_from(["1.2.3.4", "10.0.0.1", "::1"])


def few(of: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(of, max_size=most)


def _segment(segment_id: int, **members: Any) -> dict[str, Any]:
    address = members.pop("address")
    members["scalars"] = members["scalars"] | ({"user.ip": address} if address else {})
    return {"segment_id": segment_id, **members}


def segment_rows(segment_id: int) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        _segment,
        st.just(segment_id),
        timestamp=st.sampled_from([BASE + 0.5, BASE + 5.25, BASE + 16.9, BASE + 60.0]),
        started=st.sampled_from([BASE - 0.25, BASE + 0.0, BASE + 0.9]),
        scalars=st.dictionaries(st.sampled_from(SCALARS), words, max_size=4),
        address=st.none() | addresses,
        urls=few(words),
        error_ids=few(hexes, 2),
        trace_ids=few(hexes, 2),
        release=maybe,
        tags=st.dictionaries(st.sampled_from(["a", "message", "user.email", "k:1", "transaction"]), words, max_size=2),
    )


# A node always looks the same: what was told twice was told alike.
NODES: tuple[dict[str, str], ...] = (
    {"tag": "div", "id": "x", "classes": "c1 c2", "role": "button", "alt": "a b", "testid": "t", "label": "A", "title": "7", "text": "a b"},
    {"tag": "button", "id": "x", "classes": "c1 c3", "component_name": "Ab", "title": ">5", "text": "a*b"},
    {"tag": "button", "classes": "", "role": "A"},
    {"tag": "", "id": "x", "classes": "c1", "role": "button"},
)


def _click(node: int, second: int, segment: int, anger: int) -> dict[str, Any]:
    return {**dict.fromkeys(TEXTS, ""), **NODES[node], "node": node, "second": BASE + second, "segment": segment, "anger": anger}


click_rows = st.builds(_click, st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.integers(0, 2))
LEVELS = ("error", "warning", "info")
link_rows = st.builds(
    lambda event_id, timestamp: {"id": event_id, "level": LEVELS[int(event_id[0], 16) % 3], "timestamp": timestamp},
    hexes,
    st.just(BASE + 3.5),
)
stories = st.builds(
    Story,
    hexes,
    st.integers(1, 2),
    st.sampled_from([(0,), (0, 1), (0, 1, 2)]).flatmap(lambda ids: st.tuples(*(segment_rows(one) for one in ids)).map(list)),
    st.lists(click_rows, max_size=4, unique_by=lambda one: (one["second"], one["node"], one["segment"])),
    st.lists(link_rows, max_size=3, unique_by=lambda one: one["id"]),
    st.lists(st.integers(1, 3), max_size=2, unique=True),
    st.sampled_from([False] * 7 + [True]),
)


def _orphaned(story: Story) -> Story:
    """Clicks come with segments: those of a segment that is not there never happened."""
    there = {segment["segment_id"] for segment in story.segments}
    return Story(**{**vars(story), "clicks": [one for one in story.clicks if one["segment"] in there]})


# --- Queries, and what they mean ----------------------------------------------------------------------------------------------------------

Meaning = Callable[[Story], bool]


@dataclass(frozen=True)
class Query:
    """A query with what it means of a replay, and of one click row; None is what cannot be asked of clicks."""

    text: str
    means: Meaning
    of_click: Callable[[dict[str, Any]], bool] | None = None
    kind: str = "term"

    def __repr__(self) -> str:
        return self.text


ALIASES = {
    "browser": "browser.name",
    "device": "device.name",
    "device.model_id": "device.model",
    "os": "os.name",
    "sdk": "sdk.name",
    "user": "user.username",
}
CLICK_KEYS = {
    **{f"click.{name}": name for name in ("alt", "component_name", "id", "label", "role", "tag", "testid", "title")},
    "click.textContent": "text",
    "click.class": "classes",
}


def texts_of_click(key: str, row: dict[str, Any]) -> list[str]:
    text = row[CLICK_KEYS[key]]
    return text.split() if key == "click.class" else [text] if text else []


def texts(key: str, story: Story) -> list[Any]:
    """All values of a key, over all rows."""
    if key in CLICK_KEYS:
        return [text for row in story.click_rows for text in texts_of_click(key, row)]
    if key in ("url", "urls", "screen", "screens"):
        return [url for row in story.rows for url in row["urls"]]
    if key in ("release", "releases"):
        return [row["release"] for row in story.rows if row["release"]]
    if key in ("user.ip", "user.ip_address"):
        return [row["scalars"]["user.ip"] for row in story.rows if "." in row["scalars"].get("user.ip", "")]
    if key == "id":
        return [story.replay_id]
    if key in ("trace", "trace_id", "trace_ids"):
        return [one for row in story.rows for one in row["trace_ids"]]
    linked = [one for one in story.links if not story.archived]
    if key in ("error_id", "error_ids"):
        return [one for row in story.rows for one in row["error_ids"]] + [one["id"] for one in linked if one["level"] == "error"]
    if key in ("info_id", "info_ids", "warning_id", "warning_ids"):
        return [one["id"] for one in linked if one["level"] == key.split("_")[0]]
    if key in ("viewed_by_id", "seen_by_id"):
        return [] if story.archived else story.viewers
    if (name := ALIASES.get(key, key)) in SCALARS or name.startswith(("user.geo.", "tap.")):
        return [row["scalars"][name] for row in story.rows if row["scalars"].get(name)]
    return tag(key, story)


def tag(key: str, story: Story) -> list[str]:
    return [row["tags"][key] for row in story.rows if key in row["tags"] and key != "transaction"]


def number(key: str, story: Story) -> int | None:
    """A count; a deleted replay has none."""
    if story.archived:
        return None
    levels = {level: sum(one["level"] == level for one in story.links) for level in LEVELS}
    urls = sum(len(row["urls"]) for row in story.segments)
    anger: dict[tuple[int, int], int] = {}
    for one in story.clicks:
        anger[one["second"], one["node"]] = max(one["anger"], anger.get((one["second"], one["node"]), 0))
    return {
        "activity": max(1, min(10, (25 * levels["error"] + 5 * urls) // 10)),
        "count_errors": levels["error"],
        "count_warnings": levels["warning"],
        "count_infos": levels["info"],
        "count_segments": len(story.segments),
        "count_urls": urls,
        "count_screens": urls,
        "count_traces": sum(len(row["trace_ids"]) for row in story.segments),
        "count_dead_clicks": sum(one > 0 for one in anger.values()),
        "count_rage_clicks": sum(one > 1 for one in anger.values()),
        "duration": 1000 * (int(story.finished) - int(story.started)),
    }[key]


def quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'


def star_free(text: str) -> str:
    return text.replace("*", "\\*")


def found_by_pattern(pattern: str, value: str) -> bool:
    parts = re.split(r"(?<!\\)\*", pattern)
    return re.search(".*".join(re.escape(part.replace("\\*", "*")) for part in parts), value, re.IGNORECASE | re.DOTALL) is not None


TEXT_KEYS = [
    *SCALARS,
    *ALIASES,
    *CLICK_KEYS,
    *(
        "urls",
        "url",
        "screen",
        "screens",
        "release",
        "releases",
        "user.geo.region",
        "tap.message",
        "a",
        "nothing",
        "transaction",
        "started_at",
    ),
]
some_key = st.sampled_from(TEXT_KEYS)


def _text_term(key: str, wanted: list[str], as_tag: bool) -> Query:
    """key:v, key:"", key:[v, w, ""]; `as_tag` writes tags[key]."""
    values = [star_free(value) for value in wanted]
    text = f"[{', '.join(map(quoted, values))}]" if len(values) > 1 else quoted(values[0])

    def holds(there: list[str]) -> bool:
        return any((not there) if value == "" else value in there for value in wanted)

    of_click = None if key not in CLICK_KEYS or as_tag else lambda row: holds(texts_of_click(key, row))
    if as_tag:
        return Query(f"tags[{key}]:{text}", lambda story: holds(tag(key, story)))
    return Query(f"{key}:{text}", lambda story: holds(texts(key, story)), of_click)


def _pattern_term(key: str, pattern: str) -> Query:
    def holds(there: Iterable[str]) -> bool:
        return any(found_by_pattern(pattern, value) for value in there)

    of_click = None if key not in CLICK_KEYS else lambda row: holds(texts_of_click(key, row))
    return Query(f"{key}:{quoted(pattern)}", lambda story: holds(texts(key, story)), of_click)


def _has_term(key: str) -> Query:
    return Query(
        f"has:{key}",
        lambda story: bool(texts(key, story)),
        None if key not in CLICK_KEYS else lambda row: bool(texts_of_click(key, row)),
    )


NUMBERS = [("0", 0), ("1", 1), ("2", 2), ("3", 3), ("1.9", 1), ("0.002k", 2), ("-1", -1), ("4", 4), ("10", 10), ("0.000003M", 3)]
DURATIONS = [
    ("0", 0),
    ("5s", 5000),
    ("17000", 17_000),
    ("16000ms", 16_000),
    ("1m", 60_000),
    ("0.1min", 6000),
    ("1hr", 3_600_000),
    ("-1s", -1000),
]
ID_KEYS = ("id", "trace", "trace_id", "trace_ids", "error_id", "error_ids", "info_id", "info_ids", "warning_id", "warning_ids")
OPERATORS = ("", "=", "!=", "<", "<=", ">", ">=")
COUNTS = [
    *("activity", "count_errors", "count_warnings", "count_infos", "count_segments", "count_urls", "count_screens", "count_traces"),
    *("count_dead_clicks", "count_rage_clicks"),
]


def _compares(operator: str, value: int | None, wanted: int) -> bool:
    if operator == "!=":
        return value != wanted
    if value is None:
        return False
    return {
        "": value == wanted,
        "=": value == wanted,
        "<": value < wanted,
        "<=": value <= wanted,
        ">": value > wanted,
        ">=": value >= wanted,
    }[operator]


def _number_term(key: str, operator: str, spelled: tuple[str, int]) -> Query:
    return Query(f"{key}:{operator}{spelled[0]}", lambda story: _compares(operator, number(key, story), spelled[1]))


def _numbers_term(key: str, wanted: list[int]) -> Query:
    return Query(f"{key}:[{','.join(map(str, wanted))}]", lambda story: number(key, story) in wanted)


def _id_term(key: str, wanted: list[str], dashes: bool) -> Query:
    spelled = [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}".upper() if dashes else one for one in wanted]
    text = spelled[0] if len(spelled) == 1 else f"[{','.join(spelled)}]"
    return Query(f"{key}:{text}", lambda story: any(one in texts(key, story) for one in wanted))


def _plain_term(key: str, wanted: list[Any]) -> Query:
    text = str(wanted[0]) if len(wanted) == 1 else f"[{','.join(map(str, wanted))}]"
    return Query(f"{key}:{text}", lambda story: any(one in texts(key, story) for one in wanted))


def _boolean_term(text: str) -> Query:
    return Query(f"is_archived:{text}", lambda story: story.archived is (text.lower() in ("true", "1")))


def _me_term(key: str, wanted: bool) -> Query:
    return Query(f"{key}:{str(wanted).lower()}", lambda story: (VIEWER in texts("viewed_by_id", story)) is wanted)


SELECTORS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "div": lambda row: row["tag"] == "div",
    "*": lambda row: True,
    "#x": lambda row: row["id"] == "x",
    ".c1.c3": lambda row: {"c1", "c3"} <= set(row["classes"].split()),
    "button#x.c1": lambda row: row["tag"] == "button" and row["id"] == "x" and "c1" in row["classes"].split(),
    "[role='button']": lambda row: row["role"] == "button",
    "button[title='>5'], [aria-label=A]": lambda row: (row["tag"] == "button" and row["title"] == ">5") or row["label"] == "A",
    "[data-test-id=t][alt='a b']": lambda row: row["testid"] == "t" and row["alt"] == "a b",
    "[data-sentry-component=Ab]": lambda row: row["component_name"] == "Ab",
    "$#%": lambda row: False,
}


def _selector_term(kind: str, css: str) -> Query:
    anger = {"click": 0, "dead": 1, "rage": 2}[kind]

    def holds(row: dict[str, Any]) -> bool:
        return row["anger"] >= anger and SELECTORS[css](row)

    return Query(f"{kind}.selector:{quoted(css)}", lambda story: any(map(holds, story.click_rows)), holds)


def _free_term(text: str) -> Query:
    return Query(quoted(star_free(text)), lambda story: text in texts("message", story))


def _not(inner: Query, grouped: bool) -> Query:
    if "by_me" in inner.text:
        return inner  # it knows no negation
    of_click = inner.of_click
    plain = inner.kind == "term" and not inner.text.startswith('"')
    return Query(
        f"!{inner.text}" if plain and not grouped else f"!({inner.text})",
        lambda story: not inner.means(story),
        None if of_click is None else lambda row: not of_click(row),
        "not",
    )


def _and(parts: list[Query], word: str) -> Query:
    asked = [part.of_click for part in parts]
    return Query(
        word.join(f"({part.text})" if part.kind == "or" else part.text for part in parts),
        lambda story: all(part.means(story) for part in parts),
        None if None in asked else lambda row: any(one(row) for one in asked if one),  # sic: §5
        "and",
    )


def _or(parts: list[Query], word: str) -> Query:
    asked = [part.of_click for part in parts]
    return Query(
        word.join(part.text for part in parts),
        lambda story: any(part.means(story) for part in parts),
        None if None in asked else lambda row: any(one(row) for one in asked if one),
        "or",
    )


PATTERNS = ("a*", "*b", "A*b", "*", "*a\\*b*", "**", '*x"*', "*>*", "a*a", "*.*", "*Ü")
patterns = st.sampled_from(PATTERNS)
text_terms = st.one_of(
    st.builds(_text_term, some_key, st.lists(words | st.just(""), min_size=1, max_size=3), st.just(False)),
    st.builds(_pattern_term, some_key, patterns),
    st.builds(_has_term, some_key),
)
click_keys = st.sampled_from(list(CLICK_KEYS))
CLICK_WORDS = ("div", "button", "x", "c1", "c2", "c3", "A", "Ab", "7", "a b", "t", "")
click_terms = st.one_of(
    st.builds(_text_term, click_keys, st.lists(st.sampled_from(CLICK_WORDS), min_size=1, max_size=2), st.just(False)),
    st.builds(_pattern_term, click_keys, patterns),
    st.builds(_has_term, click_keys),
    st.builds(_selector_term, st.sampled_from(["click", "dead", "rage"]), st.sampled_from(list(SELECTORS))),
)
other_terms = st.one_of(
    st.builds(_text_term, st.sampled_from(["a", "message", "user.email", "k:1"]), st.lists(words, min_size=1, max_size=2), st.just(True)),
    st.builds(_free_term, words),
    st.builds(_number_term, st.sampled_from(COUNTS), st.sampled_from(OPERATORS), st.sampled_from(NUMBERS)),
    st.builds(_number_term, st.just("duration"), st.sampled_from(OPERATORS), st.sampled_from(DURATIONS)),
    st.builds(_numbers_term, st.sampled_from(COUNTS), st.lists(st.integers(0, 5), min_size=1, max_size=3)),
    st.builds(_numbers_term, st.just("duration"), st.lists(st.sampled_from([5000, 16_000, 60_000]), min_size=1, max_size=3)),
    st.builds(
        _id_term,
        st.sampled_from(
            ["id", "trace", "trace_id", "trace_ids", "error_id", "error_ids", "info_id", "info_ids", "warning_id", "warning_ids"]
        ),
        st.lists(hexes, min_size=1, max_size=2),
        st.booleans(),
    ),
    st.builds(_plain_term, st.sampled_from(["viewed_by_id", "seen_by_id"]), st.lists(st.integers(1, 4), min_size=1, max_size=2)),
    st.builds(
        _plain_term,
        st.sampled_from(["user.ip", "user.ip_address"]),
        st.lists(addresses.filter(lambda one: "." in one), min_size=1, max_size=2),
    ),
    st.builds(_has_term, st.sampled_from(["user.ip", "error_id", "warning_ids", "id", "viewed_by_id"])),
    st.builds(_boolean_term, st.sampled_from(["true", "false", "0", "1", "True"])),
    st.builds(_me_term, st.sampled_from(["viewed_by_me", "seen_by_me"]), st.booleans()),
)


def grown(leaves: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(_not, inner, st.booleans()),
            st.builds(_and, st.lists(inner, min_size=2, max_size=3), st.sampled_from([" ", " AND ", "  and "])),
            st.builds(_or, st.lists(inner, min_size=2, max_size=3), st.sampled_from([" OR ", " or  "])),
        ),
        max_leaves=6,
    )


def every_term() -> Iterator[Query]:
    """Each key with each kind of value, by itself."""
    for key in TEXT_KEYS:
        values = CLICK_WORDS if key in CLICK_KEYS else WORDS
        yield from (_text_term(key, [value], False) for value in (*values, ""))
        yield from (_text_term(key, list(pair), False) for pair in (*pairwise(values), ("nothing", ""), ("a", "")))
        yield from (_pattern_term(key, pattern) for pattern in PATTERNS)
        yield _has_term(key)
    for key in ("a", "message", "user.email", "k:1", "transaction"):
        yield from (_text_term(key, [word], True) for word in WORDS)
    yield from map(_free_term, WORDS)
    for operator in OPERATORS:
        yield from (_number_term(key, operator, number) for key in COUNTS for number in NUMBERS)
        yield from (_number_term("duration", operator, number) for number in DURATIONS)
    yield from (_numbers_term(key, list(pair)) for key in COUNTS for pair in pairwise(range(5)))
    yield from (_id_term(key, [one], dashes) for key in ID_KEYS for one in HEXES for dashes in (False, True))
    yield from (_id_term(key, list(pair), False) for key in ID_KEYS for pair in pairwise(HEXES))
    yield from (_plain_term(key, [user]) for key in ("viewed_by_id", "seen_by_id") for user in range(4))
    yield from (_plain_term(key, [address, "8.8.8.8"]) for key in ("user.ip", "user.ip_address") for address in ("1.2.3.4", "10.0.0.1"))
    yield from map(_has_term, ("user.ip", "error_id", "warning_ids", "id", "viewed_by_id"))
    yield from map(_boolean_term, ("true", "false"))
    yield from (_me_term(key, wanted) for key in ("viewed_by_me", "seen_by_me") for wanted in (False, True))
    yield from (_selector_term(kind, css) for kind in ("click", "dead", "rage") for css in SELECTORS)


@cache
def every_term_and_its_negation() -> list[tuple[Query, Callable[[Document], bool]]]:
    queries = [query for term in every_term() for query in (term, _not(term, False))]
    return [(query, matcher(parse(query.text), VIEWER)) for query in queries]


@cache
def every_click_term() -> list[tuple[Query, Callable[[Click], bool]]]:
    terms = [term for term in every_term() if term.of_click]
    negations = [_not(term, False) for term in terms if "$#%" not in term.text]
    return [(query, click_matcher(parse(query.text))) for query in (*terms, *negations)]


# --- Sorts (§3) ---------------------------------------------------------------------------------------------------------------------------


def sort_value(name: str, story: Story, shown: dict[str, Any]) -> Any:
    """What a replay is sorted by: what it shows, the empty text or less than any number when it shows nothing."""
    name = {"os_name": "os.name", "os": "os.name", "browser": "browser.name"}.get(
        name, re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name)
    )
    if name == "project_id":
        return story.project_id
    if name == "started_at":
        return int(story.started * 1000)
    if name == "finished_at":
        return -1 if story.archived else int(story.finished)
    if name.startswith("count_") or name in ("activity", "duration"):
        value = number(name, story)
        return -1 if value is None else value
    value = shown
    for part in name.split("."):
        value = value[part]
    return ("" if story.archived else value or "").encode()


SORTS = [
    *("activity", "browser", "browser.name", "browser.version", "count_dead_clicks", "count_errors", "count_infos", "count_rage_clicks"),
    *("count_screens", "count_urls", "count_warnings", "device.brand", "device.family", "device.model", "device.name", "dist", "duration"),
    *("finished_at", "os", "os.name", "os_name", "os.version", "platform", "project_id", "started_at", "sdk.name", "user.email", "user.id"),
    *("user.username", "startedAt", "finishedAt", "projectId", "countErrors", "countUrls", "countDeadClicks", "countRageClicks"),
]
sorts = st.builds(lambda sign, name: sign + name, st.sampled_from(["", "-"]), st.sampled_from(SORTS))

# ORACLE_EXAMPLES=5000 for a long night.
thorough = settings(
    max_examples=int(os.environ.get("ORACLE_EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
many_stories = st.lists(stories.map(_orphaned), max_size=5, unique_by=lambda story: story.replay_id)


@settings(thorough, max_examples=thorough.max_examples // 5)
@given(stories.map(_orphaned))
def test_every_term_finds_what_it_should_by_itself(story: Story) -> None:
    document = story.document()
    assert [str(query) for query, found in every_term_and_its_negation() if found(document) != query.means(story)] == []


@settings(thorough, max_examples=thorough.max_examples // 5)
@given(stories.map(_orphaned))
def test_every_click_term_finds_what_it_should_by_itself(story: Story) -> None:
    there, rows = clicks(story.document().row), sorted(story.click_rows, key=lambda row: (row["second"], row["node"]))
    assert [(one.second, one.node) for one in there] == [(row["second"], row["node"]) for row in rows]
    for query, found in every_click_term():
        assert query.of_click
        assert list(map(found, there)) == list(map(query.of_click, rows)), query


@thorough
@given(stories.map(_orphaned))
def test_every_sort_reads_what_the_replay_shows(story: Story) -> None:
    document = story.document()
    shown = present(document.row, story.replay_id, story.project_id)
    for name in SORTS:
        value = sort_key(name)(document)[0]
        assert (value.encode() if isinstance(value, str) else value) == sort_value(name, story, shown), name


@thorough
@given(many_stories, grown(st.one_of(text_terms, other_terms, click_terms)), sorts, st.integers(0, 3), st.integers(1, 3))
def test_the_same_pages_are_found(many: list[Story], query: Query, sort: str, offset: int, limit: int) -> None:
    found = matcher(parse(query.text), VIEWER)
    page = sorted((document for story in many if found(document := story.document())), key=sort_key(sort), reverse=is_descending(sort))

    def order(story: Story) -> tuple[Any, int, str]:
        shown = present(story.document().row, story.replay_id, story.project_id)
        return sort_value(sort.removeprefix("-"), story, shown), int(story.started * 1000), story.replay_id

    expected = sorted((story for story in many if query.means(story)), key=order, reverse=sort.startswith("-"))
    wanted = slice(offset, offset + limit)
    assert [one.replay_id for one in page[wanted]] == [one.replay_id for one in expected[wanted]]


@thorough
@given(stories.map(_orphaned), grown(click_terms))
def test_the_same_clicks_are_found(story: Story, query: Query) -> None:
    if query.of_click is None or ("$#%" in query.text and "!" in query.text):
        return
    found = click_matcher(parse(query.text))
    expected = sorted((row["second"], row["node"]) for row in story.click_rows if query.of_click(row))
    assert [(one.second, one.node) for one in clicks(story.document().row) if found(one)] == expected


@thorough
@given(stories.map(_orphaned))
def test_what_is_counted_is_what_is_shown(story: Story) -> None:
    shown = present(story.document().row, story.replay_id, story.project_id)
    for key in ("activity", "count_dead_clicks", "count_errors", "count_infos", "count_rage_clicks", "count_segments", "count_urls"):
        assert shown[key] == number(key, story), key
        assert matcher(parse(f"{key}:{shown[key]}" if shown[key] is not None else f'{key}:""'))(story.document()), key
    assert shown["duration"] == (None if story.archived else number("duration", story) // 1000)  # type: ignore[operator]
