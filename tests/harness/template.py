"""template.yaml as CloudFormation would see it: SAM's own translator does the work, and this file resolves the intrinsics."""

from __future__ import annotations

import copy
import functools
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"  # the account that moto pretends to be
STACK = "tapedeck"
API_ID = "tapedeck01"
_ABSENT = object()


class _NoManagedPolicies:
    """The translator asks for AWS's managed policies by name; no function here may use one that is not in this list."""

    def load(self) -> dict[str, str]:
        return {"AWSLambdaBasicExecutionRole": "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"}


@dataclass(frozen=True)
class Route:
    """One method and path of the API, and the function (logical id) that answers it; None where API Gateway does (a CORS mock)."""

    method: str
    path: str
    function: str | None
    integration: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    def match(self, path: str) -> dict[str, str] | None:
        """The path's parameters, still percent-encoded; None when the path is another one. A slash at the end is neither here nor there."""
        found = _pattern(self.path.rstrip("/")).fullmatch(path.rstrip("/"))
        return None if found is None else {_plain(name): value for name, value in found.groupdict().items()}

    @property
    def precision(self) -> tuple[bool, int]:
        """API Gateway prefers literal segments to parameters, and parameters to a greedy one."""
        return ("+}" not in self.path, -self.path.count("{"))


def _safe(name: str) -> str:
    return name.replace("-", "__dash__")


def _plain(name: str) -> str:
    return name.replace("__dash__", "-")


@functools.cache
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]+\})", path)
    return re.compile(
        "".join(
            f"(?P<{_safe(part[1:-2])}>.+)"
            if part.endswith("+}")
            else f"(?P<{_safe(part[1:-1])}>[^/]+)"
            if part.startswith("{")
            else re.escape(part)
            for part in parts
        ),
        re.DOTALL,
    )


@dataclass(frozen=True)
class Function:
    """A Lambda function: its handler, its environment, what its role allows, and the resource's properties."""

    name: str
    handler: str
    environment: Mapping[str, str]
    statements: tuple[Mapping[str, Any], ...]
    properties: Mapping[str, Any] = field(repr=False)

    @property
    def file(self) -> str:
        """`family/verb_noun`: what names the source file, the example event and the test."""
        return self.handler.rpartition(".")[0].replace(".", "/")


