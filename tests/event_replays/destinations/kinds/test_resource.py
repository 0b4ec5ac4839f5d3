"""What the AWS kinds share: whose credentials, which failures may pass, and that one bad event does not fail its neighbours (F9, T19)."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from tapedeck import aws
from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.model import Outcome
from tapedeck.event_replays.destinations.packing import packed
from tests.event_replays.destinations.asking import deliveries, make, opened
from tests.harness import System

OWN, OTHER = "123456789012", "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/tapedeck-dest-writer"


class Scripted(resource.Sender):
    """A sender whose calls fail as a test has written down."""

    service, actions, arn, most_bytes = "sqs", (), "arn", 10_000

    def __init__(self, *said: Any) -> None:
        self.said_next, self.calls = list(said), []

    def call(self, batch: Any) -> Any:
        self.calls.append([each.number for each in batch])
        said = self.said_next.pop(0) if self.said_next else {}
        if isinstance(said, Exception):
            raise said
        return said

    def look(self) -> None:
        self.call([])


def refusal(code: str, status: int = 400) -> ClientError:
    """What botocore raises."""
    return ClientError({"Error": {"Code": code, "Message": "canary: our account is 123"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Send")


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (refusal("ThrottlingException"), Outcome(False, True, None, 400, "ThrottlingException")),
        (refusal("RequestThrottled"), Outcome(False, True, None, 400, "RequestThrottled")),
        (refusal("ProvisionedThroughputExceededException"), Outcome(False, True, None, 400, "ProvisionedThroughputExceededException")),
        (refusal("KMSInternalException", 500), Outcome(False, True, None, 500, "KMSInternalException")),
        (refusal("SlowDown", 503), Outcome(False, True, None, 503, "SlowDown")),
        (refusal("TooManyRequestsException", 429), Outcome(False, True, None, 429, "TooManyRequestsException")),
        (refusal("AccessDenied", 403), Outcome(False, False, None, 403, "AccessDenied")),
        (refusal("AWS.SimpleQueueService.NonExistentQueue"), Outcome(False, False, None, 400, "NonExistentQueue")),
        (refusal("ResourceNotFoundException", 404), Outcome(False, False, None, 404, "ResourceNotFoundException")),
        (EndpointConnectionError(endpoint_url="canary"), Outcome(False, True, None, None, "Failed to connect")),
    ],
)
def test_what_a_refusal_means_for_a_batch(failure: Exception, expected: Outcome) -> None:
    sender = Scripted(failure)
    assert [each._replace(latency_ms=0) for each in sender.send(deliveries(1, 2, 3))] == [expected] * 3
    assert len(sender.calls) == 1
    assert Scripted(failure).check()._replace(latency_ms=0) == expected


def test_partial_failures_are_those_events_alone() -> None:
    sender = Scripted({1: ("InternalFailure", True), 2: ("InvalidMessage", False)})
    first, second, third, fourth = sender.send(deliveries(1, 2, 3, 4))
    assert first.ok
    assert fourth.ok
    assert (second.ok, second.retry, second.message) == (False, True, "InternalFailure")
    assert (third.ok, third.retry, third.message) == (False, False, "InvalidMessage")


def test_who_spoils_a_batch_is_found_and_fails_alone() -> None:
    bad = refusal("InvalidMessageContents")
    sender = Scripted(bad, {}, bad, {})
    assert [each.ok for each in sender.send(deliveries(1, 2, 3))] == [True, False, True]
    assert sender.calls == [[7, 8, 9], [7], [8], [9]]


def test_too_large_an_event_is_never_sent_and_the_others_are() -> None:
    sender = Scripted()
    outcomes = sender.send(deliveries(1, b'"' + b"x" * 10_000 + b'"', 3))
    assert [each.ok for each in outcomes] == [True, False, True]
    assert (outcomes[1].retry, outcomes[1].message) == (False, "larger than 10000 bytes")
    assert sender.calls == [[7], [9]]


@given(st.lists(st.integers(0, 30)), st.integers(1, 5), st.integers(1, 40))
def test_batches_are_whole_in_order_and_within_their_limits(sizes: list[int], most: int, most_bytes: int) -> None:
    parts = list(packed(sizes, most, most_bytes))
    assert [index for part in parts for index in part] == list(range(len(sizes)))
    assert all(len(part) <= most and (len(part) == 1 or sum(sizes[index] for index in part) <= most_bytes) for part in parts)


def test_another_accounts_resource_is_reached_through_its_role_alone(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """trust.md T19: the external id is ours and the organization's, and the session may do what this destination needs and no more."""
    theirs = {"region_name": "us-east-1", **_credentials(OTHER)}
    boto3.client("sqs", **theirs).create_queue(QueueName="orders")
    assumed: list[dict[str, Any]] = []
    sts = aws.client("sts")
    assume = sts.assume_role
    monkeypatch.setattr(sts, "assume_role", lambda **asked: assumed.append(asked) or assume(**asked))
    made = make(system, type="sqs", metadata={"aws_account_id": OTHER, "queue_name": "orders", "region": "us-east-1", "role_arn": ROLE})
    with system.cloud.watch() as calls, opened(system, made) as sender:
        assert [each.ok for each in sender.send(deliveries({"a": 1}))] == [True]
        assert [each.ok for each in sender.send(deliveries({"a": 2}))] == [True]
    [asked] = assumed
    assert (asked["RoleArn"], asked["ExternalId"]) == (ROLE, f"tapedeck-{system.acme.team_id}")
    [statement] = json.loads(asked["Policy"])["Statement"]
    assert statement == {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueAttributes"], "Resource": [f"arn:aws:sqs:us-east-1:{OTHER}:orders"]}
    assert [str(call) for call in calls if call.service in ("sts", "sqs")] == ["sts:AssumeRole", "sqs:SendMessageBatch", "sqs:SendMessageBatch"]
    queue = boto3.client("sqs", **theirs)
    got = queue.receive_message(QueueUrl=queue.get_queue_url(QueueName="orders")["QueueUrl"], MaxNumberOfMessages=10)["Messages"]
    assert sorted(each["Body"] for each in got) == ['{"a":1}', '{"a":2}']


def test_a_role_that_does_not_let_us_in_is_an_outcome(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> Any:
        raise refusal("AccessDenied", 403)

    monkeypatch.setattr(aws.client("sts"), "assume_role", refuse)
    made = make(system, type="s3", metadata={"bucket": "theirs", "role_arn": ROLE})
    with opened(system, made) as sender:
        [outcome] = sender.send(deliveries(1))
        assert (outcome.ok, outcome.retry, outcome.message) == (False, False, "AccessDenied")
        assert sender.check().message == "AccessDenied"


def _credentials(account: str) -> dict[str, str]:
    """moto's way into another account."""
    made = boto3.client("sts", region_name="us-east-1").assume_role(RoleArn=f"arn:aws:iam::{account}:role/tests", RoleSessionName="tests")["Credentials"]
    return {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"], "aws_session_token": made["SessionToken"]}
