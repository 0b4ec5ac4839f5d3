"""POST /v1/destination: contract §1.2; secrets are write-only (trust.md T21), and what must not be reached is refused by name (T6, T19)."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest

from tapedeck.event_replays.destinations import making, metadata
from tapedeck.event_replays.destinations.model import KINDS
from tapedeck.event_replays.shapes import Destination
from tests.event_replays.destinations.asking import BEARER, HTTP, SECRET, ask, make, refused
from tests.event_replays.test_create_collection import create as create_collection
from tests.harness import KINDS as FAULTS
from tests.harness import System
from tests.harness.cloud import Kind

OWN, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/tapedeck-dest-writer"
# Metadata that are taken, of every type.
GOOD: dict[str, list[dict[str, Any]]] = {
    "http": [{"url": "https://hooks.example/in"}, {"url": "https://hooks.example:8443", "headers": {"X-A": "b"}}],
    "sqs": [
        {"queue_url": f"https://sqs.us-east-1.amazonaws.com/{OWN}/tapedeck-dest-orders"},
        {"queue_url": f"https://sqs.eu-west-1.amazonaws.com/{OWN}/tapedeck-dest-orders.fifo", "group_id": "one"},
        {"aws_account_id": OWN, "queue_name": "tapedeck-dest-orders"},
        {"aws_account_id": OTHER, "queue_name": "anything", "region": "eu-central-1", "role_arn": ROLE},
    ],
    "sns": [{"topic_arn": f"arn:aws:sns:us-east-1:{OWN}:tapedeck-dest-news"}, {"topic_arn": f"arn:aws:sns:us-east-1:{OTHER}:x.fifo", "role_arn": ROLE}],
    "eventbridge": [{"event_bus_arn": f"arn:aws:events:us-east-1:{OWN}:event-bus/tapedeck-dest-bus", "source": "shop"}],
    "kinesis": [{"stream_arn": f"arn:aws:kinesis:us-east-1:{OWN}:stream/tapedeck-dest-stream"}],
    "s3": [{"bucket": "tapedeck-dest-archive", "prefix": "events/"}, {"bucket": "theirs", "region": "eu-north-1", "role_arn": ROLE}],
    "lambda": [{"function_arn": f"arn:aws:lambda:us-east-1:{OWN}:function:tapedeck-dest-sink", "invocation": "request"}],
    "listen": [{}],
}
# (type, metadata, the member that is refused)
BAD: list[tuple[str, Any, str]] = [
    ("http", {}, "url"),
    ("http", {"url": 5}, "url"),
    ("http", {"url": "http://hooks.example/"}, "url"),
    ("http", {"url": "https://user:secret@hooks.example/"}, "url"),
    ("http", {"url": "https://hooks.example:22/"}, "url"),
    ("http", {"url": "https://hooks.example/\r\nX: y"}, "url"),
    ("http", {"url": "https://tapedeck01.execute-api.us-east-1.amazonaws.com/v/v1/collect"}, "url"),
    *(("http", {"url": "https://a.example", "headers": headers}, "headers") for headers in (
        [{"Host": "b"}], [{"content-length": "1"}], [{"Transfer-Encoding": "chunked"}], [{"Connection": "close"}], {"X-Forwarded-For": "1.2.3.4"},
        {"x-forwarded-host": "b"}, {"X-A": "b\r\nHost: c"}, {"X-A": "b\nc"}, {"X-A\r\nB": "c"}, {"X A": "b"}, {"": "b"}, {"X-A": 5}, {"X-A": "b\x00"}, "X-A: b", [5],
        [{"X-A": "b", "X-B": "c"}], [{"X-A": "b"}, {"x-a": "c"}], {"Idempotency-Key": "k"}, {"X-Replay-Hops": "0"}, {"webhook-id": "1"}, {"X-A": "☃"},
        {f"X-{n}": "b" for n in range(51)}, {"X-A": "b" * 2049},
    )),
    ("http", {"url": "https://a.example", "method": "GET"}, "method"),
    ("http", {"url": "https://a.example", "signing_secret": "short"}, "signing_secret"),
    ("http", {"url": "https://a.example", "signing_secret": "whsec_!!!"}, "signing_secret"),
    ("http", {"url": "https://a.example", "signing_secret": "****aLaSw"}, "signing_secret"),
    ("http", {"url": "https://a.example", "headers": {"Authorization": "****1234"}}, "headers.Authorization"),
    ("sqs", {}, "queue_url"),
    ("sqs", {"queue_url": f"https://sqs.us-east-1.amazonaws.com/{OWN}/tapedeck-ReplayBells"}, "queue_url"),
    ("sqs", {"queue_url": f"https://sqs.us-east-1.amazonaws.com.evil.example/{OWN}/tapedeck-dest-x"}, "queue_url"),
    ("sqs", {"queue_url": "http://169.254.169.254/latest"}, "queue_url"),
    ("sqs", {"aws_account_id": OWN}, "queue_url"),
    ("sqs", {"aws_account_id": OWN, "queue_name": "tapedeck-DeleteJobs"}, "queue_name"),
    ("sqs", {"aws_account_id": OTHER, "queue_name": "orders"}, "role_arn"),
    ("sqs", {"aws_account_id": "111111111111", "queue_name": "orders", "role_arn": ROLE}, "role_arn"),
    ("sqs", {"aws_account_id": OWN, "queue_name": "tapedeck-dest-x", "role_arn": f"arn:aws:iam::{OWN}:role/tapedeck-dest-x"}, "role_arn"),
    ("sqs", {"aws_account_id": OTHER, "queue_name": "orders", "role_arn": f"arn:aws:iam::{OTHER}:role/admin"}, "role_arn"),
    ("sqs", {"aws_account_id": OWN, "queue_name": "tapedeck-dest-x", "group_id": "one"}, "group_id"),
    ("sns", {"topic_arn": f"arn:aws:sns:us-east-1:{OWN}:tapedeck-alarms"}, "topic_arn"),
    ("sns", {"topic_arn": f"arn:aws:sqs:us-east-1:{OWN}:tapedeck-dest-x"}, "topic_arn"),
    ("eventbridge", {"event_bus_arn": f"arn:aws:events:us-east-1:{OWN}:event-bus/default"}, "event_bus_arn"),
    ("eventbridge", {"event_bus_arn": f"arn:aws:events:us-east-1:{OWN}:event-bus/tapedeck-dest-x", "source": "aws.ec2"}, "source"),
    ("kinesis", {"stream_arn": f"arn:aws:kinesis:us-east-1:{OWN}:stream/other"}, "stream_arn"),
    ("s3", {"bucket": "tapedeck-recordingsbucket"}, "bucket"),
    ("s3", {"bucket": "tapedeck-dest-x", "prefix": "a\x00b"}, "prefix"),
    ("lambda", {"function_arn": f"arn:aws:lambda:us-east-1:{OWN}:function:tapedeck-RunReplay"}, "function_arn"),
    ("lambda", {"function_arn": f"arn:aws:lambda:us-east-1:{OWN}:function:tapedeck-dest-x", "invocation": "never"}, "invocation"),
    ("collection", {"collection_id": "00000000-0000-4000-8000-000000000000"}, "collection_id"),
    ("collection", {"collection_id": 5}, "collection_id"),
    ("listen", {"url": "https://a.example"}, "url"),
]  # fmt: skip


def test_a_destination_is_made_as_the_contract_shows_it(system: System) -> None:
    made = make(system, notes="where orders go")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made["id"])
    assert made["inserted_at"] == made["updated_at"] == "2026-03-05T10:00:00.000000Z", "RFC 3339, microseconds"
    member = system.acme.users["member"]
    assert made["author"] == {"id": member.id, "name": "Acme member", "email": member.email}
    assert {name: made[name] for name in ("name", "notes", "type", "team_id", "archived", "max_per_second", "notifications")} == {
        "name": "hook", "notes": "where orders go", "type": "http", "team_id": system.acme.team_id, "archived": False, "max_per_second": None,
        "notifications": [],
    }  # fmt: skip
    assert made["metadata"] == {"url": "https://hooks.example/in", "headers": [{"Authorization": "****cret"}], "signing_secret": "****LaSw"}


def test_secrets_are_masked_in_every_answer_sealed_in_the_table_and_not_in_the_logs(system: System) -> None:
    system.request("GET", "/health")
    logs = system.capture_logs()
    made = make(system)
    said = [ask(system, "GET"), ask(system, "GET", f"/{made['id']}"), ask(system, "PUT", f"/{made['id']}", json={"name": "b"}), ask(system, "POST", f"/{made['id']}/test"), ask(system, "DELETE", f"/{made['id']}")]
    everything = b"".join(each.body for each in said).decode() + repr(system.items("ControlTable")) + logs.getvalue()
    for secret in (BEARER, SECRET, base64.b64encode(BEARER.encode()).decode(), "canary"):
        assert secret not in everything


@pytest.mark.parametrize(("kind", "metadata"), [(kind, each) for kind, several in GOOD.items() for each in several])
def test_what_every_type_takes(system: System, kind: str, metadata: dict[str, Any]) -> None:
    made = make(system, type=kind, metadata=metadata)
    taken = {**metadata, "headers": [{"X-A": "b"}]} if "headers" in metadata else metadata
    assert (made["type"], made["metadata"]) == (kind, taken)
    assert made["external_id"] == (None if kind in ("http", "listen") else f"tapedeck-{system.acme.team_id}")
    Destination.model_validate(made)


@pytest.mark.parametrize(("kind", "metadata", "field"), BAD)
def test_what_every_type_refuses_and_by_which_name(system: System, kind: str, metadata: Any, field: str) -> None:
    assert f"metadata.{field}" in refused(ask(system, "POST", json={"name": "a", "type": kind, "metadata": metadata}))
    assert ask(system, "GET").json() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": None}, "name"), ({"name": "  "}, "name"), ({"name": "a" * 257}, "name"), ({"name": 5}, "name"), ({"notes": 5}, "notes"),
        ({"notes": "a" * 4097}, "notes"), ({"type": "kafka"}, "type"), ({"type": None}, "type"), ({"type": ["http"]}, "type"), ({"metadata": None}, "metadata"),
        ({"metadata": "a"}, "metadata"), ({"metadata": [1]}, "metadata"), ({"max_per_second": 0}, "max_per_second"), ({"max_per_second": 1.5}, "max_per_second"),
        ({"max_per_second": True}, "max_per_second"), ({"max_per_second": 10_001}, "max_per_second"), ({"max_per_second": "5"}, "max_per_second"),
        ({"notifications": ["replay.started"]}, "notifications"), ({"notifications": "replay.failed"}, "notifications"), ({"notifications": [[]]}, "notifications"),
        ({"team_id": "00000000-0000-4000-8000-000000000000"}, "team_id"), ({"archived": "no"}, "archived"), ({"id": "x"}, "id"), ({"organization_id": 1}, "organization_id"),
        ({"type": "listen", "metadata": {}, "notifications": ["replay.failed"]}, "notifications"),
    ],
)  # fmt: skip
def test_invalid_members_are_a_422_that_names_them(system: System, body: dict[str, Any], field: str) -> None:
    assert field in refused(ask(system, "POST", json={**HTTP, **body}))


def test_what_is_no_object_is_refused(system: System) -> None:
    for body in (b"", b"[]", b"{", b"null"):
        assert ask(system, "POST", body=body).status == 422


def test_every_type_has_a_row_of_members_and_a_test() -> None:
    assert set(metadata.FIELDS) == set(KINDS) == {*GOOD, "collection"}


def test_a_collection_to_copy_into_is_ones_own_and_live(system: System) -> None:
    made = create_collection(system, name="copies", environment="shop").json()
    body = {"name": "copies", "type": "collection", "metadata": {"collection_id": made["id"]}}
    assert ask(system, "POST", json=body).status == 200
    assert "metadata.collection_id" in refused(ask(system, "POST", json=body, by="outsider")), "no role in its environment"
    theirs = {**body, "metadata": {"collection_id": system.globex.web.collection_id}}
    assert "metadata.collection_id" in refused(ask(system, "POST", json=theirs))


def test_there_is_an_end_to_how_many(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST", 2)
    make(system)
    first = make(system)
    assert ask(system, "POST", json=HTTP).status == 409
    ask(system, "DELETE", f"/{first['id']}")
    assert ask(system, "POST", json=HTTP).status == 200, "archived ones do not count"


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_anywhere_leaves_a_whole_destination_or_none(system: System, kind: Kind) -> None:
    """trust.md F1, F24: fail closed; a lost answer of our own write is not taken for somebody else's."""
    for at in range(12):
        before = len(ask(system, "GET").json())
        with system.cloud.fault(kind, at) as fault:
            answer = ask(system, "POST", json=HTTP)
        assert answer.status in (200, 502, 503), (at, answer)
        listed = ask(system, "GET").json()
        assert len(listed) - before in ((1,) if answer.status == 200 else (0, 1)), (kind, at)
        assert all(each["metadata"]["signing_secret"] == "****LaSw" for each in listed)
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")


