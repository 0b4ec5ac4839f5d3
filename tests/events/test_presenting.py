"""The array of a bucket's events, held against its shape and against the bytes that were sent."""

from __future__ import annotations

import json

import msgspec
import orjson
import pytest

from tapedeck.events import parsing, shapes
from tapedeck.events.model import Event
from tapedeck.events.presenting import elements

SENT = b'{"sum": 12.50,\n "text":"\\u00e9\\/", "big": 1e2}'


def test_an_element_has_what_the_agent_sent_and_what_the_description_names() -> None:
    """Decision 19: "element: `_id name event_name app_name server_name at timestamp(ms) data process{name,server,pm_id,rev}`"."""
    body = b'{"name":"order","at":1795219200250,"process":{"name":"api","server":"web-1","pm_id":3,"rev":"4f2a"},"data":' + SENT + b"}"
    events = parsing.bucket_records(body, now=1_795_219_300.0, unique="0123456789")
    assert json.loads(elements(events)) == [
        {
            "_id": events[0].id,
            "name": "order",
            "event_name": "order",
            "app_name": "api",
            "server_name": "web-1",
            "at": "2026-11-21T00:00:00.250Z",
            "timestamp": 1_795_219_200_250,
            "data": {"sum": 12.5, "text": "é/", "big": 100.0},
            "process": {"name": "api", "server": "web-1", "pm_id": 3, "rev": "4f2a"},
        }
    ]


def test_data_are_as_they_were_sent() -> None:
    assert SENT in elements([Event(id="0" * 24, name="n", app="a", server="s", at=0, data=msgspec.Raw(SENT))])


@pytest.mark.parametrize("data", [b"null", b"[]", b'"x"', b"1.0", SENT])
def test_every_element_has_its_shape(data: bytes) -> None:
    events = [
        Event(id="6553f1000123456789000007", name='"', app="", server="", at=1, data=msgspec.Raw(data)),
        Event(
            id="6553f1000123456789000008",
            name="é",
            app="a",
            server="s",
            at=1_700_000_000_000,
            pm_id=1,
            rev="r",
            user="u",
            data=msgspec.Raw(data),
        ),
    ]
    written = elements(events)
    assert len(shapes.BucketEvents.model_validate_json(written).root) == 2
    assert [element["data"] for element in orjson.loads(written)] == [orjson.loads(data)] * 2
    assert "user" not in orjson.loads(written)[1], "whose it is is ours to know"


def test_no_events_are_an_empty_array() -> None:
    assert elements([]) == b"[]"
