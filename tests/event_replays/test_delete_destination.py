"""DELETE /v1/destination/{id}: archived, not gone (contract §1.2): what was sent there once is still said."""

from __future__ import annotations

import pytest

from tapedeck.event_replays import store as replays
from tapedeck.event_replays.destinations import making
from tests.event_replays.destinations.asking import ask, make
from tests.harness import KINDS, System
from tests.harness.cloud import Kind


def test_an_archived_one_is_not_listed_checked_nor_sent_to(system: System) -> None:
    made = make(system)
    for _ in range(2):
        assert ask(system, "DELETE", f"/{made['id']}").json()["archived"] is True
    assert ask(system, "GET").json() == []
    assert ask(system, "GET", f"/{made['id']}").json()["archived"] is True
    assert ask(system, "POST", f"/{made['id']}/test").status == 409
    assert system.invoke("event_replays/check_destinations") == {"checked": 0, "failing": 0}
    assert made["id"] not in system.request("GET", "/v1/health/destination", token=system.acme.token("member")).json()


def test_while_a_replay_that_is_not_over_uses_it_it_stays(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make(system)
    monkeypatch.setattr(making.replays, "uses", lambda organization_id, destination_id: (organization_id, destination_id) == (system.acme.id, made["id"]))
    for answer in (ask(system, "DELETE", f"/{made['id']}"), ask(system, "PUT", f"/{made['id']}", json={"archived": True})):
        assert answer.status == 409
        assert "replay" in answer.json()["errors"][0]["message"]
    assert ask(system, "GET", f"/{made['id']}").json()["archived"] is False
    monkeypatch.undo()
    assert replays.uses(system.acme.id, made["id"]) is False


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_anywhere_and_the_same_again(system: System, kind: Kind) -> None:
    for at in range(12):
        made = make(system)
        with system.cloud.fault(kind, at) as fault:
            answer = ask(system, "DELETE", f"/{made['id']}")
        assert answer.status in (200, 502, 503)
        assert ask(system, "DELETE", f"/{made['id']}").status == 200
        assert made["id"] not in {each["id"] for each in ask(system, "GET").json()}
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")
