"""The whole system in one process: template.yaml's functions behind its API, over moto, under a clock that only a test moves."""

from __future__ import annotations

import importlib.util
import io
import json
import logging
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from types import SimpleNamespace, TracebackType
from typing import Any

import boto3
import moto
import moto.kms.models
import moto.s3.models
import pytest
import requests
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from tapedeck import aws, clock
from tapedeck.api import auth
from tapedeck.event_replays import ringing
from tapedeck.events import ingesting
from tapedeck.events import store as event_store
from tapedeck.session_replays import store
from tests.harness import gateway, world
from tests.harness.cloud import Cloud, Killed
from tests.harness.gateway import Headers, Query, Response
from tests.harness.template import ACCOUNT, REGION, ROOT, Function, Template, load

START = 1_772_704_800.0  # Thursday, 2026-03-05, 10:00 UTC
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_handlers: dict[tuple[Path, str], Callable[[Any, Any], Any]] = {}
# What the making of an organization wrote, by everything that it depends on: made once in a test run, written again in two calls.
_worlds: dict[tuple[str, bool, float, str], tuple[world.World, list[dict[str, Any]]]] = {}
_lock = threading.RLock()


@dataclass
class Context:
    """Lambda's context object."""

    function_name: str
    deadline: float
    memory_limit_in_mb: str = "512"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def invoked_function_arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Until the function's timeout, by the virtual clock."""
        return int((self.deadline - clock.now()) * 1000)


@dataclass
class Due:
    """A schedule of the template: the function, and when it is to run next."""

    function: str
    every: float
    at: float

    def run(self, system: System) -> None:
        """Invoke the function, as EventBridge does."""
        system.invoke(self.function, system._scheduled_event())


