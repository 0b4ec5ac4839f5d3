"""AWS as the functions meet it: moto, with every call numbered, held to the function's own role, and made to fail on request."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import unquote

import botocore.client
import botocore.endpoint
import botocore.signers
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse

from tests.harness import quick
from tests.harness.template import ACCOUNT, REGION, Function, as_list

Kind = Literal["killed-before", "killed-after", "throttled", "refused", "answer-lost", "answers-lost"]
# Lambda dies before or after the call is applied · the first attempt, or every attempt, is throttled · the first answer, or every
# answer, is lost on the way back although the call was applied (botocore sends it again by itself).
MOST_PAYLOAD = 6 * 1024 * 1024  # of Lambda, either way
KINDS: tuple[Kind, ...] = ("killed-before", "killed-after", "throttled", "refused", "answer-lost", "answers-lost")


class Killed(BaseException):
    """The sandbox is gone in the middle of a call: nothing after this line ran."""


@dataclass(frozen=True)
class Call:
    """One call of a function to AWS. `trip` numbers the round trips of an invocation: calls side by side share one."""

    function: str
    service: str
    operation: str
    params: Mapping[str, Any]
    trip: int

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"

    def needs(self) -> list[tuple[str, str]]:
        """(IAM action, ARN) of everything that this call must be allowed."""
        return _needs(self.service, self.operation, self.params)


@dataclass
class Fault:
    """Something that happens at the `at`-th call (from 0) of what runs inside `Cloud.fault`."""

    kind: Kind
    at: int
    seen: int = -1
    attempts: int = 0
    happened: bool = False
    function: str = ""  # whose call it was


@dataclass
class Cloud:
    """What stands between a function and moto."""

    calls: list[Call] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)
    slept: float = 0.0
    backwards: bool = False  # run calls that go side by side in the opposite order
    function: Function | None = None
    run: Callable[[str, bytes], bytes | None] = lambda _name, _payload: b""  # a function of the template: what it answers, None if it fails
    names: Mapping[str, str] = field(default_factory=dict)  # under which AWS knows them → their logical ids
    _depth: int = 0
    _fault: Fault | None = None
    _between: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    _counted: int = -1
    _current: tuple[Call, int] | None = None  # with its number

    def install(self, patch: pytest.MonkeyPatch) -> None:
        """Stand between, until the patch is undone."""
        make_api_call, send = botocore.client.BaseClient._make_api_call, BotocoreStubber.__call__
        presign = botocore.signers.generate_presigned_url

        def call(client: Any, operation: str, params: dict[str, Any]) -> Any:
            if self.function is None:
                return make_api_call(client, operation, params)
            with self._counting(client.meta.service_model.service_name, operation, params, own=_is_own(client)):
                return make_api_call(client, operation, params)

        def sign(client: Any, ClientMethod: str, Params: Any = None, **others: Any) -> Any:  # noqa: N803 - botocore's names
            operation = client.meta.method_to_api_mapping[ClientMethod]
            if self.function is not None:  # no round trip, but the URL can do no more than the role that signed it
                signed = Call(self.function.name, client.meta.service_model.service_name, operation, dict(Params or {}), self._depth)
                self.calls.append(signed)
                self._check(signed)
            return presign(client, ClientMethod, Params, **others)

        def stub(stubber: BotocoreStubber, event_name: str, request: Any, **others: Any) -> Any:
            name = self.names.get(_invoked(request))
            if name is not None:
                return self._answer(lambda: self._invoke(name, request), event_name, request)
            return self._answer(lambda: send(stubber, event_name, request, **others), event_name, request)

        quick.install(patch)
        patch.setattr(botocore.client.BaseClient, "_make_api_call", call)
        patch.setattr(botocore.signers, "generate_presigned_url", sign)
        patch.setattr(BotocoreStubber, "__call__", stub)
        patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=self._sleep))

    # What the tests use ----------------------------------------------------------------------------------------------------------------

    @contextmanager
    def invoking(self, function: Function) -> Iterator[None]:
        """Calls made in here are this function's. An invocation inside another (two sandboxes at once) keeps its own count of trips."""
        outer = self.function, self._depth
        self.function, self._depth = function, 0
        try:
            yield
        finally:
            self.trips = self._depth
            self.function, self._depth = outer

    trips: int = 0  # round trips of the last invocation, one after another

    @contextmanager
    def fault(self, kind: Kind, at: int) -> Iterator[Fault]:
        """Let this happen at the `at`-th call made in here."""
        self._fault = fault = Fault(kind, at)
        try:
            yield fault
        finally:
            self._fault = None

    @contextmanager
    def between(self, at: int, action: Callable[[], None]) -> Iterator[None]:
        """Run `action` completely just before the `at`-th call made in here: what another sandbox does at that moment."""
        self._between, self._counted = [(at, action)], -1
        try:
            yield
        finally:
            self._between = []

    @contextmanager
    def watch(self) -> Iterator[list[Call]]:
        """The calls made in here."""
        start = len(self.calls)
        seen: list[Call] = []
        try:
            yield seen
        finally:
            seen.extend(self.calls[start:])

    def together(self, *calls: Callable[[], Any]) -> list[Any]:
        """`tapedeck.aws.together`, one after the other so that a test is the same each time, counted as one round trip."""
        start, deepest = self._depth, self._depth
        results: list[Any] = [None] * len(calls)
        failures: dict[int, Exception] = {}
        for index in reversed(range(len(calls))) if self.backwards else range(len(calls)):
            self._depth = start
            try:
                results[index] = calls[index]()
            except Exception as failure:  # noqa: BLE001 - as the real one: every call ends before the first failure goes up
                failures[index] = failure
            deepest = max(deepest, self._depth)
        self._depth = deepest
        if failures:
            raise failures[min(failures)]
        return results

    # How ------------------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _counting(self, service: str, operation: str, params: dict[str, Any], *, own: bool) -> Iterator[None]:
        assert self.function is not None
        self._counted += 1
        for action in [action for at, action in self._between if at == self._counted]:
            self._between = []
            within = self.function, self._depth
            action()
            self.function, self._depth = within
        self._depth += 1
        call = Call(self.function.name, service, operation, params, self._depth)
        self.calls.append(call)
        if own:
            self._check(call)
        if self._fault is not None:
            self._fault.seen += 1
        outer = self._current
        self._current = call, self._fault.seen if self._fault is not None else -1
        try:
            yield
        finally:
            self._current = outer

    def _invoke(self, name: str, request: AWSPreparedRequest) -> AWSResponse:
        """Lambda's Invoke, of a function of the template: its own round trips, one after another, are the caller's as well."""
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        assert len(body) <= MOST_PAYLOAD, "Lambda refuses an event beyond 6 MB"
        answer = self.run(name, body)
        self._depth += self.trips
        failed = {"x-amz-function-error": "Unhandled"} if answer is None else {}
        assert answer is None or len(answer) <= MOST_PAYLOAD, "Lambda refuses an answer beyond 6 MB"
        return AWSResponse(request.url, 200, failed, MockRawResponse(answer or b'{"errorType": "Runtime.ExitError"}'))

    def _check(self, call: Call) -> None:
        assert self.function is not None
        for action, resource in call.needs():
            if not allows(self.function.statements, action, resource):
                self.denied.append(f"{self.function.file} may not {action} on {resource}")
                raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": self.denied[-1]}}, call.operation)

    def _answer(self, send: Callable[[], Any], event_name: str, request: Any) -> Any:
        fault = self._fault
        if fault is None or self._current is None or self._current[1] != fault.at:
            return send()
        call, _ = self._current
        fault.attempts += 1
        fault.happened, fault.function = True, call.function
        first = fault.attempts == 1
        if fault.kind == "killed-before":
            raise Killed
        if fault.kind == "killed-after":
            send()
            raise Killed
        if fault.kind == "refused" or (fault.kind == "throttled" and first):
            return _throttled(call.service, request.url)
        answer = send()
        if fault.kind == "answers-lost" or (fault.kind == "answer-lost" and first):
            raise ConnectionClosedError(endpoint_url=request.url)
        return answer

    def _sleep(self, seconds: float) -> None:
        self.slept += seconds


