"""Secrets: bound to their organization and destination, opened by the worker alone (trust.md T18, T21, F24)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tapedeck.event_replays.destinations import sealing, store
from tests.event_replays.destinations.asking import BEARER, HTTP, SECRET, ask, make
from tests.harness import System


def test_the_worker_sees_them_and_whoever_edits_cannot(system: System) -> None:
    made = store.read(system.acme.id, make(system)["id"])
    with system.cloud.invoking(system.template.function_at("event_replays/run_replay")):
        assert sealing.revealed(made) == HTTP["metadata"]
    with system.cloud.invoking(system.template.function_at("event_replays/update_destination")), pytest.raises(ClientError):
        sealing.revealed(made)
    refused = set(system.cloud.denied)
    system.cloud.denied.clear()
    assert [each.partition(" on ")[0] for each in refused] == ["event_replays/update_destination may not kms:Decrypt"]


@pytest.mark.parametrize("moved", ["organization", "destination"])
def test_a_ciphertext_in_anothers_row_opens_nothing(system: System, moved: str) -> None:
    made, other = (store.read(system.acme.id, make(system)["id"]) for _ in range(2))
    swapped = replace(made, organization_id=system.globex.id) if moved == "organization" else replace(other, secrets=made.secrets)
    with pytest.raises(ClientError) as refused:
        sealing.revealed(swapped)
    assert refused.value.response["Error"]["Code"] == "InvalidCiphertextException"


def test_an_archived_destination_has_none(system: System) -> None:
    made = make(system)
    ask(system, "DELETE", f"/{made['id']}")
    assert store.read(system.acme.id, made["id"]).secrets == {}


def test_they_are_not_shown_by_a_traceback_either(system: System) -> None:
    """A repr is what a log shows of a value."""
    shown = repr(store.read(system.acme.id, make(system)["id"]))
    assert SECRET not in shown
    assert BEARER not in shown
    assert "secrets" not in shown


@pytest.mark.parametrize(("secret", "shown"), [("", "****"), ("elevenchars", "****"), ("twelve-chars", "****hars"), ("x" * 4096, "****xxxx")])
def test_what_is_shown_of_them(secret: str, shown: str) -> None:
    assert sealing.masked(secret) == shown
