"""The list of all places where the system keeps something: whatever a visit to every function writes is on it, with an eraser or a reason."""

from __future__ import annotations

import re

from tapedeck.deletion_jobs import erasers
from tests.harness import System
from tests.tour import tour

TABLES = {"ControlTable": "control", "ReplaysTable": "replays", "EventsTable": "events"}


def places(system: System) -> set[tuple[str, str]]:
    """(where, name) of everything that has been written: the first word of a partition's key, the first folder of an object's."""
    found = {("bucket", key.partition("/")[0] + "/") for key in system.objects()}
    for call in system.cloud.calls:  # what has been deleted again was there as well
        if call.operation == "PutObject" and call.params["Bucket"] == system.template.physical_id("RecordingsBucket"):
            found.add(("bucket", call.params["Key"].partition("/")[0] + "/"))
        for table, where in TABLES.items():
            if call.service == "dynamodb" and system.template.physical_id(table) in repr(call.params):
                names = re.findall(r"'TableName': '([^']+)'.*?'pk': \{'S': '([^']+)'\}", repr(call.params))
                found |= {(where, partition) for name, partition in names if name == system.template.physical_id(table)}
    for table, where in TABLES.items():
        found |= {(where, item["pk"]["S"]) for item in system.items(table)}
    return {(where, re.sub(r"#.*", "#", name)) for where, name in found}


def test_every_place_that_anything_is_written_to_is_on_the_list() -> None:
    """A table prefix or a folder that nobody has thought of when a person is erased fails here."""
    with System(Stage="staging") as system:
        tour(system)
        written = places(system)
    listed = {(place.where, place.prefix) for place in erasers.PLACES}
    assert written - listed == set(), "enter them in deletion_jobs/erasers.py: with an eraser, or with the reason why nobody is in them"
    assert {("replays", "R#"), ("events", "C#"), ("bucket", "rec/"), ("control", "ERASURE#")} <= written, "the tour goes everywhere"


def test_every_place_has_an_eraser_or_a_reason_and_every_eraser_a_place() -> None:
    names = {eraser.name for eraser in erasers.ERASERS}
    assert {place.eraser for place in erasers.PLACES} - {None} == names
    assert len({(place.where, place.prefix) for place in erasers.PLACES}) == len(erasers.PLACES)
    assert all(len(place.how) > 10 for place in erasers.PLACES)


def test_every_table_and_bucket_of_the_template_is_looked_at() -> None:
    with System(Stage="staging") as system:
        assert {name for name, _ in system.template.of_type("AWS::DynamoDB::Table")} == set(TABLES)
        assert [name for name, _ in system.template.of_type("AWS::S3::Bucket")] == ["RecordingsBucket"]
