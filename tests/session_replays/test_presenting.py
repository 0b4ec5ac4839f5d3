"""The response object, held against the model and the numbers of the contract (§4, §8)."""

from __future__ import annotations

from functools import reduce
from typing import Any

import pytest

from tapedeck.errors import Invalid
from tapedeck.session_replays import model, presenting
from tapedeck.session_replays.envelope import EventLink, ReplayEvent
from tapedeck.session_replays.merging import Row, archive_delta, link_delta, merge, segment_delta, view_delta
from tapedeck.session_replays.presenting import present, select
from tapedeck.session_replays.recording import Click

REPLAY = "7e07485f12f9416b8b1426260799b51f"


def segment(segment_id: int = 0, *, clicks: tuple[Click, ...] = (), **changes: Any) -> Row:
    plain = ReplayEvent(REPLAY, segment_id, 1_700_000_017.9, 1_700_000_000.25, {}, [], [], [], None, {})
    return segment_delta(plain._replace(**changes), clicks)


def link(digit: str, level: str, at: float = 1_700_000_005.0) -> Row:
    return link_delta(EventLink(digit * 32, REPLAY, level, at, "Error: x"))


def click(node: int, *texts: str, dead: bool = False, rage: bool = False) -> Click:
    return Click(1_700_000_005, node, dead, rage, (*texts, *("",) * (10 - len(texts))))


def shown(*deltas: Row, viewer: int | None = None) -> dict[str, Any]:
    """The answer, checked against the model on its way."""
    replay = present(reduce(merge, deltas), REPLAY, 1, viewer)
    model.Replay.model_validate(replay)
    return replay


def test_an_empty_replay_has_every_member() -> None:
    assert shown(segment()) == {
        "id": REPLAY,
        "project_id": "1",
        "trace_ids": [],
        "error_ids": [],
        "environment": None,
        "tags": {},
        "user": {
            "id": None,
            "username": None,
            "email": None,
            "ip": None,
            "ip_address": None,
            "geo": {"city": None, "country_code": None, "region": None, "subdivision": None},
            "display_name": None,
        },
        "sdk": {"name": None, "version": None},
        "os": {"name": None, "version": None},
        "browser": {"name": None, "version": None},
        "device": {"name": None, "brand": None, "model": None, "model_id": None, "family": None},
        "ota_updates": {"channel": None, "runtime_version": None, "update_id": None},
        "is_archived": False,
        "urls": [],
        "clicks": [],
        "activity": 1,
        "count_dead_clicks": 0,
        "count_rage_clicks": 0,
        "count_errors": 0,
        "count_warnings": 0,
        "count_infos": 0,
        "count_segments": 1,
        "count_urls": 0,
        "dist": None,
        "duration": 17,
        "finished_at": "2023-11-14T22:13:37+00:00",
        "started_at": "2023-11-14T22:13:20+00:00",
        "platform": None,
        "releases": [],
        "replay_type": "session",
        "warning_ids": [],
        "info_ids": [],
        "has_viewed": False,
    }


def test_a_deleted_replay_keeps_its_id_and_its_project() -> None:
    """§4, archived; §8 case 57."""
    row = merge(segment(scalars={"user.email": "a@x"}, urls=["/"]), link("a", "error"))
    replay = shown(row, archive_delta(), viewer=7)
    assert "replay_type" not in replay
    assert (replay["id"], replay["project_id"], replay["is_archived"], replay["has_viewed"]) == (REPLAY, "1", True, False)
    assert (replay["user"]["id"], replay["user"]["display_name"], replay["user"]["email"]) == ("Archived Replay", "Archived Replay", None)
    assert set(replay["user"]) == set(present(row, REPLAY, 1)["user"])
    assert replay["device"] == dict.fromkeys(("name", "brand", "model", "model_id", "family"))
    empty = {name for name, value in replay.items() if value == []}
    assert empty == {"trace_ids", "error_ids", "info_ids", "warning_ids", "releases", "clicks", "tags"}
    none = {name for name, value in replay.items() if value is None}
    assert none == set(present(row, REPLAY, 1)) - empty - {"replay_type", "id", "project_id", "is_archived", "has_viewed"} - {
        "user",
        "sdk",
        "os",
        "browser",
        "device",
        "ota_updates",
    }
    assert presenting.error_events(merge(row, archive_delta())) == []


def test_urls_are_in_the_order_of_the_visit_and_repeat() -> None:
    """§8 case 02."""
    replay = shown(segment(1, urls=["A"]), segment(0, urls=["A", "B"]))
    assert (replay["urls"], replay["count_urls"]) == (["A", "B", "A"], 3)


def test_tags_gather_their_distinct_values() -> None:
    """§8 case 05; `transaction` is Sentry's own (§4)."""
    replay = shown(
        segment(0, tags={"test": "hello", "other": "hello"}), segment(1, tags={"test": "world", "other": "hello", "transaction": "/"})
    )
    assert replay["tags"] == {"test": ["hello", "world"], "other": ["hello"]}


def test_releases_are_unique() -> None:
    """§8 case 07."""
    assert shown(segment(0, release="test"), segment(1), segment(2, release="test"))["releases"] == ["test"]


