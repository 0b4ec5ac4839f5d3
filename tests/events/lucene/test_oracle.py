"""The language, told a second time: a slow evaluator over stored events, written from event-replays.md §1.5 alone, finds the same events.

Hypothesis makes events as senders may spell them (escapes for any character, numbers in any notation, white space and line feeds anywhere)
and queries out of every kind of term. Here every event's envelope is parsed whole and every condition asked; there a chunk's bytes are
searched for needles before any line is parsed. A prefilter may never lose an event.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapedeck.events import chunks, lucene
from tapedeck.events.model import Event

TEAM, COLLECTION = "3f0c9a52", "Web shop"
NOON = 1_772_712_000_000

# --- Events, as they are sent -------------------------------------------------------------------------------------------------------------

# fmt: off
WORDS = (
    "payment.failed", "Payment", "paid", "payment failed", "failed payment", "PAYMENT.FAILED.twice", "straße", "STRASSE", "İstanbul",
    "istanbul", "\u212aelvin", "kelvin", "ﬁn", "FIN", "ſoft", "soft", "ǰ", "500", "5e2", "500.0", "-1", "true", "FALSE", "null", "日本語", "日本 語",
    "a/b", 'q"x', "back\\slash", "", " ", "2026-03-05", "2026-03-05T12:00:00Z", "2026-03-05T13:00:00+01:00", "été", "ÉTÉ", "e\u0301te", "ΟΔΟΣ",
    "οδος", "\x01", "tab\there", "line\nfeed", "a_b", "don't", "*", "a*b", "x?y", "\\u0061", "😀", "\u2028", "x", "é", "ss", "\x7f", "c++", "u1",
)
NAMES = ("type", "user", "a", "b", "a.b", "b.a", "ключ", 'k"q', "status", "n/m", "Type", "", "client", "payload", "batch", "event_name", "pm_id", "größe")
NUMBERS = (0, 1, 5, 500, -1, 0.5, 1.5, 500.25, 10**6, 2**53 + 1, 2**63, 2**64, 10**20 + 1, -(2**63) - 1, 1e20, 1e300, 1e-7, 123456789012345)
# fmt: on
words, names, numbers = st.sampled_from(WORDS), st.sampled_from(NAMES), st.sampled_from(NUMBERS)
payloads = st.recursive(
    st.one_of(words, words, words, numbers, st.booleans(), st.none()),
    lambda inner: st.one_of(st.dictionaries(names, inner, max_size=4), st.lists(inner, max_size=3)),
    max_leaves=10,
)


def notations(number: float) -> list[str]:
    """Ways to write a number that a JSON parser reads as that number."""
    plain = json.dumps(number)
    forms = [plain, plain.upper()]
    if isinstance(number, int):
        forms += [f"{number}.0", f"{number}e0", f"{number}.0E-0", f"{number}.000", f"{number}.00e+0"]
        if number and number % 100 == 0:
            forms += [f"{number // 100}e2", f"{number // 100}.0E+2"]
        forms = [form for form in forms if json.loads(form) == number]
    return forms


def spelled(value: Any, chance: Any) -> str:
    """JSON of a value, in one of the ways in which it can be written."""
    gap = chance.choice(["", "", "", " ", "\n", "\t", "\r\n"])
    if isinstance(value, dict):
        return (
            "{" + f"{gap},".join(f"{gap}{spelled(name, chance)}{gap}:{spelled(inner, chance)}" for name, inner in value.items()) + gap + "}"
        )
    if isinstance(value, list):
        return "[" + f"{gap},".join(spelled(inner, chance) for inner in value) + gap + "]"
    if isinstance(value, str):
        return gap + '"' + "".join(letter(each, chance) for each in value) + '"'
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return gap + chance.choice(notations(value))
    return gap + json.dumps(value)


def letter(each: str, chance: Any) -> str:
    usual = json.dumps(each, ensure_ascii=chance.random() < 0.5)[1:-1]
    if each == "/" and chance.random() < 0.5:
        return "\\/"
    if chance.random() < 0.05 and ord(each) < 0x10000:
        return chance.choice(["\\u%04x", "\\u%04X"]) % ord(each)
    return usual


@st.composite
def events(draw: Callable[[Any], Any], number: int) -> Event:
    return Event(
        id=f"{number:024x}",
        name=draw(words),
        app=draw(words),
        server=draw(st.sampled_from(["", "web-1", "500"])),
        at=NOON,
        pm_id=draw(st.none() | st.sampled_from([0, 5, -1, 500])),
        rev=draw(st.none() | words),
        user=draw(st.none() | words),
        data=msgspec.Raw(spelled(draw(payloads), draw(st.randoms(use_true_random=False))).strip().encode()),
    )


# --- The envelope (§1.2) ------------------------------------------------------------------------------------------------------------------


def envelope(event: Event, received: int) -> dict[str, Any]:
    told = {
        "event_name": event.name,
        "app_name": event.app,
        "server_name": event.server,
        "pm_id": event.pm_id,
        "rev": event.rev,
        "user": event.user,
    }
    at = datetime.fromtimestamp(received / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    info = {"date_human": at, "date_string": f"{received}000000", "request_id": event.id, "source": COLLECTION}
    return {
        "batch": {"info": info, "team": {"id": TEAM}},
        "client": {
            "metadata": {name: str(value) for name, value in told.items() if value is not None},
            "payload": json.loads(bytes(event.data), parse_int=whole),
        },
    }


def whole(digits: str) -> float:
    """What is beyond 64 bits is a float, as every reader of JSON here has it."""
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


def at_path(value: Any, path: list[str], objects: bool = False) -> list[Any]:
    """Everything to which a path leads, through the elements of arrays; a name may have dots."""
    if isinstance(value, list):
        return [found for element in value for found in at_path(element, path, objects)]
    if not path:
        return [] if value is None or (isinstance(value, dict) and not objects) else [value]
    if not isinstance(value, dict):
        return []
    return [
        found
        for count in range(1, len(path) + 1)
        if ".".join(path[:count]) in value
        for found in at_path(value[".".join(path[:count])], path[count:], objects)
    ]


def lookup(whole: dict[str, Any], field: str, objects: bool = False) -> list[Any]:
    for root in (whole, whole["client"]["payload"], whole["client"]["metadata"]):
        if found := at_path(root, field.split("."), objects):
            return found
    return []


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


# --- What is asked of a value -------------------------------------------------------------------------------------------------------------


def number_of(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
            return None
        return whole(value) if re.fullmatch(r"[+-]?[0-9]+", value) else float(value)
    return value


def instant_of(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def text_of(value: Any) -> str:
    return (value if isinstance(value, str) else orjson.dumps(value).decode()).casefold()


def by_value(text: str, value: Any) -> bool:
    if isinstance(value, bool):
        return text.casefold() == json.dumps(value)
    return number_of(text) is not None and number_of(text) == value


def is_text(text: str, value: Any) -> bool:
    if not isinstance(value, str):
        return by_value(text, value)
    small = value.casefold()
    return text.casefold() in (small, *small.split(), *re.findall(r"\w+", small))


def is_phrase(text: str, value: Any) -> bool:
    if not isinstance(value, str):
        return by_value(text, value)
    small, wanted = value.casefold(), re.findall(r"\w+", text.casefold())
    tokens = re.findall(r"\w+", small)
    return text.casefold() == small or (bool(wanted) and any(tokens[at : at + len(wanted)] == wanted for at in range(len(tokens))))


def is_glob(parts: list[str], value: Any) -> bool:
    """Parts are "*", "?" or a small letter in a list of its own."""
    pattern = "".join({"*": ".*", "?": "."}[part] if isinstance(part, str) else re.escape(part[0]) for part in parts)
    small = text_of(value)
    tokens = [*small.split(), *re.findall(r"\w+", small)] if isinstance(value, str) else []
    return any(re.fullmatch(pattern, each, re.DOTALL) for each in (small, *tokens))


def compared(value: Any, bound: str) -> tuple[Any, Any]:
    for read in (number_of, instant_of):
        sides = read(value), read(bound)
        if None not in sides:
            return sides
    return text_of(value), bound.casefold()


def is_between(lower: str | None, upper: str | None, closed: tuple[bool, bool], value: Any) -> bool:
    if lower is not None and upper is not None and (ends := compared(lower, upper))[0] > ends[1]:
        return False
    above = below = True
    if lower is not None:
        left, right = compared(value, lower)
        above = left >= right if closed[0] else left > right
    if upper is not None:
        left, right = compared(value, upper)
        below = left <= right if closed[1] else left < right
    return above and below


# --- Queries, and what they mean ----------------------------------------------------------------------------------------------------------

Meaning = Callable[[dict[str, Any]], bool]


@dataclass(frozen=True)
class Query:
    """A query with what it means of an envelope."""

    text: str
    means: Meaning

    def __repr__(self) -> str:
        return self.text


FIELDS = (
    *(
        "type",
        "user",
        "a",
        "b",
        "a.b",
        "b.a",
        "a.a",
        "a.b.a",
        "ключ",
        'k"q',
        "status",
        "n/m",
        "Type",
        "größe",
        "user.type",
        "nothing",
        "a..b",
    ),
    *("event_name", "app_name", "server_name", "pm_id", "rev", "client.metadata.user", "client.metadata.rev", "client.payload"),
    *("client.payload.type", "client.payload.a.b", "batch.info.date_human", "batch.info.date_string", "batch.info.request_id"),
    *("batch.info.source", "batch.team.id", "batch", "client", "client.metadata", "payload", "date_human"),
)


def escaped(text: str) -> str:
    return "".join(each if each.isalnum() or each in "_." else f"\\{each}" for each in text)


def unfielded(test: Callable[[Any], bool]) -> Meaning:
    return lambda whole: any(map(test, leaves([whole["client"]["payload"], whole["client"]["metadata"]])))


def fielded(field: str, test: Callable[[Any], bool]) -> Meaning:
    return lambda whole: any(map(test, lookup(whole, field)))


@st.composite
def terms(draw: Callable[[Any], Any]) -> Query:
    field = draw(st.none() | st.sampled_from(FIELDS))
    head = "" if field is None else escaped(field) + draw(st.sampled_from([":", ": "]))
    kind = draw(st.sampled_from(["text", "text", "phrase", "glob", "range", "exists"]))
    if kind == "exists":
        if field is None:
            return Query(draw(st.sampled_from(["*", "*:*", "**"])), lambda _: True)
        text = draw(st.sampled_from([f"{head}*", f"_exists_:{escaped(field)}", f"{head}[* TO *]"]))
        return Query(text, lambda whole: bool(lookup(whole, field, objects=True)))
    value = draw(
        st.one_of(words, words, numbers.map(json.dumps), st.sampled_from(["500.00", "5E2", "+5", "false", COLLECTION, TEAM, "web", "y"]))
    )
    if kind == "text" and value:
        text, test = escaped(value), lambda found: is_text(value, found)
    elif kind in ("text", "phrase"):
        quote = draw(st.sampled_from(["'", '"']))
        text = quote + value.replace("\\", "\\\\").replace(quote, f"\\{quote}") + quote
        test = lambda found: is_phrase(value, found)  # noqa: E731
    elif kind == "glob":
        parts: list[Any] = [[each] for each in value.casefold()]
        for at, wildcard in draw(st.lists(st.tuples(st.integers(0, len(parts)), st.sampled_from("*?")), min_size=1, max_size=4)):
            parts.insert(at, wildcard)
            if draw(st.booleans()) and at + 1 < len(parts) and isinstance(parts[at + 1], list):
                del parts[at + 1]
        text, test = "".join(part if isinstance(part, str) else escaped(part[0]) for part in parts), lambda found: is_glob(parts, found)
        if set(text) == {"*"}:
            return draw(terms())
    else:
        bounds = st.one_of(
            words.filter(bool), numbers.map(json.dumps), st.sampled_from(["2026-03-05T12:00:00.001Z", "1772712000000000000", "2026"])
        )
        lower, upper = draw(st.none() | bounds), draw(st.none() | bounds)
        closed = draw(st.booleans()), draw(st.booleans())
        test = lambda found: is_between(lower, upper, closed, found)  # noqa: E731
        if lower is None and upper is None:
            return draw(terms())
        text = f"{'{['[closed[0]]}{escaped(lower) if lower else '*'} TO {escaped(upper) if upper else '*'}{'}]'[closed[1]]}"
        if upper is None and draw(st.booleans()):
            text = f">{'='[: closed[0]]}{escaped(lower or '')}"
    return Query(head + text, unfielded(test) if field is None else fielded(field, test))


def negations(of: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    signs = st.sampled_from(["NOT ", "!", "-"])
    return st.builds(lambda sign, query: Query(f"{sign}({query.text})", lambda whole: not query.means(whole)), signs, of)


def conjunctions(of: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    joined = st.lists(of, min_size=2, max_size=3)
    return st.builds(
        lambda word, each: Query(f" {word} ".join(f"({one.text})" for one in each), lambda whole: all(one.means(whole) for one in each)),
        st.sampled_from(["AND", "&&"]),
        joined,
    )


def unparenthesized(first: Query, second: Query, third: Query) -> Query:
    """AND binds tighter than OR."""
    return Query(
        f"{first.text} OR {second.text} AND {third.text}", lambda whole: first.means(whole) or (second.means(whole) and third.means(whole))
    )


def beside(signed: list[tuple[str, Query]]) -> Query:
    """As in Lucene: what must be, what must not be, and one of the others unless something must be."""

    def means(whole: dict[str, Any]) -> bool:
        found = {sign: [one.means(whole) for other, one in signed if other == sign] for sign in "+- "}
        return all(found["+"]) and not any(found["-"]) and (bool(found["+"]) or not found[" "] or any(found[" "]))

    return Query(" ".join(f"{sign.strip()}({one.text})" for sign, one in signed), means)


queries = st.recursive(
    terms(),
    lambda inner: st.one_of(
        negations(inner),
        conjunctions(inner),
        st.lists(inner, min_size=2, max_size=3).map(
            lambda each: Query(" OR ".join(f"({one.text})" for one in each), lambda whole: any(one.means(whole) for one in each))
        ),
        st.builds(unparenthesized, terms(), terms(), terms()),
        st.lists(st.tuples(st.sampled_from("+- "), inner), min_size=2, max_size=4).map(beside),
    ),
    max_leaves=4,
)


# --- Queries that are about these events --------------------------------------------------------------------------------------------------


def with_paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves, each with a path that leads there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from with_paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from with_paths(inner, path)
    elif value is not None:
        yield path, value


@st.composite
def aimed(draw: Callable[[Any], Any], envelopes: list[dict[str, Any]]) -> Query:
    """A term made of a value that is there: the whole of it or a part, in some other case, with wildcards."""
    client = [whole["client"] for whole in envelopes]
    path, value = draw(
        st.sampled_from([each for one in client for root in (one, one["payload"], one["metadata"]) for each in with_paths(root)])
    )
    whole = value if isinstance(value, str) else orjson.dumps(value if isinstance(value, bool) else whole_number(value)).decode()
    part = draw(st.sampled_from([whole, whole, *whole.split(), *re.findall(r"\w+", whole)]))
    part = draw(st.sampled_from([part, part.upper(), part.lower(), part.swapcase(), part.casefold()]))
    kind = draw(st.sampled_from(["text", "phrase", "glob", "range"])) if part else "phrase"
    if kind == "text":
        text, test = escaped(part), lambda found: is_text(part, found)
    elif kind == "phrase":
        text, test = '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"', lambda found: is_phrase(part, found)
    elif kind == "glob":
        letters: list[Any] = [[each] for each in part.casefold()]
        first, last = sorted((draw(st.integers(0, len(letters))), draw(st.integers(0, len(letters)))))
        parts = [*letters[:first], draw(st.sampled_from("*?")), *letters[last:]]
        if parts == ["*"]:
            parts = ["?", "*"]
        text, test = "".join(each if isinstance(each, str) else escaped(each[0]) for each in parts), lambda found: is_glob(parts, found)
    else:
        closed = draw(st.booleans()), draw(st.booleans())
        test = lambda found: is_between(part, part, closed, found)  # noqa: E731
        text = f"{'{['[closed[0]]}{escaped(part)} TO {escaped(part)}{'}]'[closed[1]]}"
    if not path or draw(st.booleans()):
        return Query(text, unfielded(test))
    return Query(f"{escaped(path)}:{text}", fielded(path, test))


def whole_number(number: float) -> float:
    """As readers have it."""
    return float(number) if isinstance(number, int) and not -(2**63) <= number < 2**64 else number


def queries_about(envelopes: list[dict[str, Any]]) -> st.SearchStrategy[Query]:
    one = aimed(envelopes)
    return st.one_of(one, one, conjunctions(one), negations(one), conjunctions(st.one_of(one, negations(terms()))), queries)


# --- The two beside each other ------------------------------------------------------------------------------------------------------------


@st.composite
def collections(draw: Callable[[Any], Any]) -> list[Event]:
    return [draw(events(number)) for number in range(draw(st.integers(1, 4)))]


@settings(
    max_examples=int(os.environ.get("HYPOTHESIS_EXAMPLES", "200")),
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(st.data())
def test_what_is_selected_is_what_is_meant(data: st.DataObject) -> None:
    found, stamped = data.draw(collections()), data.draw(st.booleans())
    times = [NOON + (500 * n if stamped else 0) for n in range(len(found))]
    text = b"\n".join(
        chunks.stamped(chunks.lines(chunks.encode([event])), at if stamped else 0) for event, at in zip(found, times, strict=True)
    )  # a line feed between lines that end in one: erased events
    envelopes = [envelope(event, at) for event, at in zip(found, times, strict=True)]
    asked = data.draw(st.lists(queries_about(envelopes), min_size=1, max_size=5))
    for query in asked:
        compiled = lucene.compile(query.text, team_id=TEAM, collection=COLLECTION)
        expected = [(100 + 2 * n, found[n].id, times[n]) for n, whole in enumerate(envelopes) if query.means(whole)]
        assert [(n, event.id, event.received) for n, event in compiled.select(text, first=100, received=NOON)] == expected, query
