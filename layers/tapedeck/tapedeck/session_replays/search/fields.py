"""What a query may speak of, in one table: a row a field, its names, its type and where a document keeps it (contract §2.3).

With the table, a term of the language becomes a condition: an operator that the field's type knows, and values as the documents have
them. A new field is a new row. Whatever is in no row is a tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from tapedeck.errors import Invalid
from tapedeck.ids import parse_uuid
from tapedeck.session_replays import counting, merging
from tapedeck.session_replays.merging import Row
from tapedeck.session_replays.recording import TEXTS, Click
from tapedeck.session_replays.search import selectors, wildcards
from tapedeck.session_replays.search.document import Document
from tapedeck.session_replays.search.language import Term

# --- Types: how values are written --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Type:
    """How a field's values are written, and what may be asked of them besides equality.

    `parse` makes a document's value of a text, and raises Invalid, naming the key, when it cannot.
    """

    parse: Callable[[str, str], Any]
    single: bool = False  #     a document has one value, or None; else any number of them
    comparable: bool = False  # knows > >= < <= = !=
    listable: bool = True  #    knows [a, b]
    wild: bool = False  #       knows *
    negatable: bool = True
    optional: bool = True  #    "" asks for the documents that have no value
    kept: str = "texts"  #      the section of a block that keeps it: numbers, texts, references, or elements (blocks/format.py)
    parse_item: Callable[[str, str], Any] | None = None  # in a list, where that is different


_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?([a-zA-Z]*)")
_THOUSANDS = {"": 1, "k": 1000, "m": 1_000_000, "b": 1_000_000_000}
# fmt: off
_MILLISECONDS = {
    "": 1, "ms": 1, "s": 1000, "min": 60_000, "m": 60_000, "hr": 3_600_000, "h": 3_600_000, "day": 86_400_000, "d": 86_400_000,
    "wk": 604_800_000, "w": 604_800_000,
}
# fmt: on


def _scaled(key: str, text: str, units: Mapping[str, int]) -> tuple[int, int]:
    """A decimal number with its unit, exactly: a numerator and a denominator."""
    found = _NUMBER.fullmatch(text)
    if found is None or found[4] not in units:
        raise Invalid(f"{key}: Invalid number: {text}. Expected number then optional k, m, or b suffix (e.g. 500k).")
    sign, whole, fraction, unit = found.groups("")
    return int(sign + whole + fraction) * units[unit], 10 ** len(fraction)


def _number(key: str, text: str) -> int:
    """A fraction is cut off."""
    over, under = _scaled(key, text.lower(), _THOUSANDS)
    return over // under if over >= 0 else -(-over // under)


def _seconds_only(key: str, scaled: tuple[int, int]) -> int:
    milliseconds, rest = divmod(scaled[0], scaled[1])
    if rest or milliseconds % 1000:
        raise _unparsable(key, "Replays only supports second-resolution timestamps at this time. Try 'Ns' instead.")
    return milliseconds


def _duration(key: str, text: str) -> int:
    return _seconds_only(key, _scaled(key, text, _MILLISECONDS))


def _bare_duration(key: str, text: str) -> int:
    return _seconds_only(key, _scaled(key, text, {"": 1}))


def _boolean(key: str, text: str) -> bool:
    found = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
    if found is None:
        raise Invalid(f"{key}: Invalid boolean: {text}. Expected true, 1, false, or 0.")
    return found


def _truth(key: str, text: str) -> bool:
    found = {"true": True, "false": False}.get(text.lower())
    if found is None:
        raise _unparsable(key)
    return found


def _uuid(key: str, text: str) -> str:
    found = parse_uuid(text)
    if found is None:
        raise _unparsable(key, "Failed to parse uuid.")
    return found


def _integer(key: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", text):
        raise _unparsable(key, "Failed to parse int.")
    return int(text)


def _ipv4(key: str, text: str) -> str:
    parts = text.split(".")
    if len(parts) != 4 or not all(re.fullmatch(r"0|[1-9][0-9]{0,2}", part) and int(part) < 256 for part in parts):
        raise _unparsable(key, "Invalid IPv4")
    return text


def _text(_key: str, text: str) -> str:
    return wildcards.literal(text)


def _selector(_key: str, text: str) -> selectors.Selector:
    return selectors.parse(text)


def _unparsable(key: str, detail: str = "") -> Invalid:
    return Invalid(f"Could not parse value for `{key}`." + (f" Detail: {detail}" if detail else ""))


NUMBER = Type(_number, single=True, comparable=True, kept="numbers")
DURATION = Type(_duration, single=True, comparable=True, parse_item=_bare_duration, kept="numbers")  # milliseconds
BOOLEAN = Type(_boolean, single=True, listable=False, kept="numbers")
UUID = Type(_uuid, kept="references")
USER_ID = Type(_integer)
ME = Type(_truth, listable=False, negatable=False, optional=False)  # whether the one who asks is among the values
IP = Type(_ipv4)
TEXT = Type(_text, wild=True)
SELECTOR = Type(_selector, listable=False, optional=False)  # its values are the texts of clicked elements


# --- Conditions: terms that have been understood ------------------------------------------------------------------------------------------


Element: TypeAlias = Callable[[int, Sequence[str]], Sequence[Any]]
CLICKED = "click"  # the column of clicked elements


@dataclass(frozen=True, slots=True)
class Field:
    """Something that has values in what is searched: `read` finds the value of a `single` type, and all the values of any other.

    `place` says the same as `read` where a row keeps the values as the keys of a mapping in a mapping: the commonest and quickest case.
    `element` says the same of one clicked element, of its anger and its texts. `column` is the column of a block that keeps the field
    (of `CLICKED` where there is an `element`): two fields may share one.
    """

    name: str
    type: Type
    read: Callable[[Any], Any]
    aliases: tuple[str, ...] = ()
    place: tuple[str, str] | None = None
    column: str = ""
    element: Element | None = None

    @property
    def kept_in(self) -> str:
        """The column of a block that keeps it."""
        return self.column or self.name


@dataclass(frozen=True, slots=True)
class Condition:
    """A term on a field. `operator` is one of = != < <= > >= in like; a value None stands for having none; like's are patterns."""

    field: Field
    operator: str
    values: tuple[Any, ...]