@pytest.mark.parametrize(
    ("levels", "urls", "activity"),
    [([], 0, 1), ([], 1, 1), (["error"], 3, 4), (["error"] * 3, 1, 8), (["error"] * 3 + ["warning", "info"], 1, 8), (["error"] * 9, 0, 10)],
)
def test_activity(levels: list[str], urls: int, activity: int) -> None:
    """§2.4: max(1, min(10, (25·errors + 5·urls) div 10)); §8 cases 08 and 11."""
    links = [link(f"{n:x}", level) for n, level in enumerate(levels)]
    assert shown(segment(urls=["/"] * urls), *links)["activity"] == activity


def test_links_are_counted_and_listed_by_level() -> None:
    """§8 case 11; error_ids is the union with the segments' own (§4)."""
    told = segment(error_ids=["b" * 32, "f" * 32])
    replay = shown(told, link("a", "error", 9.0), link("b", "error", 5.0), link("c", "warning"), link("d", "info"), link("e", "info"))
    assert replay["error_ids"] == ["b" * 32, "f" * 32, "a" * 32]
    assert (replay["warning_ids"], replay["info_ids"]) == (["c" * 32], ["d" * 32, "e" * 32])
    assert (replay["count_errors"], replay["count_warnings"], replay["count_infos"]) == (2, 1, 2)


def test_linked_events_have_a_place_in_time() -> None:
    row = merge(link("b", "info", 9.5), link("a", "error", 12.0))
    assert presenting.error_events(row) == [
        {"id": "b" * 32, "level": "info", "timestamp": 9.5, "title": "Error: x"},
        {"id": "a" * 32, "level": "error", "timestamp": 12.0, "title": "Error: x"},
    ]


@pytest.mark.parametrize(
    ("known", "name"),
    [
        (("username", "email", "id", "ip"), "username"),
        (("email", "id", "ip"), "email"),
        (("id", "ip"), "id"),
        (("ip",), "10.0.0.1"),
        ((), None),
    ],
)
def test_the_display_name_is_the_first_that_is_known(known: tuple[str, ...], name: str | None) -> None:
    """§4; §8 case 12."""
    texts = {f"user.{leaf}": "10.0.0.1" if leaf == "ip" else leaf for leaf in known}
    assert shown(segment(scalars=texts))["user"]["display_name"] == name


def test_an_address_has_two_names_and_is_never_ipv6() -> None:
    """Decision 11; §4: IPv6 addresses are stored but never returned."""
    user = shown(segment(scalars={"user.ip": "10.0.0.1"}))["user"]
    assert (user["ip"], user["ip_address"]) == ("10.0.0.1", "10.0.0.1")
    user = shown(segment(scalars={"user.ip": "2001:db8::1"}))["user"]
    assert (user["ip"], user["ip_address"], user["display_name"]) == (None, None, None)


def test_a_device_s_model_has_two_names() -> None:
    device = shown(segment(scalars={"device.model": "11", "device.brand": "Apple"}))["device"]
    assert device == {"name": None, "brand": "Apple", "model": "11", "model_id": "11", "family": None}


def test_clicks_are_whole_elements() -> None:
    """§4: aligned objects, null for what is missing; one that was told twice is one."""
    first, second = click(1, "button", "pay", "a b", dead=True, rage=True), click(2, "a", dead=True)
    replay = shown(segment(clicks=(first, second)), segment(1, clicks=(first,)))
    assert (replay["count_dead_clicks"], replay["count_rage_clicks"], len(replay["clicks"])) == (2, 1, 2)
    assert replay["clicks"][0] == {
        "click.alt": None,
        "click.classes": ["a", "b"],
        "click.component_name": None,
        "click.id": "pay",
        "click.label": None,
        "click.role": None,
        "click.tag": "button",
        "click.testid": None,
        "click.text": None,
        "click.title": None,
    }


def test_has_viewed_is_about_the_caller() -> None:
    assert [shown(segment(), view_delta(7), viewer=viewer)["has_viewed"] for viewer in (7, 8, None)] == [True, False, False]


def test_duration_is_whole_seconds_between_whole_seconds() -> None:
    """§4: sub-seconds are truncated at storage; §8 case 01."""
    assert shown(segment(started=1_700_000_000.9, timestamp=1_700_000_002.1))["duration"] == 2


def test_fields_are_exactly_those_asked_for() -> None:
    """§8 cases 16 and 17."""
    replay = shown(segment())
    assert set(select(replay, ["id"])) == {"id"}
    assert set(select(replay, ["id", "tags"])) == {"id", "tags"}
    assert select(replay, []) == replay
    for field in ("unknown", "replay_type", "ota_updates", "user.email"):
        with pytest.raises(Invalid) as refusal:
            select(replay, ["id", field])
        assert refusal.value.fields == {"field": [f'"{field}" is not a valid choice.']}


def test_every_field_is_in_the_answer() -> None:
    assert set(present(segment(), REPLAY, 1)) - presenting.FIELDS == {"replay_type", "ota_updates"}
    assert set(select(present(archive_delta(), REPLAY, 1), sorted(presenting.FIELDS))) == presenting.FIELDS