# The one condition in use: roles are passed to EventBridge Scheduler and to nobody else (`_needs` asks for no other passing).
_PASSED = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
def _is_own(client: Any) -> bool:
    """Whether a client calls as the function's own role, not as one that it has assumed."""
    return client._request_signer._credentials is None or not client._request_signer._credentials.token


def allows(statements: tuple[Mapping[str, Any], ...], action: str, resource: str) -> bool:
    """Whether these statements of a role allow an action on an ARN."""
    allowed = False
    for statement in statements:
        assert statement.get("Condition") in (None, _PASSED), "other conditions of policies are not read here yet"
        if any(_like(action, pattern, fold=True) for pattern in as_list(statement["Action"])) and any(
            _like(resource, pattern) for pattern in as_list(statement["Resource"])
        ):
            if statement["Effect"] == "Deny":
                return False
            allowed = True
    return allowed


def _invoked(request: AWSPreparedRequest) -> str:
    """The name of the function that a request invokes; empty when it is another request."""
    found = re.fullmatch(r"https://lambda\.[^/]+/2015-03-31/functions/([^/]+)/invocations", request.url)
    return unquote(found[1]) if found else ""


def _like(text: str, pattern: str, *, fold: bool = False) -> bool:
    return fnmatch.fnmatchcase(text.lower(), pattern.lower()) if fold else fnmatch.fnmatchcase(text, pattern)