def condition(term: Term, field: Field) -> Condition:
    """What a term asks of a field. Raises Invalid, in the contract's words, for values and operators that its type does not know."""
    kind, parse, operator, texts = field.type, field.type.parse, "=", term.values
    if term.operator == "in":
        operator, parse = "in", field.type.parse_item or parse
    elif kind.comparable:
        operator = term.operator or "="
        texts = texts if texts != ("",) else (term.operator,)  # `count_errors:>` has no number: let the complaint show what it has
    else:
        texts = (term.operator + texts[0],)
    if kind.wild and any(map(wildcards.has_star, texts)):
        if operator == "in":
            raise illegal_operator(term.key)
        pattern = wildcards.pattern(texts[0])
        if len(pattern) > wildcards.MAX_PARTS:
            raise Invalid(f"The value of `{term.key}` has more than {wildcards.MAX_PARTS} parts between asterisks.")
        return Condition(field, "like", (pattern,))
    values = tuple(parse(term.key, text) if text or not kind.optional else None for text in texts)
    if operator == "in" and not kind.listable:
        raise illegal_operator(term.key)
    return Condition(field, operator, values)


def illegal_operator(key: str) -> Invalid:
    """The refusal of what a type cannot do."""
    return Invalid(f"Invalid operator specified for `{key}`")


# --- Where things are ---------------------------------------------------------------------------------------------------------------------

_NOTHING: Mapping[str, Any] = {}
Texts = Collection[str]


def _live(count: Callable[[Row], int]) -> Callable[[Document], int | None]:
    """A deleted replay has no numbers."""
    return lambda document: None if "archived" in document.row else count(document.row)


def _linked(level: str) -> Callable[[Row], int]:
    return partial(counting.count_linked, level=level)


def _links(level: str) -> Callable[[Document], Texts]:
    return lambda document: [event_id for event_id, link in document.row.get("links", _NOTHING).items() if link[1] == level]


def _all_error_ids(document: Document) -> Texts:
    """Those that segments named and those of linked events."""
    named: Mapping[str, Any] = document.row.get("error_ids", _NOTHING)
    links = document.row.get("links")
    return named if not links else [*named, *[event_id for event_id, link in links.items() if link[1] == "error"]]


def _kept(key: str, place: tuple[str, str], aliases: tuple[str, ...] = ()) -> Field:
    """A text of which the row's `place` has all that segments gave, be it shown or not."""
    outer, inner = place
    column = key if outer == "scalars" else tag_column(key)
    return Field(key, TEXT, lambda document: document.row.get(outer, _NOTHING).get(inner, _NOTHING), aliases, place, column)


def tag_column(key: str) -> str:
    """The column of a block that keeps a tag."""
    return f"tags.{key}"


def _met(name: str) -> Callable[[Document], Texts]:
    return lambda document: document.row.get(name, _NOTHING)


def _addresses(document: Document) -> Texts:
    """IPv6 is kept and never shown (contract §4): whoever has no other has none."""
    return [address for address in document.row.get("scalars", _NOTHING).get("user.ip", ()) if ":" not in address]


def _urls(document: Document) -> Texts:
    return [url for _, _, url in document.row.get("urls", ())]


def _viewers(document: Document) -> Collection[int]:
    return document.row.get("viewers", ())  # type: ignore[no-any-return]


