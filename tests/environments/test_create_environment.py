"""POST /api/environments: one thing with five handles, whole or not at all (product.md §1)."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.environments import making, shapes, store
from tests.harness import KINDS, System, agent
from tests.harness.cloud import Kind
from tests.harness.gateway import Response


def create(system: System, by: str = "member", **body: Any) -> Response:
    """POST an environment as one of acme's people, or with the organization's key."""
    token = system.acme.org_key if by == "key" else system.acme.token(by)
    return system.request("POST", "/api/environments", json=body, token=token)


def slugs(system: System) -> list[str]:
    """What acme has now."""
    found = store.organization(system.acme.id, fresh=True)
    assert found is not None
    return [each.slug for each in found.environments]


def test_who_makes_one_owns_it_and_every_handle_of_it_works_at_once(system: System) -> None:
    acme = system.acme
    member = acme.token("member")
    assert system.request("GET", "/api/bucket", token=member).status == 200  # a container that knows the directory of before
    made = create(system, name="Web shop (EU)", dbInstance="shop-db").json()
    shapes.Environment.model_validate(made)
    assert (made["name"], made["slug"], made["role"], made["ownerId"]) == ("Web shop (EU)", "web-shop-eu", "owner", acme.users["member"].id)
    assert made["dbInstance"] == "shop-db"
    assert agent.collect(system, made["collection_token"], {"event": "hello"}).status == 200
    asked = system.request("POST", f"/api/bucket/{made['bucket_id']}/data/events", json={"event_name": "hello"}, token=member)
    assert [event["name"] for event in asked.json()] == ["hello"]
    assert system.request("GET", "/api/0/projects/acme/web-shop-eu/", token=member).status == 200
    again = system.request("GET", f"/api/environments/{made['id']}", token=member).json()
    assert again == {name: value for name, value in made.items() if name != "collection_token"}, "the token is shown once"
    assert system.request("GET", f"/api/environments/{made['id']}", token=acme.token("owner")).status == 403, "it is the member's alone"


def test_an_organizations_key_makes_one_for_the_organizations_owner(system: System) -> None:
    made = create(system, "key", name="ci").json()
    assert (made["ownerId"], made["role"]) == (system.acme.users["owner"].id, None)


@pytest.mark.parametrize("name", ["web", "WEB", " Web! "])
def test_a_name_that_is_taken_is_a_400_in_its_own_organization_only(system: System, name: str) -> None:
    """As decision 31 has it of captures."""
    answer = create(system, name=name)
    assert answer.status == 400
    assert answer.json() == [{"message": 'there is an environment named "web" already', "path": ["name"]}]
    assert slugs(system) == ["web", "shop"]
    create(system, name="ours")
    assert system.request("POST", "/api/environments", json={"name": "ours"}, token=system.globex.token("owner")).status == 200


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({}, [["name"]]), ({"name": ""}, [["name"]]), ({"name": "  "}, [["name"]]), ({"name": 5}, [["name"]]), ({"name": "x" * 65}, [["name"]]),
        ({"name": "a\nb"}, [["name"]]), ({"name": None, "dbInstance": 7}, [["name"], ["dbInstance"]]), ({"name": "x", "dbInstance": ""}, [["dbInstance"]]),
        ({"name": "x", "dbInstance": "-db"}, [["dbInstance"]]), ({"name": "x", "dbInstance": "a--b"}, [["dbInstance"]]),
        ({"name": "x", "dbInstance": "a" * 64}, [["dbInstance"]]),
    ],
)  # fmt: skip
def test_everything_wrong_is_told_at_once_in_a_bare_array(system: System, body: dict[str, Any], paths: list[list[str]]) -> None:
    """Decision 14."""
    answer = create(system, **body)
    assert (answer.status, [each["path"] for each in answer.json()]) == (400, paths)
    assert slugs(system) == ["web", "shop"]


@pytest.mark.parametrize(
    ("name", "slug"),
    [("Web", "web"), ("a  b", "a-b"), ("42", "env-42"), ("-7-", "env-7"), ("店", "env"), ("Büro №1", "buro-no1"), ("x" * 64, "x" * 50), ("<b>", "b")],
)
def test_a_slug_is_what_paths_can_spell_and_never_a_number(name: str, slug: str) -> None:
    assert making.slug_of(name) == slug


@pytest.mark.parametrize("kind", KINDS)
def test_a_death_anywhere_leaves_all_of_it_or_nothing(system: System, kind: Kind) -> None:
    """And the same again, by a client that does not know, makes it once."""
    system.acme  # noqa: B018 - made before the calls are counted
    with system.cloud.watch() as calls:
        create(system, name="counted")
    assert len(calls) > 3
    for k in range(len(calls)):
        system.cold()
        before = len(system.items("ControlTable"))
        with system.cloud.fault(kind, k):
            first = create(system, name=f"k{k}")
        written = len(system.items("ControlTable")) - before
        assert written == (4 if f"k{k}" in slugs(system) else 0), (kind, k)
        system.cold()
        again = create(system, name=f"k{k}")
        assert first.status in (200, 502, 503), first
        assert again.status == (400 if written else 200), (kind, k)
        assert slugs(system).count(f"k{k}") == 1


def test_two_at_once_with_one_name_make_one(system: System) -> None:
    k = 0
    while True:
        answers: list[Response] = []
        with system.cloud.between(k, lambda k=k, answers=answers: answers.append(create(system, "admin", name=f"n{k}"))):  # type: ignore[misc]
            mine = create(system, name=f"n{k}")
        if not answers:
            return
        assert sorted([mine.status, answers[0].status]) == [200, 400], k
        assert slugs(system).count(f"n{k}") == 1
        k += 1