_TRANSACTED = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}
_S3 = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "ListObjects": "ListBucket", "DeleteObjects": "DeleteObject"}


def _needs(service: str, operation: str, params: Mapping[str, Any]) -> list[tuple[str, str]]:
    if service == "dynamodb":
        if "TransactItems" in params:
            return [
                (f"dynamodb:{_TRANSACTED[kind]}", _table(inner["TableName"]))
                for item in params["TransactItems"]
                for kind, inner in item.items()
            ]
        if "RequestItems" in params:
            return [(f"dynamodb:{operation}", _table(name)) for name in params["RequestItems"]]
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        return [(f"dynamodb:{operation}", _table(params["TableName"]) + index)]
    if service == "s3":
        bucket, action = f"arn:aws:s3:::{params['Bucket']}", f"s3:{_S3.get(operation, operation)}"
        keys = [params["Key"]] if "Key" in params else [each["Key"] for each in params.get("Delete", {}).get("Objects", [])]
        tagged = [("s3:PutObjectTagging", f"{bucket}/{key}") for key in keys if "Tagging" in params]
        return [*((action, f"{bucket}/{key}") for key in keys), *tagged] or [(action, bucket)]
    if service == "scheduler":
        passed = [("iam:PassRole", params["Target"]["RoleArn"])] if "Target" in params else []
        return [(f"scheduler:{operation}", _arn("scheduler", f"schedule/{params['GroupName']}/{params['Name']}")), *passed]
    if service in _RESOURCE:
        action = _ACTION.get(operation, operation.removesuffix("Batch"))
        return [(f"{service}:{action}", _arn(service, name)) for name in _RESOURCE[service](params)]
    return [(f"{service}:{operation}", "*")]


_ACTION = {"Invoke": "InvokeFunction"}
_RESOURCE: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {  # what these services' calls are about, as an ARN or the end of one
    "sqs": lambda params: ["arn:aws:sqs:{}:{}:{}".format(REGION, *params["QueueUrl"].split("/")[-2:])],
    "kms": lambda params: [f"key/{params['KeyId']}"],
    "sns": lambda params: [params["TopicArn"]],
    "events": lambda params: [params["Name"]] if "Name" in params else [entry["EventBusName"] for entry in params["Entries"]],
    "kinesis": lambda params: [params.get("StreamARN") or f"stream/{params['StreamName']}"],
    "lambda": lambda params: [params["FunctionName"] if ":" in params["FunctionName"] else f"function:{params['FunctionName']}"],
    "sts": lambda params: [params["RoleArn"]],
}


def _arn(service: str, name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:{service}:{REGION}:{ACCOUNT}:{name}"


def _table(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def _throttled(service: str, url: str) -> AWSResponse:
    if service == "s3":
        body = "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
        return AWSResponse(url, 503, {"content-type": "application/xml"}, MockRawResponse(body))
    code = "ProvisionedThroughputExceededException" if service == "dynamodb" else "ThrottlingException"
    body = json.dumps({"__type": f"com.amazonaws.{service}#{code}", "message": "Rate exceeded"})
    return AWSResponse(url, 400, {"content-type": "application/x-amz-json-1.0"}, MockRawResponse(body))
