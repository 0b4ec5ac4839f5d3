"""Where destinations are kept: conditional writes, and health that no edit waits for."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from botocore.exceptions import ClientError

from tapedeck import aws
from tapedeck.errors import Conflict, NotFound
from tapedeck.event_replays.destinations import store
from tapedeck.event_replays.destinations.model import Destination, Health, Outcome, later
from tests.event_replays.destinations.asking import ask, make
from tests.harness import System


def one(system: System) -> Destination:
    """A destination of acme's."""
    return store.read(system.acme.id, make(system)["id"])


def test_two_edits_at_once_are_not_both_written(system: System) -> None:
    known = one(system)
    store.save(replace(known, name="first"))
    with pytest.raises(Conflict):
        store.save(replace(known, name="second"))
    assert store.read(system.acme.id, known.id).name == "first"


def test_what_is_written_is_read_again(system: System) -> None:
    known = replace(one(system), max_per_second=7, notifications=["replay.failed"], notes="é")
    assert store.save(known) == store.read(system.acme.id, known.id)


def test_health_and_edits_do_not_wait_for_each_other(system: System) -> None:
    known = one(system)
    store.note_health(known, later("received non-2xx response (500)", latency_ms=12))
    saved = store.save(replace(known, name="renamed"))
    store.note_health(saved, Outcome(True, latency_ms=3))
    assert store.read(system.acme.id, known.id) == replace(saved, health=Health(3, "ok", "", int(system.now)))


def test_the_later_outcome_is_kept(system: System) -> None:
    known = one(system)
    store.note_health(known, Outcome(True))
    system.now -= 30
    store.note_health(known, later("Failed to connect"))
    assert store.read(system.acme.id, known.id).health.status == "ok"


def test_nothing_is_noted_of_what_is_archived_or_unknown(system: System) -> None:
    known = one(system)
    ask(system, "DELETE", f"/{known.id}")
    store.note_health(known, Outcome(True))
    store.note_health(replace(known, id="00000000-0000-4000-8000-000000000000"), Outcome(True))
    assert [each.health.status for each in store.of_organization(system.acme.id)] == ["pending"]


@pytest.mark.parametrize("name", ["", "x", "*", "00000000-0000-4000-8000-000000000000", "a" * 5000, "\x00"])
def test_what_is_no_id_is_unknown(system: System, name: str) -> None:
    with pytest.raises(NotFound):
        store.read(system.acme.id, name)


def test_a_transaction_can_ask_whether_it_is_still_there(system: System) -> None:
    known = one(system)
    aws.client("dynamodb").transact_write_items(TransactItems=[store.still_there(system.acme.id, known.id)])
    ask(system, "DELETE", f"/{known.id}")
    with pytest.raises(ClientError):
        aws.client("dynamodb").transact_write_items(TransactItems=[store.still_there(system.acme.id, known.id)])


def test_a_row_of_a_later_version_is_read(system: System) -> None:
    """trust.md F23."""
    known = one(system)
    key = {"pk": {"S": f"DESTINATION#{system.acme.id}"}, "sk": {"S": known.id}}
    table = system.template.physical_id("ControlTable")
    row = system.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    row["d"] = {"B": orjson.dumps({**orjson.loads(row["d"]["B"]), "colour": "blue"})}
    system.client("dynamodb").put_item(TableName=table, Item=row)
    assert store.read(system.acme.id, known.id) == known
