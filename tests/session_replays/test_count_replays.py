"""GET /api/0/organizations/{org}/replay-count/: contract §1.9, case 58."""

from __future__ import annotations

import pytest

from tests.harness import System, envelopes
from tests.harness.gateway import Response
from tests.harness.sdk import record, replay_url, send


def count(system: System, *, by: str = "member", **query: object) -> Response:
    """GET acme's counts."""
    return system.request("GET", "/api/0/organizations/acme/replay-count/", query=query, token=system.acme.token(by))


def test_case_58_ids_that_are_there_count_one(system: System) -> None:
    a, b = record(system, system.acme.web), record(system, system.acme.shop)
    missing = envelopes.new_id()
    dashed = f"{b[:8]}-{b[8:12]}-{b[12:16]}-{b[16:20]}-{b[20:]}"
    query = f"replay_id:[{a},{dashed},{missing}]"
    assert count(system, query=query).json() == {a: 1, b: 1}
    assert count(system, query=query, returnIds="true").json() == {a: [a], b: [b]}
    assert count(system, query=query, by="outsider").json() == {}


def test_only_replays_with_their_first_segment_that_began_in_the_period_and_were_not_deleted(system: System) -> None:
    web = system.acme.web
    headless, deleted, old = envelopes.new_id(), record(system, web), record(system, web, at=system.now - 86400)
    send(system, web, envelopes.segment(headless, 1))
    system.request("DELETE", replay_url(system.acme, web, deleted), token=system.acme.token("owner"))
    query = f"replay_id:[{headless},{deleted},{old}]"
    assert count(system, query=query).json() == {old: 1}
    assert count(system, query=query, statsPeriod="1h").json() == {}


def test_transactions_are_counted_by_their_tag(system: System) -> None:
    ids = [record(system, system.acme.web, tags={"transaction": "/checkout"}, at=system.now - back) for back in (5, 50)]
    record(system, system.acme.web, tags={"transaction": "/home"})
    query = 'transaction:["/checkout", "/nowhere"]'
    assert count(system, query=query, data_source="discover").json() == {"/checkout": 2}
    assert count(system, query=query, returnIds="1").json() == {"/checkout": ids}


def test_issues_are_sentrys_and_have_no_replays_here(system: System) -> None:
    record(system, system.acme.web)
    assert count(system, query="issue.id:[1, 2]", data_source="search_issues").json() == {}


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("issue.id:1", "Condition value must be a list of strings"),
        (f"replay_id:{'a' * 32}", "Condition value must be a list of strings"),
        (f"issue.id:[{','.join(map(str, range(26)))}]", "Too many values provided"),
        (f"replay_id:[{','.join(f'{n:032x}' for n in range(101))}]", "Too many values provided"),
        ("issue.id:[1] transaction:[a]", "Must provide only one of: issue.id, transaction, replay_id"),
        ("user.id:1", "Must provide at least one issue.id, transaction, or replay_id"),
        ("replay_id:[nonsense]", "Invalid UUID"),
        ("(replay_id:[a]", "unmatched parentheses"),
    ],
)
def test_case_58_what_cannot_be_counted_is_a_400(system: System, query: str, detail: str) -> None:
    answer = count(system, query=query)
    assert answer.status == 400
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize("query", [{}, {"query": ""}])
def test_a_query_is_required(system: System, query: dict[str, str]) -> None:
    answer = count(system, **query)
    assert (answer.status, list(answer.json())) == (400, ["query"])


def test_an_unknown_source_is_a_400_and_the_known_ones_are_all_the_same(system: System) -> None:
    replay_id = record(system, system.acme.web)
    query = f"(replay_id:[{replay_id}] OR user.id:7)"
    for source in ("discover", "events", "search_issues", "spans"):
        assert count(system, query=query, data_source=source).json() == {replay_id: 1}
    assert list(count(system, query=query, data_source="x").json()) == ["data_source"]
