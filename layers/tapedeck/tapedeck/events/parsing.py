"""What is sent to a bucket or a collection, read as events: every `data` is a slice of the body, byte for byte.

The whole body is read once by orjson, which alone decides what is JSON, and once by msgspec, which only finds where each `data` begins and
ends. Of a name that an object has twice the last one counts: for both of them, and for every JSON.parse there is.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
import orjson

from tapedeck.errors import Invalid, TooLarge
from tapedeck.events.model import Event, id_prefix, moment
from tapedeck.strict_json import MAX_DEPTH, deeper_than

MAX_REQUEST = 6 * 1024 * 1024  #  bytes
MAX_EVENT = 1024 * 1024  #        bytes of one element, as it was sent
MAX_EVENTS = 10_000
MAX_TEXT = 256  #                 characters of a name, an application, a server, a revision, a user's id
# A clock may be wrong; one that is ahead by more than a day is not a clock.
MAX_AHEAD = 86_400_000
# A payload is anybody's: its `at` is taken for a time only if it is one of this century.
_CENTURY = 946_684_800_000
_EXACT = 2**53  #                 beyond it JavaScript's numbers have gaps

T = TypeVar("T")


# --- The two ways in (decision 22) --------------------------------------------------------------------------------------------------------


def bucket_records(body: bytes, *, now: float, unique: str) -> list[Event]:
    """One record, an array of records or agent packets: `{event_name|name, app_name, server_name, at, user, user_id, data, process}`.

    `process` is the agent's `{name, server, pm_id, rev}`: app and server when there is no `app_name`, no `server_name`. Without any app it
    is "ingest", without a server "". `now` (s) is the time of events that tell none; ids are made of it, `unique` (see `id_prefix`) and the
    index. Raises Invalid (`fields` = {"[3].event_name": …}) and TooLarge, naming index and limit.
    """
    records = _elements(body)
    told = _slices(body, records, _RECORDS, _RECORD)
    received, head = int(now * 1000), id_prefix(now, unique)
    clean = _Clean()
    events = []
    for index, (record, said) in enumerate(zip(records, told, strict=True)):
        process = said.process or _NO_PROCESS
        data, name = record.get("data"), said.event_name or said.name
        if not name:
            raise _invalid(index, "event_name", "is required")
        _shallow(said.data, data, index)
        try:
            event = Event(
                id=f"{head}{index:06x}",
                name=clean[name],
                app=clean[said.app_name or process.name or "ingest"],
                server=clean[said.server_name or process.server or ""],
                at=received if said.at is None else _time(said.at, received, index),
                pm_id=process.pm_id,
                rev=clean[process.rev] if process.rev else None,
                user=_owner(record, data, index),
                data=said.data,
            )
        except _Unclean:
            raise _with_control_characters(said, index) from None
        events.append(event)
    return events


def collected(body: bytes, *, now: float, unique: str) -> list[Event]:
    """One payload or an array of payloads: any JSON at all, and all of it is the event's `data`.

    A payload may say what it is: its name is the first usable text of `event_name`, `name`, `event`, `type`, else "event"; its app that of
    `app_name`, `app`, `service`, `process.name`, else "collect"; its server that of `server_name`, `server`, `host`, `process.server`, else
    "". `at` counts when it is a time. What is no use as one of these is data and nothing else; so Invalid and TooLarge, as in
    `bucket_records`, are only for what is not JSON, too deep, too large, and a user's id that cannot be kept.
    """
    payloads = _elements(body)
    wholes = _slices(body, payloads, _WHOLES, _WHOLE)
    received, head = int(now * 1000), id_prefix(now, unique)
    origins: dict[Any, _Origin] = {}
    events = []
    for index, (payload, whole) in enumerate(zip(payloads, wholes, strict=True)):
        _shallow(whole, payload, index)
        if type(payload) is not dict:
            events.append(Event(id=f"{head}{index:06x}", name="event", app="collect", server="", at=received, data=whole))
            continue
        hints, pm_id = tuple(map(payload.get, _HINTS)), None
        if "process" in payload and type(process := payload["process"]) is dict:
            hints += tuple(map(process.get, _HINTS_OF_PROCESS))
            pm_id = _small(process.get("pm_id"))
        try:
            name, app, server, rev = origins[hints]
        except KeyError:
            name, app, server, rev = origins[hints] = _origin(*hints)
        except TypeError:  # one of them is an object or a list
            name, app, server, rev = _origin(*hints)
        events.append(
            Event(
                id=f"{head}{index:06x}",
                name=name,
                app=app,
                server=server,
                at=_plausible(payload.get("at"), received),
                pm_id=pm_id,
                rev=rev,
                user=_owner(payload, payload, index),
                data=whole,
            )
        )
    return events


# --- The frame ----------------------------------------------------------------------------------------------------------------------------


_BLANKS = re.compile(r"[ \t\r\n]*+")
_LENIENT = json.JSONDecoder()
_WHOLE = msgspec.json.Decoder(msgspec.Raw)
_WHOLES = msgspec.json.Decoder(list[msgspec.Raw])


def _elements(body: bytes) -> list[Any]:
    """The values that were sent."""
    if len(body) > MAX_REQUEST:
        raise TooLarge(f"more than {MAX_REQUEST} bytes in a request")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _malformed(body, error) from None
    elements = value if isinstance(value, list) else [value]
    if not elements:
        raise Invalid("no events")
    if len(elements) > MAX_EVENTS:
        raise TooLarge(f"more than {MAX_EVENTS} events in a request")
    return elements


def _slices(body: bytes, elements: list[Any], batch: msgspec.json.Decoder[list[T]], single: msgspec.json.Decoder[T]) -> list[T]:
    """What a decoder cuts out of each element."""
    many = body.lstrip().startswith(b"[")
    try:
        if len(body) > MAX_EVENT:
            for index, whole in enumerate(_WHOLES.decode(body) if many else [_WHOLE.decode(body)]):
                if len(memoryview(whole)) > MAX_EVENT:
                    raise TooLarge(f"[{index}]: more than {MAX_EVENT} bytes in an event")
        return batch.decode(body) if many else [single.decode(body)]
    except msgspec.ValidationError as error:
        raise _misshapen(error) from None
    except RecursionError:
        raise _too_deep(next((i for i, element in enumerate(elements) if deeper_than(element, MAX_DEPTH)), 0)) from None


def _malformed(body: bytes, error: orjson.JSONDecodeError) -> Invalid:
    if not body.strip():
        return Invalid("no events")
    try:
        text, at = body.decode(), error.pos
    except UnicodeDecodeError as broken:
        text, at = body.decode(errors="replace"), len(body[: broken.start].decode())
    return _invalid(_index_at(text, at), "", f"invalid JSON: {error.msg} (character {at})")


def _index_at(text: str, at: int) -> int:
    """The element of an array in which a character is; 0 in what is no array. The standard library reads on where orjson gives up."""
    index, here = 0, _after_blanks(text, 0)
    if not text.startswith("[", here):
        return 0
    with suppress(ValueError, RecursionError):
        while True:
            _, here = _LENIENT.raw_decode(text, _after_blanks(text, here + 1))
            here = _after_blanks(text, here)
            if here >= at or not text.startswith(",", here):
                break
            index += 1
    return index


def _after_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    assert blanks is not None
    return blanks.end()


def _shallow(data: msgspec.Raw, value: Any, index: int) -> None:
    """Raises Invalid for data that are nested too deep; what has too few bytes or brackets for that is not walked."""
    written = bytes(data)
    if len(written) > 2 * MAX_DEPTH and written.count(b"[") + written.count(b"{") > MAX_DEPTH and deeper_than(value, MAX_DEPTH):
        raise _too_deep(index)


def _too_deep(index: int) -> Invalid:
    return _invalid(index, "", f"nested deeper than {MAX_DEPTH}")


def _invalid(index: int, field: str, why: str) -> Invalid:
    return Invalid(fields={f"[{index}]{field and '.'}{field}": [why]})


# --- A record's fields --------------------------------------------------------------------------------------------------------------------

_Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
_Number = Annotated[int, msgspec.Meta(ge=-_EXACT, le=_EXACT)]


class _Process(msgspec.Struct, frozen=True, gc=False):
    name: _Text | None = None
    server: _Text | None = None
    pm_id: _Number | None = None
    rev: _Text | None = None


class _Record(msgspec.Struct, gc=False):
    event_name: _Text | None = None
    name: _Text | None = None
    app_name: _Text | None = None
    server_name: _Text | None = None
    at: int | float | str | None = None
    process: _Process | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")


_NO_PROCESS = _Process()
_RECORD = msgspec.json.Decoder(_Record)
_RECORDS = msgspec.json.Decoder(list[_Record])

# "Expected `str | null`, got `int` - at `$[3].process.name`"; of a lone record the path has no index, and there may be no path.
_MISSHAPEN = re.compile(r"(.*?)(?: - at `\$(?:\[([0-9]+)\])?\.?(.*)`)?", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _misshapen(error: msgspec.ValidationError) -> Invalid:
    match = _MISSHAPEN.fullmatch(str(error))
    assert match is not None
    return _invalid(int(match[2] or 0), match[3] or "", match[1])


class _Unclean(Exception):
    """A text has control characters."""


class _Clean(dict[str, str]):
    """The texts that have none: each is looked at once, and is one object from then on."""

    def __missing__(self, text: str) -> str:
        if _CONTROL.search(text):
            raise _Unclean
        self[text] = text
        return text


def _with_control_characters(said: _Record, index: int) -> Invalid:
    process = said.process or _NO_PROCESS
    texts = {"event_name": said.event_name, "name": said.name, "app_name": said.app_name, "server_name": said.server_name}
    texts |= {"process.name": process.name, "process.server": process.server, "process.rev": process.rev}
    field = next(field for field, text in texts.items() if text and _CONTROL.search(text))
    return _invalid(index, field, "must not have control characters")


def _time(value: int | float | str, received: int, index: int) -> int:
    if type(value) is int and _CENTURY <= value <= received:
        return value
    at = moment(value)
    if at is None:
        raise _invalid(index, "at", "must be milliseconds since the epoch or an ISO 8601 date")
    if not 0 <= at <= received + MAX_AHEAD:
        raise _invalid(index, "at", "must be a time between 1970 and tomorrow")
    return at


# --- Whose it is (decision 21) ------------------------------------------------------------------------------------------------------------


def _owner(record: dict[str, Any], data: Any, index: int) -> str | None:
    """The user's id: of the record or, where it is silent, of its data."""
    owner = None
    if "user" in record:
        owner = _identity(record["user"], index)
    if owner is None and "user_id" in record:
        owner = _identity(record["user_id"], index)
    if owner is None and type(data) is dict:
        if "user" in data and type(data["user"]) is dict:
            owner = _identity(data["user"], index)
        if owner is None and "user_id" in data:
            owner = _identity(data["user_id"], index)
        if owner is None and "userId" in data:
            owner = _identity(data["userId"], index)
    return owner


