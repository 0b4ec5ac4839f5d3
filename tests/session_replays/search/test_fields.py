"""The table of fields: every name of the contract is in it, numbers are read exactly, and sorts have two spellings."""

from __future__ import annotations

import pytest

from tapedeck.errors import Invalid
from tapedeck.session_replays.merging import archive_delta
from tapedeck.session_replays.presenting import present
from tapedeck.session_replays.search import fields
from tapedeck.session_replays.search.evaluating import is_descending, sort_key
from tapedeck.session_replays.search.language import Term
from tests.session_replays.search.worlds import ID, OTHER, START, click, finds, link, replay, segment

# §2.3, with the aliases of the seed's tables; device.model_id is the seed's name of device.model.
# fmt: off
NAMES = frozenset("""
activity count_errors count_warnings count_infos count_segments count_urls count_screens count_dead_clicks count_rage_clicks count_traces
duration is_archived id error_ids error_id trace_ids trace_id trace warning_ids warning_id info_ids info_id user.ip user.ip_address
viewed_by_id seen_by_id viewed_by_me seen_by_me browser.name browser browser.version device.name device device.brand device.family
device.model device.model_id dist environment os.name os os.version platform releases release replay_type sdk.name sdk sdk.version
ota_updates.channel ota_updates.runtime_version ota_updates.update_id user.id user.email user.username user user.geo.city
user.geo.country_code user.geo.region user.geo.subdivision tap.message tap.view_class tap.view_id urls url screens screen click.alt
click.class click.component_name click.id click.label click.role click.tag click.testid click.textContent click.title click.selector
dead.selector rage.selector
""".split())  # noqa: SIM905
# §3
SORTABLE = """
activity browser browser.name browser.version count_dead_clicks count_errors count_infos count_rage_clicks count_screens count_urls
count_warnings device.brand device.family device.model device.name dist duration finished_at os os.name os_name os.version platform
project_id started_at sdk.name user.email user.id user.username
""".split()  # noqa: SIM905
# fmt: on


def test_every_name_of_the_contract_is_a_field_and_nothing_else_is() -> None:
    assert {name for field in fields.FIELDS for name in (field.name, *field.aliases)} == NAMES


@pytest.mark.parametrize("key", ["started_at", "finished_at", "user.display_name", "tags", "project_id", "timestamp", "start", "message"])
def test_what_is_no_field_is_a_tag(key: str) -> None:
    document = replay(segment(tags={key: ">5"}))
    assert finds(f"{key}:>5", document)
    assert finds(f"{key}:>* has:{key} tags[{key}]:[>5]", document)


def test_a_tag_may_have_the_name_of_a_field() -> None:
    document = replay(segment(tags={"user.email": "tag"}, scalars={"user.email": "field"}))
    assert finds("tags[user.email]:tag user.email:field", document)
    assert not finds("tags[user.email]:field", document)


def test_the_sdks_own_tag_is_not_shown_and_not_found() -> None:
    document = replay(segment(tags={"transaction": "/"}))
    assert not finds("transaction:/", document)
    assert not finds("has:tags[transaction]", document)


def test_a_text_that_any_segment_gave_is_found_though_one_is_shown() -> None:
    document = replay(segment(scalars={"user.email": "a"}), segment(1, scalars={"user.email": "b"}))
    assert finds("user.email:a user.email:b !user.email:c", document)
    assert not finds("!user.email:b", document)


def test_ipv6_is_as_if_it_were_not_there() -> None:
    document = replay(segment(scalars={"user.ip": "2001:db8::1"}))
    assert finds('user.ip:"" !has:user.ip', document)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("007", 7), ("-3", -3), ("1.99", 1), ("-1.99", -1), ("5k", 5000), ("1.5k", 1500), ("0.0015k", 1), ("2m", 2_000_000)),
        *(("1b", 1_000_000_000), ("1K", 1000), ("1.1m", 1_100_000), ("9" * 50, int("9" * 50))),
    ],
)
def test_a_number_is_read_exactly(text: str, number: int) -> None:
    assert fields.of_replay(Term("count_errors", (text,))).values == (number,)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        *(
            ("0", 0),
            ("1000", 1000),
            ("1000ms", 1000),
            ("1s", 1000),
            ("1m", 60_000),
            ("1min", 60_000),
            ("1h", 3_600_000),
            ("1hr", 3_600_000),
        ),
        *(("1d", 86_400_000), ("1day", 86_400_000), ("1w", 604_800_000), ("1wk", 604_800_000), ("1.1h", 3_960_000), ("0.5min", 30_000)),
        *(("2.25h", 8_100_000), ("1000.0", 1000), ("0.001wk", None), ("0.29m", None), ("999", None), ("1000.5", None)),
    ],
)
def test_a_duration_is_whole_seconds_exactly(text: str, milliseconds: int | None) -> None:
    if milliseconds is None:
        with pytest.raises(Invalid, match="second-resolution"):
            finds(f"duration:{text}", replay())
    else:
        assert fields.of_replay(Term("duration", (text,))).values == (milliseconds,)


