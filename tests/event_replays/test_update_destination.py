"""PUT /v1/destination/{id}: what is not said stays; a secret that is shown masked is passed on unopened (trust.md T21)."""

from __future__ import annotations

from typing import Any

import pytest

from tapedeck.event_replays.destinations import sealing, store
from tests.event_replays.destinations.asking import BEARER, HTTP, SECRET, ask, make, refused
from tests.harness import KINDS, System
from tests.harness.cloud import Kind

EDITABLE = ("name", "notes", "metadata", "max_per_second", "notifications")


def secrets(system: System, destination_id: str) -> dict[str, Any]:
    """The metadata as the worker has them."""
    return sealing.revealed(store.read(system.acme.id, destination_id))


def test_what_is_not_said_stays(system: System) -> None:
    made = make(system, notes="n", max_per_second=5, notifications=["replay.failed"])
    system.skip(5)
    changed = ask(system, "PUT", f"/{made['id']}", json={"name": " renamed "}).json()
    assert changed == {**made, "name": "renamed", "updated_at": "2026-03-05T10:00:05.000000Z"}
    cleared = ask(system, "PUT", f"/{made['id']}", json={"max_per_second": None, "notifications": [], "notes": ""}).json()
    assert (cleared["max_per_second"], cleared["notifications"], cleared["notes"], cleared["name"]) == (None, [], "", "renamed")
    assert secrets(system, made["id"]) == HTTP["metadata"]


def test_what_was_shown_may_be_sent_back_and_changes_nothing(system: System) -> None:
    made = make(system)
    again = ask(system, "PUT", f"/{made['id']}", json={name: made[name] for name in EDITABLE}).json()
    assert again == made
    assert secrets(system, made["id"]) == HTTP["metadata"]


def test_one_secret_is_changed_and_the_other_stays(system: System) -> None:
    made = make(system)
    metadata = {**made["metadata"], "headers": [{"Authorization": "Bearer another-long-token"}, {"X-New": "a"}]}
    changed = ask(system, "PUT", f"/{made['id']}", json={"metadata": metadata}).json()
    assert changed["metadata"]["headers"] == [{"Authorization": "****oken"}, {"X-New": "a"}]
    assert secrets(system, made["id"]) == {**HTTP["metadata"], "headers": [{"Authorization": "Bearer another-long-token"}, {"X-New": "a"}]}


def test_a_secret_is_not_passed_on_to_another_server(system: System) -> None:
    """Whoever may edit a destination may not read its secrets (trust.md T21): neither here nor at a server of their own."""
    made = make(system)
    for url in ("https://mine.example/in", "https://hooks.example:8443/in", "https://hooks.example.mine.example/in"):
        wrong = refused(ask(system, "PUT", f"/{made['id']}", json={"metadata": {**made["metadata"], "url": url}}))
        assert set(wrong) == {"metadata.headers.Authorization", "metadata.signing_secret"}
    assert ask(system, "PUT", f"/{made['id']}", json={"metadata": {**made["metadata"], "url": "https://HOOKS.example/other?path=1"}}).status == 200
    assert secrets(system, made["id"])["signing_secret"] == SECRET


def test_metadata_are_said_as_a_whole(system: System) -> None:
    made = make(system)
    changed = ask(system, "PUT", f"/{made['id']}", json={"metadata": {"url": "https://new.example/"}}).json()
    assert changed["metadata"] == {"url": "https://new.example/"}
    assert secrets(system, made["id"]) == {"url": "https://new.example/"}
    assert store.read(system.acme.id, made["id"]).secrets == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "sqs"}, "type"), ({"name": ""}, "name"), ({"id": "x"}, "id"), ({"metadata": {}}, "metadata.url"), ({"metadata": []}, "metadata.url"),
        ({"metadata": {"url": "https://127.0.0.1:80/"}}, "metadata.url"), ({"metadata": {"url": "https://a.example", "headers": {"Cookie": "****cret"}}}, "metadata.headers.Cookie"),
        ({"metadata": {"url": "https://a.example", "signing_secret": "****xxxx"}}, "metadata.signing_secret"), ({"team_id": "x"}, "team_id"), ({"max_per_second": -1}, "max_per_second"),
    ],
)  # fmt: skip
def test_what_is_invalid_is_named_and_nothing_changes(system: System, body: dict[str, Any], field: str) -> None:
    made = make(system)
    assert field in refused(ask(system, "PUT", f"/{made['id']}", json=body))
    assert ask(system, "GET", f"/{made['id']}").json() == made


def test_archiving_by_a_member_is_archiving(system: System) -> None:
    made = make(system)
    assert ask(system, "PUT", f"/{made['id']}", json={"archived": False}).json()["archived"] is False
    assert ask(system, "PUT", f"/{made['id']}", json={"archived": True}).json()["archived"] is True
    assert store.read(system.acme.id, made["id"]).secrets == {}
    assert ask(system, "PUT", f"/{made['id']}", json={"name": "b"}).status == 409, "what is archived stays as it was"


def test_an_edit_in_between_is_a_409_and_none_is_lost(system: System) -> None:
    made = make(system)
    for at in range(12):
        shown = ask(system, "GET", f"/{made['id']}").json()
        with system.cloud.between(at, lambda at=at: ask(system, "PUT", f"/{made['id']}", json={"notes": f"n{at}"})):  # type: ignore[misc]
            answer = ask(system, "PUT", f"/{made['id']}", json={"name": f"a{at}"})
        now = ask(system, "GET", f"/{made['id']}").json()
        assert answer.status in (200, 409)
        assert (now["name"] == f"a{at}") == (answer.status == 200)
        assert now["notes"] in (f"n{at}", shown["notes"]), "whoever was told 200 finds what they wrote"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_anywhere_leaves_the_old_or_the_new(system: System, kind: Kind) -> None:
    """trust.md F1: our own write, whose answer was lost, is not somebody else's."""
    made = make(system)
    new = {"metadata": {"url": "https://new.example/", "signing_secret": SECRET, "headers": {"Authorization": BEARER + "2"}}}
    for at in range(12):
        ask(system, "PUT", f"/{made['id']}", json={"metadata": HTTP["metadata"]})
        system.cold()
        with system.cloud.fault(kind, at) as fault:
            answer = ask(system, "PUT", f"/{made['id']}", json=new)
        assert answer.status in (200, 502, 503), (kind, at, answer)
        url, [header] = (found := secrets(system, made["id"]))["url"], found["headers"]
        assert (url, header["Authorization"]) in (("https://new.example/", BEARER + "2"), ("https://hooks.example/in", BEARER))
        assert answer.status != 200 or url == "https://new.example/"
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")