class System:
    """`with System() as system`: a fresh world. One lock, one invocation at a time."""

    def __init__(self, template: Path = ROOT / "template.yaml", *, functions: Path = ROOT / "functions", **parameters: str) -> None:
        self.template: Template = load(template, tuple(sorted(parameters.items())))
        self.cloud = Cloud()
        self.now = START
        self.logs = io.StringIO()
        self._functions = functions
        self._moto = moto.mock_aws(config={"core": {"reset_boto3_session": False}})
        self._patch = pytest.MonkeyPatch()
        self._schedules: list[Due] = []
        self._log_handlers: list[tuple[logging.Logger, logging.Handler]] = []

    def __enter__(self) -> System:
        for name, value in (("AWS_DEFAULT_REGION", REGION), ("AWS_REGION", REGION), ("AWS_EC2_METADATA_DISABLED", "true")):
            self._patch.setenv(name, value)
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            self._patch.delenv(name, raising=False)
        for function in self.template.functions.values():
            for name, value in function.environment.items():
                self._patch.setenv(name, value)
        self._moto.start()
        self.cloud.install(self._patch)
        self.cloud.run, self.cloud.names = self._run, {self.template.physical_id(name): name for name in self.template.functions}
        self._patch.setattr(aws, "together", self.cloud.together)
        self._patch.setattr(clock, "_time", SimpleNamespace(time=lambda: self.now, sleep=self.skip))
        self._patch.setattr(moto.s3.models, "utcnow", self._moto_now)
        self.cold()
        self._create_resources()
        self._schedules = list(self._declared_schedules())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for logger, handler in self._log_handlers:
            logger.removeHandler(handler)
        self._patch.undo()
        self._moto.stop()
        self.cold()

    # The door -------------------------------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        query: Query = (),
        body: bytes | str | None = None,
        json: Any = None,
        token: str | None = None,
        source_ip: str = "203.0.113.7",
    ) -> Response:
        """What a client gets from API Gateway. `url` is a path, or an absolute URL that an answer carried."""
        sent = list(headers.items() if isinstance(headers, Mapping) else headers)
        if token is not None:
            sent.append(("Authorization", f"Bearer {token}"))
        if json is not None:
            body = _dumps(json)
            sent.append(("Content-Type", "application/json"))
        asked = gateway.request(self.template.stage, method, url, headers=sent, query=query, body=body, source_ip=source_ip)
        if len(asked.body or b"") > gateway.MAX_REQUEST:
            return gateway.refusal(self.template, "REQUEST_TOO_LARGE")
        found = gateway.find(self.template, method, asked.path)
        if found is None:
            return gateway.refusal(self.template, "MISSING_AUTHENTICATION_TOKEN")
        route, names = found
        if route.function is None:
            return gateway.mock(route)
        event = gateway.event(self.template, asked, route, names, now=self.now)
        if len(_dumps(event)) > gateway.MAX_PAYLOAD:
            return gateway.refusal(self.template, "REQUEST_TOO_LARGE")
        try:
            returned = self.invoke(route.function, event)
        except Killed:
            return gateway.refusal(self.template, "INTEGRATION_FAILURE")
        assert len(_dumps(returned)) <= gateway.MAX_PAYLOAD, "Lambda refuses an answer beyond 6 MB: API Gateway says 502"
        return gateway.answer(returned)

    def follow(self, response: Response) -> Response:
        """The bucket's answer to the presigned URL of a redirect."""
        assert response.status in (302, 303, 307), response
        got = requests.get(response.headers["location"], timeout=5)
        return Response(got.status_code, {name.lower(): [value] for name, value in got.headers.items()}, got.content)

    def invoke(self, name: str, event: Any = None) -> Any:
        """What a function (logical id, or `family/file`) returns for an event."""
        function = self.template.functions.get(name) or self.template.function_at(name)
        printed = io.StringIO()
        try:
            with _lock, pytest.MonkeyPatch.context() as patch, self.cloud.invoking(function), _sandbox(), redirect_stdout(printed):
                for key, value in function.environment.items():
                    patch.setenv(key, value)
                patch.setenv("AWS_LAMBDA_FUNCTION_NAME", self.template.physical_id(function.name))
                handler = self._handler(function)
                context = Context(self.template.physical_id(function.name), self.now + float(function.properties.get("Timeout", 3)))
                return json.loads(_dumps(handler(json.loads(_dumps(event)), context)))
        except Killed:
            self._forget()
            raise
        finally:
            self._meter(printed.getvalue())

    def _run(self, name: str, event: bytes) -> bytes | None:
        """What a function answers to another that invokes it; None when it fails."""
        try:
            return _dumps(self.invoke(name, json.loads(event))).encode()
        except (Killed, Exception):  # noqa: BLE001 - whatever it is, its caller is told no more than that
            return None

    # Time -----------------------------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass: what is due runs at its time, in order. What a one-time schedule puts into a queue is delivered there and then."""
        until = self.now + seconds
        while True:
            due = min([*self._schedules, *self._one_time_schedules()], key=lambda each: each.at, default=None)
            if due is None or due.at > until:
                break
            self.now = max(self.now, due.at)
            due.at += due.every
            due.run(self)
        self.now = until

    def skip(self, seconds: float) -> None:
        """Let time pass while nothing runs."""
        self.now += seconds
        for due in self._schedules:
            due.at += seconds

    def drain(self, *, rounds: int = 100) -> int:
        """Deliver what is in the queues, and what that puts there; answers the number of messages that were taken."""
        taken = 0
        for _ in range(rounds):
            batches = [self._deliver(mapping["Properties"]) for _, mapping in self.template.of_type("AWS::Lambda::EventSourceMapping")]
            taken += sum(batches)
            if not any(batches):
                return taken
        raise AssertionError(f"the queues are not empty after {rounds} rounds")

    def cold(self) -> None:
        """New containers: nothing is remembered, every client is new."""
        self._forget()
        aws.client.cache_clear()
        aws.client_elsewhere.cache_clear()

    # What is stored -------------------------------------------------------------------------------------------------------------------

    def client(self, service: str) -> Any:
        """AWS seen from outside the functions."""
        return _outside(service)

    def items(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table, by its logical id, in AWS's typed form."""
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=self.template.physical_id(table))
        return [item for page in pages for item in page["Items"]]

    def objects(self, bucket: str = "RecordingsBucket", prefix: str = "") -> dict[str, bytes]:
        """Everything in a bucket, by its logical id."""
        s3, name = self.client("s3"), self.template.physical_id(bucket)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=prefix)
        listed = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=name, Key=key)["Body"].read() for key in listed}

    @cached_property
    def acme(self) -> world.World:
        """The organization whose people ask."""
        return self._world("acme")

    @cached_property
    def globex(self) -> world.World:
        """Another organization."""
        return self._world("globex")

    # How ------------------------------------------------------------------------------------------------------------------------------

    def _meter(self, printed: str) -> None:
        """What CloudWatch Logs does with lines in the embedded metric format, at the hour of the virtual clock."""
        for line in filter(lambda line: '"_aws"' in line, printed.splitlines()):
            told = json.loads(line)
            for directive in told["_aws"]["CloudWatchMetrics"]:
                dimensions = [{"Name": name, "Value": told[name]} for name in directive["Dimensions"][0]]
                data = [
                    {
                        "MetricName": metric["Name"],
                        "Dimensions": dimensions,
                        "Timestamp": self.now,
                        "Value": value,
                        "Unit": metric["Unit"],
                    }
                    for metric in directive["Metrics"]
                    for value in told[metric["Name"]]
                ]
                caller, self.cloud.function = self.cloud.function, None
                self.client("cloudwatch").put_metric_data(Namespace=directive["Namespace"], MetricData=data)
                self.cloud.function = caller

    def _forget(self) -> None:
        auth.forget()
        store.forget()
        event_store.forget()
        ingesting.forget()
        ringing.forget()

    def _world(self, slug: str) -> world.World:
        dev = self.template.parameters.get("Stage") == "local"
        before = self._control()
        known = (slug, dev, self.now, repr(sorted(before.items())))
        if known not in _worlds:
            made = world.create(slug, dev=dev)
            _worlds[known] = made, [item for key, item in self._control().items() if before.get(key) != item]
        made, written = _worlds[known]
        for first in range(0, len(written), 25):
            puts = [{"PutRequest": {"Item": item}} for item in written[first : first + 25]]
            self.client("dynamodb").batch_write_item(RequestItems={self.template.physical_id("ControlTable"): puts})
        return deepcopy(made)

    def _control(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in self.items("ControlTable")}

    def _handler(self, function: Function) -> Callable[[Any, Any], Any]:
        path = self._functions / f"{function.file}.py"
        name = function.handler.rpartition(".")[2]
        if (path, name) not in _handlers:
            spec = importlib.util.spec_from_file_location(f"functions_{'_'.join(path.parts[-3:])}"[:-3], path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[spec.name] = module
            spec.loader.exec_module(module)
            _handlers[path, name] = getattr(module, name)
        return _handlers[path, name]

    def _create_resources(self) -> None:
        kinds = {
            "AWS::DynamoDB::Table": self._create_table,
            "AWS::S3::Bucket": self._create_bucket,
            "AWS::SQS::Queue": self._create_queue,
            "AWS::Scheduler::ScheduleGroup": self._create_schedule_group,
            "AWS::KMS::Key": self._create_key,
        }
        for kind, create in kinds.items():
            for name, resource in sorted(self.template.of_type(kind), key=lambda each: "RedrivePolicy" in each[1].get("Properties", {})):
                create(self.template.physical_id(name), self.template.resolve(resource.get("Properties", {})))

    def _create_table(self, name: str, properties: dict[str, Any]) -> None:
        wanted = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "BillingMode")
        self.client("dynamodb").create_table(TableName=name, **{key: properties[key] for key in wanted if key in properties})

    def _create_bucket(self, name: str, _properties: dict[str, Any]) -> None:
        self.client("s3").create_bucket(Bucket=name)

    def _create_queue(self, url: str, properties: dict[str, Any]) -> None:
        wanted = ("VisibilityTimeout", "RedrivePolicy", "FifoQueue", "ContentBasedDeduplication", "DelaySeconds")
        attributes = {key: value if isinstance(value, str) else _dumps(value) for key, value in properties.items() if key in wanted}
        self.client("sqs").create_queue(QueueName=url.rpartition("/")[2], Attributes=attributes)

    def _create_schedule_group(self, name: str, _properties: dict[str, Any]) -> None:
        self.client("scheduler").create_schedule_group(Name=name)

    def _create_key(self, name: str, _properties: dict[str, Any]) -> None:
        with pytest.MonkeyPatch.context() as patch:  # AWS chooses the id of a key; here the template knows it
            patch.setattr(moto.kms.models, "generate_key_id", lambda _multi_region: name)
            self.client("kms").create_key()

    def _declared_schedules(self) -> Iterator[Due]:
        for _, rule in self.template.of_type("AWS::Events::Rule"):
            properties = self.template.resolve(rule["Properties"])
            for target in properties["Targets"] if "ScheduleExpression" in properties else ():
                every = _period(properties["ScheduleExpression"])
                yield Due(self.template.function_with_arn(target["Arn"]), every, self.now + every)

    def _one_time_schedules(self) -> list[Due]:
        """EventBridge Scheduler's one-time schedules; moto keeps them and never fires them. Each deletes itself when it is taken."""
        if not any(True for _ in self.template.of_type("AWS::Scheduler::ScheduleGroup")):
            return []
        scheduler, found = self.client("scheduler"), []
        for listed in scheduler.list_schedules()["Schedules"]:
            found.append(_OneTime(scheduler, scheduler.get_schedule(Name=listed["Name"], GroupName=listed["GroupName"])))
        return found  # type: ignore[return-value]

    def _scheduled_event(self) -> dict[str, Any]:
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT,
            "time": clock.iso(self.now).replace("+00:00", "Z"),
            "region": REGION,
            "resources": [],
            "detail": {},
        }

    def _deliver(self, mapping: Mapping[str, Any]) -> int:
        properties = self.template.resolve(mapping)
        arn = properties["EventSourceArn"]
        sqs, url = self.client("sqs"), f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{arn.rpartition(':')[2]}"
        size = min(int(properties.get("BatchSize", 10)), 10)
        got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=size, AttributeNames=["All"], MessageAttributeNames=["All"]).get(
            "Messages", []
        )
        if not got:
            return 0
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message.get("Attributes", {}),
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": arn,
                "awsRegion": REGION,
            }
            for message in got
        ]
        function = self.template.function_with_arn(properties["FunctionName"])
        try:
            said = self.invoke(function, {"Records": records}) or {}
            failed = {each["itemIdentifier"] for each in said.get("batchItemFailures", [])}
        except (Killed, Exception):  # noqa: BLE001 - the batch comes back, as Lambda's poller does it
            failed = {record["messageId"] for record in records}
        for message in got:
            if message["MessageId"] in failed:
                sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            else:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(got)

    def _moto_now(self) -> Any:
        return datetime.fromtimestamp(self.now, UTC).replace(tzinfo=None)

    def capture_logs(self) -> io.StringIO:
        """From here on, everything that is logged by anybody at INFO or above, in the form in which it is logged."""
        names = [name for name in logging.root.manager.loggerDict if logging.getLogger(name).handlers]
        for logger in [logging.getLogger(), *map(logging.getLogger, names)]:
            handler = logging.StreamHandler(self.logs)
            handler.setFormatter(logger.handlers[0].formatter if logger.handlers else None)
            logger.addHandler(handler)
            self._log_handlers.append((logger, handler))
        return self.logs