@pytest.mark.parametrize("text", ["", "k", "1kk", "1 k", "1e3", "+1", ".5", "5.", "1_0", "٣", "0x1", "1s", "--1"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Invalid, match="Invalid number"):
        fields.of_replay(Term("count_errors", (text,), ">"))


def test_what_is_no_duration() -> None:
    for text in ("1x", "1S", "1M", "1k", "s", "1.s", "1 s"):
        with pytest.raises(Invalid, match="Invalid number"):
            fields.of_replay(Term("duration", (text,)))


def test_having_or_not_having_can_be_asked_of_every_type() -> None:
    empty, full = replay(), replay(segment(trace_ids=[OTHER], clicks=[click()]), link(OTHER), replay_id=OTHER)
    for key in ("error_id", "trace", "click.tag", "click.selector"):
        assert finds(f"has:{key}", full), key
    for key in ("error_id", "trace", "click.tag", "user.email", "viewed_by_id", "a", "urls"):
        assert finds(f'!has:{key} {key}:""', empty), key
    for key in ("count_errors", "duration", "id", "is_archived"):
        assert finds(f"has:{key}", empty), key
    assert finds('count_errors:"" duration:["",17000] !has:activity has:id', replay(segment(), archive_delta()))


# --- Sorts --------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SORTABLE)
def test_every_sort_of_the_contract_is_there_both_ways(name: str) -> None:
    assert sort_key(name)(replay()) == sort_key(f"-{name}")(replay())
    assert is_descending(f"-{name}")
    assert not is_descending(name)


def test_the_seeds_spelling_is_the_same_sort() -> None:
    for camel, snake in (
        ("startedAt", "started_at"),
        ("finishedAt", "finished_at"),
        ("projectId", "project_id"),
        ("countErrors", "count_errors"),
    ):
        assert fields.sort_of(f"-{camel}") is fields.sort_of(snake)


@pytest.mark.parametrize(
    "name", ["count_segments", "environment", "releases", "id", "sdk.version", "count_traces", "user.ip", "x", "", "-started_at"]
)
def test_what_cannot_be_sorted_by(name: str) -> None:
    for sort in (name, f"-{name}"):
        with pytest.raises(Invalid) as refusal:
            sort_key(f"-{name}" if name.startswith("-") else sort)
        assert refusal.value.detail == f"The field `{name}` is not a sortable field."


def test_ties_are_broken_by_when_they_began_and_then_by_id() -> None:
    one = replay(segment(started=START), replay_id="a" * 32)
    other = replay(segment(started=START), replay_id="b" * 32)
    later = replay(segment(started=START + 0.5, timestamp=START + 17), replay_id="0" * 32)
    assert sorted([later, other, one], key=sort_key("user.email")) == [one, other, later]
    assert sorted([later, other, one], key=sort_key("-duration"), reverse=True) == [later, other, one]


def test_who_has_no_value_comes_before_those_who_have_one() -> None:
    nobody, deleted = replay(), replay(segment(), archive_delta(), replay_id=OTHER)
    somebody = replay(segment(scalars={"user.email": "\x01"}), link(OTHER))
    assert sort_key("user.email")(nobody) < sort_key("user.email")(somebody)
    for name in ("count_errors", "duration", "finished_at", "activity"):
        assert sort_key(name)(deleted) < sort_key(name)(nobody), name


def test_a_replay_is_sorted_by_the_value_that_it_shows() -> None:
    document = replay(segment(1, scalars={"os.name": "a"}), segment(0, scalars={"os.name": "b"}))
    assert sort_key("os")(document)[0] == "b" == present(document.row, ID, 1)["os"]["name"]


def test_texts_are_sorted_by_their_bytes() -> None:
    names = ["Z", "a", "z", "ä", "\uffff", "😀"]
    documents = [replay(segment(scalars={"user.email": name})) for name in names]
    assert sorted(documents, key=sort_key("user.email")) == documents
    assert names == sorted(names, key=str.encode)