def _clicked(name: str, kind: Type, element: Element) -> Field:
    """What the clicked elements of a replay have, those that have a tag."""

    def read(document: Document) -> Sequence[Any]:
        slow = document.row.get("slow", _NOTHING)
        clicks = document.row.get("clicks", _NOTHING).items()
        return [value for identity, (_, _, texts) in clicks if texts[0] for value in element(slow.get(identity, 0), texts)]

    return Field(name, kind, read, column=CLICKED, element=element)


def _said(text: str) -> Element:
    place = TEXTS.index(text)
    return lambda _, texts: (texts[place],) if texts[place] else ()


def _classes(_anger: int, texts: Sequence[str]) -> Sequence[str]:
    classes = texts[TEXTS.index("classes")]
    return classes.split(" ") if classes else ()


def _at_least(anger: int) -> Element:
    """The texts themselves, of elements at least so angrily clicked."""
    return lambda known, texts: (texts,) if known >= anger else ()


# --- The table ----------------------------------------------------------------------------------------------------------------------------

# Texts of which a segment has one, with their other names.
_SCALARS: dict[str, tuple[str, ...]] = {
    "browser.name": ("browser",),
    "browser.version": (),
    "device.name": ("device",),
    "device.brand": (),
    "device.family": (),
    "device.model": ("device.model_id",),
    "dist": (),
    "environment": (),
    "os.name": ("os",),
    "os.version": (),
    "platform": (),
    "replay_type": (),
    "sdk.name": ("sdk",),
    "sdk.version": (),
    "ota_updates.channel": (),
    "ota_updates.runtime_version": (),
    "ota_updates.update_id": (),
    "user.id": (),
    "user.email": (),
    "user.username": ("user",),
    "user.geo.city": (),
    "user.geo.country_code": (),
    "user.geo.region": (),
    "user.geo.subdivision": (),
    "tap.message": (),
    "tap.view_class": (),
    "tap.view_id": (),
}
# Search key → the text of a click.
_CLICK_TEXTS = {
    "click.alt": "alt",
    "click.component_name": "component_name",
    "click.id": "id",
    "click.label": "label",
    "click.role": "role",
    "click.tag": "tag",
    "click.testid": "testid",
    "click.textContent": "text",
    "click.title": "title",
}

FIELDS: tuple[Field, ...] = (
    Field("activity", NUMBER, _live(counting.activity)),
    Field("count_dead_clicks", NUMBER, _live(counting.count_dead_clicks)),
    Field("count_errors", NUMBER, _live(_linked("error"))),
    Field("count_infos", NUMBER, _live(_linked("info"))),
    Field("count_rage_clicks", NUMBER, _live(counting.count_rage_clicks)),
    Field("count_segments", NUMBER, _live(merging.count_segments)),
    Field("count_traces", NUMBER, _live(counting.count_traces)),
    Field("count_urls", NUMBER, _live(counting.count_urls), ("count_screens",)),
    Field("count_warnings", NUMBER, _live(_linked("warning"))),
    Field("duration", DURATION, _live(lambda row: counting.duration(row) * 1000)),
    Field("is_archived", BOOLEAN, lambda document: "archived" in document.row),
    Field("id", UUID, lambda document: (document.replay_id,)),
    Field("error_ids", UUID, _all_error_ids, ("error_id",)),
    Field("info_ids", UUID, _links("info"), ("info_id",)),
    Field("trace_ids", UUID, _met("trace_ids"), ("trace_id", "trace")),
    Field("warning_ids", UUID, _links("warning"), ("warning_id",)),
    Field("viewed_by_id", USER_ID, _viewers, ("seen_by_id",)),
    Field("viewed_by_me", ME, _viewers, ("seen_by_me",), column="viewed_by_id"),
    Field("user.ip", IP, _addresses, ("user.ip_address",)),
    Field("releases", TEXT, _met("releases"), ("release",)),
    Field("urls", TEXT, _urls, ("url", "screens", "screen")),
    *(_kept(name, ("scalars", name), aliases) for name, aliases in _SCALARS.items()),
    *(_clicked(name, TEXT, _said(text)) for name, text in _CLICK_TEXTS.items()),
    _clicked("click.class", TEXT, _classes),
    _clicked("click.selector", SELECTOR, _at_least(0)),
    _clicked("dead.selector", SELECTOR, _at_least(counting.DEAD)),
    _clicked("rage.selector", SELECTOR, _at_least(counting.RAGE)),
)


def _by_name(fields: Sequence[Field]) -> dict[str, Field]:
    return {name: field for field in fields for name in (field.name, *field.aliases)}


_OF_REPLAYS = _by_name(FIELDS)
# Keys that Sentry knows as measurements of transactions: a replay has none, and no operator makes sense of its tags.
_MEASUREMENT = re.compile(r"transaction\.duration|(measurements|spans)\..*")


