"""The harness itself, on a template of a dozen lines: what it lets through, what it injects, what it counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tapedeck import clock
from tests.harness import KINDS, System

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: local}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Globals:
  Function: {CodeUri: functions, Runtime: python3.13, Timeout: 3, Environment: {Variables: {TABLE: !Ref Things, QUEUE: !Ref Bells}}}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v
      BinaryMediaTypes: ["*/*"]
      GatewayResponses:
        MISSING_AUTHENTICATION_TOKEN:
          StatusCode: 404
          ResponseParameters: {Headers: {Request-Id: context.requestId, X-Stage: !If [IsProd, "'prod'", "'other'"]}}
          ResponseTemplates: {application/json: '{"detail":$context.error.messageString}'}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Dead: {Type: AWS::SQS::Queue}
  Bells:
    Type: AWS::SQS::Queue
    Properties: {RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}}
  Put:
    Type: AWS::Serverless::Function
    Properties:
      Handler: things.put.lambda_handler
      Policies:
        - Statement:
            - {Effect: Allow, Action: ["dynamodb:PutItem", "dynamodb:GetItem"], Resource: !GetAtt Things.Arn}
            - {Effect: Allow, Action: "sqs:SendMessage", Resource: !GetAtt Bells.Arn}
      Events:
        Put: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: "/things/{name}/"}}
        Mine: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: "/things/mine/"}}
        All: {Type: Api, Properties: {RestApiId: !Ref Api, Method: POST, Path: "/all/{rest+}"}}
  Ring:
    Type: AWS::Serverless::Function
    Properties:
      Handler: things.ring.lambda_handler
      Policies: [{Statement: [{Effect: Allow, Action: "dynamodb:UpdateItem", Resource: !Sub "${Things.Arn}"}]}]
      Events:
        Bell: {Type: SQS, Properties: {Queue: !GetAtt Bells.Arn, BatchSize: 2, FunctionResponseTypes: [ReportBatchItemFailures]}}
        Tick: {Type: Schedule, Properties: {Schedule: rate(10 minutes)}}
"""
PUT = """
import json, os
from tapedeck import aws

def lambda_handler(event, context):
    names, table = event["pathParameters"] or {}, os.environ["TABLE"]
    dynamodb = aws.client("dynamodb")
    if "forbidden" in names.values():
        dynamodb.delete_item(TableName=table, Key={"pk": {"S": "x"}})
    if "big" in names.values():
        return {"statusCode": 200, "body": "x" * 7_000_000}
    aws.together(
        lambda: dynamodb.get_item(TableName=table, Key={"pk": {"S": "x"}}),
        lambda: dynamodb.get_item(TableName=table, Key={"pk": {"S": "y"}}),
    )
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "thing"}})
    aws.client("sqs").send_message(QueueUrl=os.environ["QUEUE"], MessageBody=names.get("name", "-"))
    return {"statusCode": 200, "multiValueHeaders": {"A": ["1", "2"]}, "body": json.dumps(event)}
"""
RING = """
import os
from tapedeck import aws, clock

def lambda_handler(event, context):
    failed = []
    for record in event.get("Records", [{"body": f"tick at {clock.now():.0f}", "messageId": "-"}]):
        if record["body"] == "poison":
            failed.append({"itemIdentifier": record["messageId"]})
            continue
        aws.client("dynamodb").update_item(
            TableName=os.environ["TABLE"], Key={"pk": {"S": record["body"]}},
            UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}},
        )
    return {"batchItemFailures": failed}
"""


@pytest.fixture
def small(tmp_path: Path) -> Iterator[System]:
    """A system of two functions."""
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    (tmp_path / "functions/things").mkdir(parents=True)
    (tmp_path / "functions/things/put.py").write_text(PUT)
    (tmp_path / "functions/things/ring.py").write_text(RING)
    with System(tmp_path / "template.yaml", functions=tmp_path / "functions", Stage="prod") as running:
        yield running


def counted(system: System) -> dict[str, int]:
    """How often each thing was rung for."""
    return {item["pk"]["S"]: int(item["n"]["N"]) for item in system.items("Things") if "n" in item}


