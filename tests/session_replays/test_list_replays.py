"""GET /api/0/organizations/{org}/replays/: contract §1.1, §3 and cases 16–25."""

from __future__ import annotations

import pytest

from tapedeck import clock
from tests.harness import System, envelopes
from tests.harness.sdk import index, record, replay_url

DAY = 86400


def listed(system: System, **query: object) -> list[str]:
    """The ids that the index answers."""
    answer = index(system, system.acme, **query)
    assert answer.status == 200, answer
    return [row["id"] for row in answer.json()["data"]]


def test_an_organization_without_replays_lists_none(system: System) -> None:
    answer = index(system, system.acme)
    assert (answer.status, answer.json()) == (200, {"data": []})
    assert answer.links["next"]["results"] == answer.links["previous"]["results"] == "false"


def test_case_16_field_chooses_what_is_told(system: System) -> None:
    replay_id = record(system, system.acme.web)
    assert index(system, system.acme, field="id").json() == {"data": [{"id": replay_id}]}
    [row] = index(system, system.acme, field=["id", "tags"]).json()["data"]
    assert set(row) == {"id", "tags"}


@pytest.mark.parametrize("field", ["unknown", "user.email", "replay_type", "ota_updates", ["id", "nope"], ["nope", "id"]])
def test_case_17_an_unknown_field_is_a_400_in_the_field_map(system: System, field: str) -> None:
    answer = index(system, system.acme, field=field)
    assert answer.status == 400
    assert "is not a valid choice" in answer.json()["field"][0]


@pytest.mark.parametrize("name", ["sort", "sortBy", "orderBy"])
def test_case_18_newest_first_unless_asked_otherwise(system: System, name: str) -> None:
    old, new = (record(system, system.acme.web, at=system.now - back) for back in (500, 5))
    assert listed(system) == listed(system, **{name: "-started_at"}) == [new, old]
    assert listed(system, **{name: "started_at"}) == listed(system, **{name: "startedAt"}) == [old, new]
    assert listed(system, sort="started_at", sortBy="", orderBy="-startedAt") == [new, old], "orderBy > sortBy > sort (decision 8)"


@pytest.mark.parametrize("sort", ["count_segments", "x", "--started_at", "id"])
def test_a_sort_that_there_is_not_is_a_400(system: System, sort: str) -> None:
    answer = index(system, system.acme, sort=sort)
    assert answer.status == 400
    assert "is not a sortable field" in answer.json()["detail"]


def test_case_21_pages_by_cursor(system: System) -> None:
    ids = [record(system, system.acme.web, at=system.now - 100 * back) for back in range(3)]
    first = index(system, system.acme, per_page=1)
    assert [row["id"] for row in first.json()["data"]] == ids[:1]
    assert first.links["next"]["results"] == "true"
    assert first.links["previous"]["results"] == "false"
    seen, url = [], f"/api/0/organizations/acme/replays/?per_page=1&statsPeriod=1d&cursor={first.links['previous']['cursor']}"
    for _ in range(10):
        answer = system.request("GET", url, token=system.acme.token("member"))
        assert answer.status == 200, answer
        seen += [row["id"] for row in answer.json()["data"]]
        if answer.links["next"]["results"] == "false":
            break
        url = answer.links["next"]["url"]
        assert "statsPeriod=1d" in url, "the other parameters are kept"
    assert seen == ids
    last = index(system, system.acme, per_page=1, cursor="0:2:0")
    assert last.links["next"]["results"] == "false"
    assert last.links["previous"] | {"url": ""} == {"rel": "previous", "results": "true", "cursor": "0:1:1", "url": ""}
    beyond = index(system, system.acme, per_page=1, cursor="0:3:0")
    assert beyond.json() == {"data": []}
    assert beyond.links["next"]["results"] == "false"


def test_pages_by_limit_and_offset_ten_by_default(system: System) -> None:
    """Decision 8."""
    ids = [record(system, system.acme.web, at=system.now - 10 * back) for back in range(12)]
    assert listed(system) == ids[:10]
    assert listed(system, limit=5, offset=9) == ids[9:]
    assert index(system, system.acme, limit=5).links["next"]["cursor"] == "0:5:0"


@pytest.mark.parametrize(
    "query",
    [
        {"per_page": 101}, {"per_page": 0}, {"per_page": -1}, {"per_page": "x"}, {"limit": 101}, {"limit": "1.5"}, {"offset": -1},
        {"cursor": "abc"}, {"cursor": "0:-1:0"}, {"cursor": "0:1"}, {"offset": "9" * 30}, {"cursor": "0:" + "9" * 30 + ":0"},
    ],
)  # fmt: skip
def test_case_23_a_bad_page_is_a_400(system: System, query: dict[str, object]) -> None:
    answer = index(system, system.acme, **query)
    assert answer.status == 400, answer
    assert answer.json()["detail"]


def test_case_24_environments_are_ored_and_unknown_ones_are_404(system: System) -> None:
    a, b, c = (
        record(system, system.acme.web, environment=name, at=system.now - n) for n, name in enumerate(("development", "production", "qa"))
    )
    assert listed(system, environment="development") == [a]
    assert listed(system, environment=["qa", "production"]) == [b, c]
    assert index(system, system.acme, environment="made_up").status == 404