def of_replay(term: Term) -> Condition:
    """What a term asks of a replay."""
    field = None if term.is_tag else _OF_REPLAYS.get(term.key)
    if field is None:
        if not term.is_tag and term.operator not in ("", "in") and _MEASUREMENT.fullmatch(term.key):
            raise illegal_operator(term.key)
        field = tag(term.key)
    return condition(term, field)


def tag(key: str) -> Field:
    """A tag as a field. The SDKs' own tag "transaction" is not shown (contract §4), and so not found."""
    if key == "transaction":
        return Field(key, TEXT, lambda _document: ())
    return _kept(key, ("tags", key))


# --- The clicks of one replay, and the elements clicked in many ---------------------------------------------------------------------------


def _of_click(text: str) -> Callable[[Click], Texts]:
    place = TEXTS.index(text)
    return lambda click: (click.texts[place],) if click.texts[place] else ()


_OF_CLICKS = _by_name(
    (
        *(Field(name, TEXT, _of_click(text)) for name, text in _CLICK_TEXTS.items()),
        Field("click.class", TEXT, lambda click: click.texts[TEXTS.index("classes")].split()),
        Field("click.selector", SELECTOR, lambda click: (click.texts,)),
        Field("dead.selector", SELECTOR, lambda click: (click.texts,) if click.dead else ()),
        Field("rage.selector", SELECTOR, lambda click: (click.texts,) if click.rage else ()),
    )
)
_OF_ELEMENTS = _by_name(
    (
        Field("count_dead_clicks", NUMBER, lambda element: element["count_dead_clicks"]),
        Field("count_rage_clicks", NUMBER, lambda element: element["count_rage_clicks"]),
    )
)


def of_click(term: Term) -> Condition:
    """What a term asks of one click (contract §5)."""
    return condition(term, _supported(term, _OF_CLICKS))


def of_element(term: Term) -> Condition:
    """What a term asks of a row of replay-selectors (contract §1.11)."""
    return condition(term, _supported(term, _OF_ELEMENTS))


def _supported(term: Term, fields: Mapping[str, Field]) -> Field:
    if term.is_tag or term.key not in fields:
        raise Invalid(f"Unsupported search field: {term.key}")
    return fields[term.key]


# --- Order --------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sort:
    """What replays may be sorted by (contract §3). `read` never answers None: who has no value comes before those who have one.

    `kept` is the section of a block that keeps it, in a column of the sort's name; "order" is the order of the block itself.
    """

    name: str
    read: Callable[[Document], Any]
    aliases: tuple[str, ...] = ()
    kept: str = "numbers"


def _shown(name: str) -> Callable[[Document], str]:
    """The value that the replay shows. Texts compare by code point, which is the order of their UTF-8 bytes."""

    def read(document: Document) -> str:
        given = document.row.get("scalars", _NOTHING).get(name, _NOTHING)
        return next(iter(given), "") if len(given) < 2 else merging.scalar(document.row, name) or ""

    return read


def _counted(name: str) -> Callable[[Document], int]:
    read = _OF_REPLAYS[name].read
    return lambda document: -1 if (number := read(document)) is None else number


def began(document: Document) -> int:
    """When it began, in milliseconds, as the index counts it; deleted replays keep their place."""
    return max(0, int(document.row.get("started", 0) * 1000))


SORTS: tuple[Sort, ...] = (
    Sort("started_at", began, kept="order"),
    Sort("finished_at", lambda document: -1 if "archived" in document.row else int(counting.span(document.row)[1])),
    Sort("project_id", lambda document: document.project_id),
    Sort("count_urls", _counted("count_urls"), ("count_screens",)),
    *(
        Sort(name, _counted(name))
        for name in ("activity", "count_dead_clicks", "count_errors", "count_infos", "count_rage_clicks", "count_warnings", "duration")
    ),
    Sort("browser.name", _shown("browser.name"), ("browser",), "texts"),
    Sort("os.name", _shown("os.name"), ("os", "os_name"), "texts"),
    *(
        Sort(name, _shown(name), kept="texts")
        for name in (
            *("browser.version", "device.brand", "device.family", "device.model", "device.name", "dist", "os.version", "platform"),
            *("sdk.name", "user.email", "user.id", "user.username"),
        )
    ),
)


def _camel(name: str) -> str:
    return re.sub(r"_(.)", lambda letter: letter[1].upper(), name)


_SORTS = {spelling: sort for sort in SORTS for name in (sort.name, *sort.aliases) for spelling in (name, _camel(name))}


def sort_of(text: str) -> Sort:
    """The sort that a parameter names, in either spelling, with or without the "-" of a descending one. Raises Invalid for no sort."""
    name = text.removeprefix("-")
    if name not in _SORTS:
        raise Invalid(f"The field `{name[:64]}` is not a sortable field.")
    return _SORTS[name]