def test_a_request_reaches_the_function_as_api_gateway_would_send_it(small: System) -> None:
    answer = small.request(
        "POST", "/things/a%20b/?q=1", query={"q": ["2", "3"], "e": ""}, body=b"\x00\xff", headers={"X-Forwarded-For": "9.9.9.9"}
    )
    event = answer.json()
    assert answer.status == 200
    assert answer.multi_headers["a"] == ["1", "2"]
    assert event["pathParameters"] == {"name": "a b"}
    assert event["path"] == "/things/a%20b/"
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2", "3"], "e": [""]}
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)
    assert event["multiValueHeaders"]["X-Forwarded-For"] == ["9.9.9.9, 203.0.113.7"]
    assert event["requestContext"]["path"] == "/v/things/a%20b/"
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/things/{name}/"


def test_literal_paths_win_over_parameters_and_greedy_ones_take_the_rest(small: System) -> None:
    assert small.request("POST", "/things/mine/").json()["resource"] == "/things/mine/"
    assert small.request("POST", "/all/a/b").json()["pathParameters"] == {"rest": "a/b"}


def test_a_slash_at_the_end_is_neither_here_nor_there(small: System) -> None:
    assert small.request("POST", "/things/a").json()["resource"] == "/things/{name}/"
    assert small.request("POST", "/all/a/b/").json()["resource"] == "/all/{rest+}"


@pytest.mark.parametrize(("method", "path"), [("POST", "/thing/a/"), ("GET", "/things/a/"), ("POST", "/things/a/b/"), ("POST", "/")])
def test_an_unknown_route_is_the_gateways_answer(small: System, method: str, path: str) -> None:
    answer = small.request(method, path)
    assert answer.status == 404
    assert answer.json() == {"detail": "Missing Authentication Token"}
    assert answer.headers["request-id"]
    assert answer.headers["x-stage"] == "prod"


def test_too_much_for_lambda_or_for_the_gateway_is_413(small: System) -> None:
    assert small.request("POST", "/things/a/", body=b"x" * 4_400_000).status == 200
    assert small.request("POST", "/things/a/", body=b"x" * 4_800_000).status == 413
    with pytest.raises(AssertionError, match="6 MB"):
        small.request("POST", "/things/big/")


def test_calls_are_counted_by_round_trips(small: System) -> None:
    with small.cloud.watch() as calls:
        small.request("POST", "/things/a/")
    assert [str(call) for call in calls] == ["dynamodb:GetItem", "dynamodb:GetItem", "dynamodb:PutItem", "sqs:SendMessage"]
    assert [call.trip for call in calls] == [1, 1, 2, 3]
    assert small.cloud.trips == 3


def test_a_function_is_held_to_its_role(small: System) -> None:
    with pytest.raises(Exception, match="AccessDenied"):
        small.request("POST", "/things/forbidden/")
    assert small.cloud.denied == ["things/put may not dynamodb:DeleteItem on arn:aws:dynamodb:us-east-1:123456789012:table/tapedeck-Things"]


@pytest.mark.parametrize("kind", KINDS)
def test_faults_happen_at_the_call_they_name(small: System, kind: str) -> None:
    with small.cloud.fault(kind, 2) as fault:  # type: ignore[arg-type]
        if kind in ("refused", "answers-lost"):
            with pytest.raises(Exception, match=r"Throughput|closed"):
                small.request("POST", "/things/a/")
        else:
            assert small.request("POST", "/things/a/").status == (502 if kind.startswith("killed") else 200)
    assert fault.happened
    assert bool(small.items("Things")) is (kind not in ("killed-before", "refused"))
    assert fault.attempts == {"refused": 4, "answers-lost": 4, "throttled": 2, "answer-lost": 2}.get(kind, 1)


def test_another_sandbox_can_run_between_two_calls(small: System) -> None:
    with small.cloud.watch() as calls, small.cloud.between(2, lambda: small.request("POST", "/things/b/") and None):
        assert small.request("POST", "/things/a/").json()["pathParameters"] == {"name": "a"}
    assert [str(call) for call in calls].count("dynamodb:PutItem") == 2
    assert [call.trip for call in calls] == [1, 1, 1, 1, 2, 3, 2, 3]


def test_queues_are_drained_and_poison_goes_to_the_dead_letters(small: System) -> None:
    for name in ("a", "poison", "b", "a"):
        small.request("POST", f"/things/{name}/")
    small.drain()
    assert counted(small) == {"a": 2, "b": 1}
    sqs = small.client("sqs")
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=small.template.physical_id("Dead"))["Messages"]] == ["poison"]


def test_time_passes_only_when_told_and_fires_what_is_due(small: System) -> None:
    start = clock.now()
    small.advance(1500)
    assert clock.now() == start + 1500
    assert set(counted(small)) == {f"tick at {start + 600:.0f}", f"tick at {start + 1200:.0f}"}