def _identity(value: Any, index: int) -> str | None:
    """The id in `"u1"`, `42` or `{"id": …}`, without the white space around it; None in anything else, and in an empty text."""
    if type(value) is dict:
        value = value.get("id")
    if type(value) is not str:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            return None
        value = str(value)
    owner = value.strip()
    if len(owner) > MAX_TEXT:  # cut short it would be somebody else, and nobody could be erased by it
        raise _invalid(index, "user", f"must have at most {MAX_TEXT} characters")
    return owner or None


# --- A payload's hints --------------------------------------------------------------------------------------------------------------------

_Origin: TypeAlias = tuple[str, str, str, str | None]  # name, app, server, rev

_HINTS = ("event_name", "name", "event", "type", "app_name", "app", "service", "server_name", "server", "host")
_HINTS_OF_PROCESS = ("name", "server", "rev")


def _origin(*hints: Any) -> _Origin:
    usable = [value if isinstance(value, str) and len(value) <= MAX_TEXT and not _CONTROL.search(value) else "" for value in hints]
    event_name, name, event, kind, app_name, app, service, server_name, server, host, *of_process = usable
    process, machine, rev = of_process or ("", "", "")
    return (
        event_name or name or event or kind or "event",
        app_name or app or service or process or "collect",
        server_name or server or host or machine,
        rev or None,
    )


def _plausible(at: Any, received: int) -> int:
    if type(at) is int and _CENTURY <= at <= received:
        return at
    told = None if at is None else moment(at)
    return told if told is not None and _CENTURY <= told <= received + MAX_AHEAD else received


def _small(number: Any) -> int | None:
    return number if type(number) is int and -_EXACT <= number <= _EXACT else None