class _OneTime:
    """A schedule that moto keeps, whose target is a queue; taking it (`at` is moved on) deletes it there."""

    every = 0.0

    def __init__(self, scheduler: Any, schedule: Mapping[str, Any]) -> None:
        found = re.fullmatch(r"at\((.+)\)", schedule["ScheduleExpression"])
        assert found, "only one-time schedules are made at run time"
        assert ":sqs:" in schedule["Target"]["Arn"], "schedules ring bells"
        self._queue, self._message = schedule["Target"]["Arn"].rpartition(":")[2], schedule["Target"]["Input"]
        self._at = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
        self._delete: Callable[[], Any] = lambda: scheduler.delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])

    @property
    def at(self) -> float:
        return self._at

    @at.setter
    def at(self, _: float) -> None:
        self._delete()

    def run(self, system: System) -> None:
        """Put the message into the queue, and deliver it."""
        system.client("sqs").send_message(QueueUrl=f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._queue}", MessageBody=self._message)
        system.drain()


@cache
def _outside(service: str) -> Any:
    return boto3.client(service)


@contextmanager
def _sandbox() -> Iterator[None]:
    """Powertools keeps the event of the moment on a class: an invocation inside another must give it back."""
    kept = {name: BaseRouter.__dict__[name] for name in ("current_event", "lambda_context") if name in BaseRouter.__dict__}
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(BaseRouter, name, value)


def _period(expression: str) -> float:
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    assert found, f"the harness does not know {expression}"
    return float(found[1]) * _UNITS[found[2]]


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # before the first import of a function makes a client