def test_the_same_request_under_a_key_makes_one(system: System) -> None:
    """trust.md F1: one resource, same answer; a key is its caller's own (trust.md §0.11)."""
    headers = {"Idempotency-Key": "once"}
    first = ask(system, "POST", json=HTTP, headers=headers)
    system.skip(5)
    assert ask(system, "POST", json=HTTP, headers=headers).body == first.body
    assert ask(system, "POST", json={**HTTP, "name": "other"}, headers=headers).status == 409
    assert ask(system, "POST", json=HTTP, headers=headers, by="owner").json()["id"] != first.json()["id"]
    theirs = system.request("POST", "/v1/destination", json=HTTP, headers=headers, token=system.globex.token("member")).json()
    assert theirs["id"] != first.json()["id"]
    changed = ask(system, "PUT", f"/{first.json()['id']}", json={"name": "renamed"}).json()
    assert ask(system, "POST", json=HTTP, headers=headers).json() == changed
    assert len(ask(system, "GET").json()) == 2


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_anywhere_and_the_same_under_a_key_make_one(system: System, kind: Kind) -> None:
    for at in range(12):
        headers = {"Idempotency-Key": f"{kind}-{at}"}
        with system.cloud.fault(kind, at) as fault:
            ask(system, "POST", json=HTTP, headers=headers)
        assert ask(system, "POST", json=HTTP, headers=headers).status == 200
        assert len(ask(system, "GET").json()) == at + 1
        if not fault.happened:
            return
    raise AssertionError("more calls than expected")
