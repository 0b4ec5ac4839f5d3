"""eventbridge destinations, on moto's event buses."""

from __future__ import annotations

from typing import Any

import pytest

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.harness import System

OWN = "123456789012"
BUS = f"arn:aws:events:us-east-1:{OWN}:event-bus/tapedeck-dest-bus"


def test_entries_have_the_data_as_their_detail(system: System) -> None:
    system.client("events").create_event_bus(Name="tapedeck-dest-bus")
    made = make(system, type="eventbridge", metadata={"event_bus_arn": BUS, "source": "shop"})
    with system.cloud.watch() as calls, opened(system, made) as sender:
        assert [outcome.ok for outcome in sender.send(deliveries(b'{ "n": 1.0 }', {"n": 2}, name="n" * 200))] == [True, True]
        assert sender.check().ok
    [entries] = [call.params["Entries"] for call in calls if call.operation == "PutEvents"]
    assert [each["Detail"] for each in entries] == ['{ "n": 1.0 }', '{"n":2}']
    assert {(each["EventBusName"], each["Source"], each["DetailType"]) for each in entries} == {(BUS, "shop", "n" * 128)}
    assert entries[0]["Resources"] == [f"{REPLAY}:69a95ce00000000000000000"]


def test_what_is_no_object_fails_for_good_and_the_others_are_sent(system: System) -> None:
    system.client("events").create_event_bus(Name="tapedeck-dest-bus")
    made = make(system, type="eventbridge", metadata={"event_bus_arn": BUS})
    with opened(system, made) as sender:
        outcomes = sender.send(deliveries(1, {"a": 1}, b"[1]", b' \n{"a":2}'))
    assert [outcome.ok for outcome in outcomes] == [False, True, False, True]
    assert (outcomes[0].retry, outcomes[0].message) == (False, "the data are no JSON object")


def test_entries_that_fail_are_those_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(system, type="eventbridge", metadata={"event_bus_arn": BUS})
    with opened(system, made) as sender:
        client: Any = sender.client  # type: ignore[attr-defined]
        said = {"FailedEntryCount": 2, "Entries": [{"EventId": "1"}, {"ErrorCode": "ThrottlingException"}, {"ErrorCode": "MalformedDetail"}]}
        monkeypatch.setattr(client, "put_events", lambda **_: said)
        outcomes = sender.send(deliveries({}, {}, {}))
    assert [(outcome.ok, outcome.retry, outcome.message) for outcome in outcomes] == [
        (True, False, ""), (False, True, "ThrottlingException"), (False, False, "MalformedDetail"),
    ]  # fmt: skip