class Template:
    """A SAM template under chosen parameters, translated to CloudFormation and resolved to plain values."""

    def __init__(self, path: Path, parameters: Mapping[str, str]) -> None:
        self.path = path
        self.source: dict[str, Any] = yaml_parse(path.read_text())
        self.parameters = {
            name: str(parameters.get(name, declared.get("Default", ""))) for name, declared in self.source.get("Parameters", {}).items()
        }
        self.cloudformation = _translate(self.source, self.parameters)
        self.resources: dict[str, dict[str, Any]] = {
            name: resource
            for name, resource in self.cloudformation["Resources"].items()
            if "Condition" not in resource or self._condition(resource["Condition"])
        }
        self.functions = {name: self._function(name, resource["Properties"]) for name, resource in self.of_type("AWS::Lambda::Function")}
        bodies = [self.resolve(resource["Properties"].get("Body", {})) for _, resource in self.of_type("AWS::ApiGateway::RestApi")]
        self.openapi: dict[str, Any] = bodies[0] if bodies else {}
        self.routes = [
            Route(method.upper(), route, self._function_of(operation), operation["x-amazon-apigateway-integration"])
            for route, operations in self.openapi.get("paths", {}).items()
            for method, operation in operations.items()
            if "x-amazon-apigateway-integration" in operation
        ]
        self.stage = next((self.resolve(stage["Properties"]["StageName"]) for _, stage in self.of_type("AWS::ApiGateway::Stage")), "")

    def of_type(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The resources of a CloudFormation type, by logical id."""
        return ((name, resource) for name, resource in self.resources.items() if resource["Type"] == kind)

    def gateway_response(self, kind: str) -> dict[str, Any]:
        """What the template says API Gateway answers by itself in this case."""
        said = self.openapi.get("x-amazon-apigateway-gateway-responses", {})
        family = "DEFAULT_5XX" if kind in ("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "API_CONFIGURATION_ERROR") else "DEFAULT_4XX"
        answer: dict[str, Any] = said.get(kind) or said.get(family) or {}
        return answer

    def function_at(self, file: str) -> Function:
        """The function whose source is functions/<file>.py."""
        return next(function for function in self.functions.values() if function.file == file)

    def _function(self, name: str, properties: Mapping[str, Any]) -> Function:
        role = self.resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
        statements = [
            statement for policy in role.get("Policies", []) for statement in as_list(self.resolve(policy["PolicyDocument"])["Statement"])
        ]
        plain = self.resolve({key: value for key, value in properties.items() if key != "Role"})
        return Function(name, plain["Handler"], plain.get("Environment", {}).get("Variables", {}), tuple(statements), plain)

    def _function_of(self, operation: Mapping[str, Any]) -> str | None:
        integration = operation["x-amazon-apigateway-integration"]
        return self.function_with_arn(integration["uri"]) if integration["type"].lower() == "aws_proxy" else None

    def function_with_arn(self, arn: str) -> str:
        """The logical id of the function that an ARN, an integration's URI or a bare name means."""
        found = re.search(r"(?:function:)?([^/:]+)(?:/invocations)?$", arn)
        return next(name for name in self.functions if found and self.physical_id(name) == found[1])

    # Intrinsics -----------------------------------------------------------------------------------------------------------------------

    def resolve(self, value: Any) -> Any:
        """The value that CloudFormation would put there; AWS::NoValue leaves nothing."""
        if isinstance(value, list):
            return [plain for plain in map(self.resolve, value) if plain is not _ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            if name == "Ref":
                return self._ref(argument)
            if name.startswith("Fn::") or name == "Condition":
                return getattr(self, "_" + name.removeprefix("Fn::").lower())(argument)
        return {key: plain for key, plain in ((key, self.resolve(inner)) for key, inner in value.items()) if plain is not _ABSENT}

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": STACK,
            "AWS::StackId": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/1",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": _ABSENT,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            declared = self.source["Parameters"][name]["Type"]
            return self.parameters[name].split(",") if declared == "CommaDelimitedList" else self.parameters[name]
        return self.physical_id(name)

    def physical_id(self, name: str) -> str:
        """The name under which AWS would know a resource."""
        resource = self.cloudformation["Resources"][name]
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind == "AWS::SQS::Queue":
            return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self._named(name, properties, 'QueueName')}"
        if kind == "AWS::ApiGateway::RestApi":
            return API_ID
        if kind == "AWS::S3::Bucket":
            return str(self._named(name, properties, "BucketName")).lower()
        if kind == "AWS::KMS::Key":
            return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
        if kind == "AWS::SNS::Topic":
            return f"arn:aws:sns:{REGION}:{ACCOUNT}:{self._named(name, properties, 'TopicName')}"
        return str(self._named(name, properties, "TableName", "FunctionName", "RoleName", "LogGroupName", "Name", "AlarmName"))

    def _named(self, name: str, properties: Mapping[str, Any], *keys: str) -> Any:
        return next((self.resolve(properties[key]) for key in keys if key in properties), f"{STACK}-{name}")

    def _getatt(self, argument: str | list[str]) -> str:
        name, _, attribute = argument.partition(".") if isinstance(argument, str) else (argument[0], "", argument[1])
        kind, own = self.cloudformation["Resources"][name]["Type"], self.physical_id(name)
        last = own.rpartition("/")[2]
        arns = {
            "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{own}",
            "AWS::S3::Bucket": f"arn:aws:s3:::{own}",
            "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{last}",
            "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{own}",
            "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{own}",
            "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{own}",
            "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{own}",
            "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{own}:*",
        }
        if attribute == "Arn":
            return arns.get(kind, f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{own}")
        return {"QueueName": last, "RootResourceId": "root"}.get(attribute, f"{own}.{attribute}")

    def _sub(self, argument: str | list[Any]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], self.resolve(argument[1]))

        def replace(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            return str(own[name] if name in own else self._getatt(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _join(self, argument: list[Any]) -> str:
        return str(argument[0]).join(map(str, self.resolve(argument[1])))

    def _select(self, argument: list[Any]) -> Any:
        return self.resolve(argument[1])[int(self.resolve(argument[0]))]

    def _split(self, argument: list[Any]) -> list[str]:
        return str(self.resolve(argument[1])).split(argument[0])

    def _findinmap(self, argument: list[Any]) -> Any:
        name, first, second = self.resolve(argument)
        return self.resolve(self.source["Mappings"][name][first][second])

    def _if(self, argument: list[Any]) -> Any:
        return self.resolve(argument[1] if self._condition(argument[0]) else argument[2])

    def _condition(self, name: str) -> bool:
        return bool(self.resolve(self.source["Conditions"][name]))

    def _equals(self, argument: list[Any]) -> bool:
        first, second = self.resolve(argument)
        return str(first) == str(second)

    def _not(self, argument: list[Any]) -> bool:
        return not self.resolve(argument[0])

    def _and(self, argument: list[Any]) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: list[Any]) -> bool:
        return any(self.resolve(argument))


def as_list(value: Any) -> list[Any]:
    """IAM's and CloudFormation's habit of writing one thing without its brackets."""
    return value if isinstance(value, list) else [value]


def _translate(source: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks botocore which partition it is in
    fragment = json.loads(json.dumps(copy.deepcopy(source), default=str))
    # `sam package` would have uploaded these; the translator only accepts what it would have put in their place.
    uploaded = "s3://code/package.zip"
    fragment.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for resource in fragment["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = uploaded
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            resource["Properties"]["ContentUri"] = uploaded
    translated: dict[str, Any] = transform(fragment, dict(parameters), _NoManagedPolicies())
    return translated


@functools.cache
def load(path: Path = ROOT / "template.yaml", parameters: tuple[tuple[str, str], ...] = ()) -> Template:
    """The translated template; translated once in a test run for each set of parameters."""
    return Template(path, dict(parameters))