def test_case_25_the_period_is_that_of_beginnings(system: System) -> None:
    """Decision 35: replays that began in the period."""
    old = record(system, system.acme.web, at=system.now - 7200)
    assert listed(system, statsPeriod="1h") == []
    assert listed(system, statsPeriod="1d") == listed(system, statsPeriod="86400") == [old]
    start, end = clock.iso(system.now - 7300), clock.iso(system.now - 7100)
    assert listed(system, start=start, end=end) == [old]
    assert listed(system, start=start[:19], end=end[:19]) == [old], "naive is UTC"
    assert listed(system, start=clock.iso(system.now - 7000), end=clock.iso(system.now)) == []
    assert listed(system, statsPeriod="1d", start="junk", end="junk") == [old], "statsPeriod wins"


def test_seven_days_are_the_default_period(system: System) -> None:
    """Decision 8, as described."""
    recent = record(system, system.acme.web, at=system.now - 6 * DAY)
    older = record(system, system.acme.web, at=system.now - 8 * DAY)
    assert listed(system) == [recent]
    assert listed(system, statsPeriod="14d") == [recent, older]


@pytest.mark.parametrize(
    "query",
    [
        {"statsPeriod": "xx"}, {"statsPeriod": "-1d"}, {"start": "2026-03-01"}, {"end": "2026-03-01"},
        {"start": "2026-03-02", "end": "2026-03-01"}, {"start": "2026-03-01", "end": "2026-03-01"}, {"start": "x", "end": "y"},
        {"start": "1772704800", "end": "1772704900"}, {"statsPeriod": "9" * 40 + "w"},
    ],
)  # fmt: skip
def test_case_25_a_bad_period_is_a_400(system: System, query: dict[str, object]) -> None:
    answer = index(system, system.acme, **query)
    assert answer.status == 400, answer
    assert answer.json()["detail"]


def test_a_project_is_chosen_by_id_by_slug_or_all_of_them(system: System) -> None:
    web, shop = record(system, system.acme.web), record(system, system.acme.shop, at=system.now - 50)
    assert listed(system) == listed(system, project=-1) == listed(system, projectSlug="$all") == [web, shop]
    assert listed(system, project=system.acme.shop.project_id) == listed(system, projectSlug="shop") == [shop]
    assert listed(system, project=[system.acme.web.project_id, system.acme.shop.project_id]) == [web, shop]
    assert listed(system, projectSlug="unknown") == []


def test_a_project_that_is_not_the_callers_is_403_and_junk_is_400(system: System) -> None:
    """§3."""
    foreign, unknown = (index(system, system.acme, project=project) for project in (system.globex.web.project_id, 424242))
    assert (foreign.status, foreign.body) == (unknown.status, unknown.body)
    assert foreign.status == 403
    assert index(system, system.acme, project="../x").status == 400


def test_who_belongs_to_no_project_sees_an_empty_list(system: System) -> None:
    """§1.1: no accessible project → 200 `{"data":[]}`."""
    record(system, system.acme.web)
    answer = index(system, system.acme, by="outsider")
    assert (answer.status, answer.json()) == (200, {"data": []})


def test_other_organizations_replays_are_never_listed(system: System) -> None:
    record(system, system.globex.web)
    assert listed(system) == []
    assert len(index(system, system.globex).json()["data"]) == 1


def test_a_deleted_replay_stays_in_the_list_in_the_archived_shape(system: System) -> None:
    """Decision 35."""
    replay_id = record(system, system.acme.web)
    system.request("DELETE", replay_url(system.acme, system.acme.web, replay_id), token=system.acme.token("owner"))
    [row] = index(system, system.acme).json()["data"]
    assert (row["id"], row["is_archived"]) == (replay_id, True)


def test_an_index_takes_at_most_three_round_trips_in_a_new_container(system: System) -> None:
    for project in (system.acme.web, system.acme.shop):
        record(system, project)
    system.cold()
    index(system, system.acme)
    assert system.cloud.trips <= 4, "key, directory, then the lists of both projects side by side"
    index(system, system.acme)
    assert system.cloud.trips <= 3


def test_what_is_past_its_retention_is_invisible_at_once(system: System) -> None:
    """trust.md F22: TTL deletes late, by days."""
    record(system, system.acme.web)
    system.skip(91 * DAY)
    assert listed(system, statsPeriod="1000d") == []


def test_the_other_form_of_a_path_names_the_organization_by_its_id(system: System) -> None:
    """Decision 38."""
    record(system, system.acme.web)
    answer = system.request("GET", f"/api/0/organizations/{system.acme.id}/replays/", token=system.acme.org_key)
    assert len(answer.json()["data"]) == 1


def test_replays_that_begin_in_the_same_millisecond_are_all_listed_once(system: System) -> None:
    ids = {record(system, system.acme.web, replay_id=envelopes.new_id()) for _ in range(5)}
    seen = [page for offset in range(0, 6, 2) for page in listed(system, limit=2, offset=offset)]
    assert sorted(seen) == sorted(ids)
