"""The Glue table in template.yaml and the lines of the lake: each knows exactly what the other does, and both what the API presents."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import orjson
import pytest
from hypothesis import given

from tapedeck.session_replays import model
from tapedeck.session_replays.envelope import EventLink
from tapedeck.session_replays.lake import lines, places
from tapedeck.session_replays.merging import link_delta, merge
from tapedeck.session_replays.search.document import Document
from tests.harness import template
from tests.session_replays import test_presenting as presenting
from tests.session_replays.blocks.test_blocks_oracle import thorough
from tests.session_replays.search.test_oracle import Story, many_stories

SCALARS = (
    "user.id user.email user.username user.ip user.geo.city user.geo.region user.geo.subdivision user.geo.country_code sdk.name sdk.version "
    "os.name os.version browser.name browser.version device.name device.brand device.model device.family environment platform dist "
    "replay_type ota_updates.channel ota_updates.runtime_version ota_updates.update_id"
)
LISTS = {"urls": ["/a\n\u2028b"], "error_ids": ["e" * 32], "trace_ids": ["t" * 32], "tags": {"Plan": "free", "plan": "pro"}}
FULL = merge(
    presenting.segment(
        clicks=(presenting.click(1, *("a b",) * 10),), scalars=dict.fromkeys(SCALARS.split(), "x"), release="1.0", **LISTS
    ),
    link_delta(EventLink("f" * 32, presenting.REPLAY, "error", 1_700_000_001.0, "x")),
)


CLICK = [field.alias or name for name, field in model.Click.model_fields.items()]


@cache
def table() -> dict[str, Any]:
    """The table as CloudFormation makes it."""
    deployed = template.load(parameters=(("Stage", "prod"), ("RetentionDays", "30")))
    [(_, resource)] = deployed.of_type("AWS::Glue::Table")
    told: dict[str, Any] = deployed.resolve(resource["Properties"]["TableInput"])
    return told


def columns() -> dict[str, str]:
    """Column → Hive type."""
    said = table()["StorageDescriptor"]["Columns"]
    assert len({each["Name"] for each in said}) == len(said)
    return {each["Name"]: each["Type"] for each in said}


def fits(value: Any, kind: str) -> bool:
    """Whether a JSON value is of a Hive type, all the way down."""
    if value is None:
        return True
    if kind == "string":
        return type(value) is str
    if kind == "double":
        return type(value) is float
    if kind == "bigint":
        return type(value) is int and -(2**63) <= value < 2**63
    outer, inner = re.fullmatch(r"(array|map|struct)<(.*)>", kind).groups()  # type: ignore[union-attr]
    if outer == "array":
        return type(value) is list and all(fits(each, inner) for each in value)
    if outer == "map":
        key, _, rest = inner.partition(",")
        return type(value) is dict and all(fits(name, key) and fits(each, rest) for name, each in value.items())
    members = dict(member.split(":") for member in inner.split(","))
    return type(value) is dict and set(value) == set(members) and all(fits(value[name], members[name]) for name in value)


def told(document: Document) -> dict[str, Any]:
    said = lines.line(document.row, 7, document.project_id, document.replay_id, 3)
    assert said.endswith(b"\n")
    assert said.count(b"\n") == 1, "a line is a line"
    assert (lines.replay_of(said), lines.version_of(said)) == (document.replay_id, 3)
    found: dict[str, Any] = orjson.loads(said)
    return found


@thorough
@given(many_stories.filter(bool))
def test_every_line_fits_the_table(many: list[Story]) -> None:
    for story in many:
        document = story.document()
        if not document.row.get("archived"):
            line = told(document)
            assert set(line) == set(columns())
            assert {name: value for name, value in line.items() if not fits(value, columns()[name])} == {}


def test_a_line_that_has_everything_fits_the_table() -> None:
    """Nothing of it is null, so that no column has a type that was never looked at."""
    line = told(Document(presenting.REPLAY, 1, FULL))
    assert [name for name, value in line.items() if value in (None, [], {}) and name not in ("warning_ids", "info_ids")] == []
    assert {name: value for name, value in line.items() if not fits(value, columns()[name])} == {}
    assert line["tags"] == {"Plan": ["free"], "plan": ["pro"]}, "names that differ in case are two"
    assert line["clicks"] == [{name.removeprefix("click."): ["a", "b"] if name.endswith("classes") else "a b" for name in CLICK}]


def test_a_member_of_the_api_is_a_column_or_left_out_on_purpose() -> None:
    """A new member that is forgotten in the table fails here, whether or not any replay has it yet."""
    names = set(_names(model.Replay.model_json_schema()))
    assert names - set(columns()) == set(lines.LEFT_OUT)
    assert set(columns()) - names == {"version", "organization_id"}


def test_a_type_that_does_not_fit_is_seen() -> None:
    """The test's own check can fail."""
    for value, kind in ((1, "string"), ("1", "bigint"), (True, "bigint"), (2**63, "bigint"), ("1", "double"), ([1], "array<string>"), ({"a": "b"}, "map<string,array<string>>")):
        assert not fits(value, kind)
    assert not fits([{"a": "x", "b": "y"}], "array<struct<a:string>>")


def test_folders_are_the_table_s_partitions() -> None:
    """What is projected is where lines are; by engines that read `name=value` as well."""
    key = places.object_key(7, 3, places.place(1_772_704_800.0, "pack", 0))
    assert key == "lake/replays/org=7/project=3/day=2026-03-05/pack-0.ndjson.gz"
    assert places.project_of(key) == 3
    parameters, storage = table()["Parameters"], table()["StorageDescriptor"]
    where = parameters["storage.location.template"]
    for name, value in (("org", "7"), ("project", "3"), ("day", "2026-03-05")):
        where = where.replace("${" + name + "}", value)
    bucket = template.load(parameters=(("Stage", "prod"),)).physical_id("RecordingsBucket")
    assert f"s3://{bucket}/{key}".rpartition("/")[0] + "/" == where
    assert f"s3://{bucket}/{places.PREFIX}" == storage["Location"]
    assert [each["Name"] for each in table()["PartitionKeys"]] == re.findall(r"(\w+)=", key)
    assert set(columns()) & {each["Name"] for each in table()["PartitionKeys"]} == set(), "Hive takes no name twice"
    assert parameters["projection.day.range"] == "NOW-30DAYS,NOW"


def test_athena_answers_where_answers_expire() -> None:
    deployed = template.load(parameters=(("Stage", "prod"),))
    [(_, group)] = deployed.of_type("AWS::Athena::WorkGroup")
    said = deployed.resolve(group["Properties"]["WorkGroupConfiguration"])
    bucket = deployed.physical_id("RecordingsBucket")
    assert said["EnforceWorkGroupConfiguration"]
    assert said["ResultConfiguration"]["OutputLocation"] == f"s3://{bucket}/{places.ANSWERS}"
    [(_, stored)] = deployed.of_type("AWS::S3::Bucket")
    rules = {rule["Prefix"]: int(rule["ExpirationInDays"]) for rule in deployed.resolve(stored["Properties"])["LifecycleConfiguration"]["Rules"] if "Prefix" in rule}
    assert rules[places.ANSWERS] == 1
    assert rules["lake/"] == 90


@pytest.mark.parametrize(("day", "over"), [("2026-01-30", True), ("2026-01-31", False), ("2026-03-05", False), ("1970-01-01", True)])
def test_a_day_is_over_when_all_that_began_in_it_has_been_for_a_day(day: str, over: bool) -> None:
    """At 2026-03-03 00:00:01 with thirty days: the last of the 30th of January was to be kept until the 1st of March was over, and was for a day more."""
    assert places.is_over(day, 1_772_496_001.0, 30 * 86400) == over


def _names(schema: dict[str, Any], prefix: str = "") -> list[str]:
    """The members of a shape, as a line names them."""
    found = []
    for name, member in schema["properties"].items():
        inner = next((schema["$defs"][part["$ref"].rpartition("/")[2]] for part in (member, *member.get("anyOf", ())) if "$ref" in part), None)
        if inner is not None and "properties" in inner:
            found += _names({**inner, "$defs": schema["$defs"]}, f"{prefix}{name}_")
        else:
            found.append(prefix + name)
    return found
