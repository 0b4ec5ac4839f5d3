"""The real `sam build` and `sam deploy` of template.yaml, onto MiniStack, only when something changed since the last start."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.exceptions import ClientError, EndpointConnectionError

from tapedeck_cli.emulator import environment
from tapedeck_cli.local import ROOT, Home
from tapedeck_cli.trouble import Trouble

STACK = "tapedeck"
_SOURCES = ("template.yaml", "samconfig.toml", "Makefile", "functions", "layers", "console")
_HOST, _BASE = "127.0.0.1", "v"


def fingerprint(port: int) -> str:
    """A digest of everything that a deployment is made of: files, interpreter, processor, port."""
    digest = hashlib.sha256(f"{port} {sys.version_info[:2]} {platform.machine()}".encode())
    for path in sorted(_files()):
        digest.update(f"\0{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def outputs() -> dict[str, str] | None:
    """What the deployed stack says of itself; None when there is none, or one that never came to its end."""
    try:
        stack = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    except EndpointConnectionError:
        raise Trouble("the local AWS does not answer: `make run` starts it") from None
    except (ClientError, IndexError):
        return None
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def physical_id(logical_id: str) -> str | None:
    """The name that a resource of the stack was given."""
    found = boto3.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return next((resource["PhysicalResourceId"] for resource in found if resource["LogicalResourceId"] == logical_id), None)


def build(home: Home, port: int) -> None:
    """`make build`: the one place that knows how to build for this machine."""
    if shutil.which("make") is None:
        raise Trouble("make is missing: it is one of the three tools that Tapedeck starts from")
    _run(home, "build", ["make", "-C", str(ROOT), f"PYTHON={_interpreter()}", "build"], port)


def deploy(home: Home, port: int, public_url: str) -> None:
    """`sam deploy` of what was built."""
    parameters = {
        "Stage": "local",
        "Runtime": f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "Architecture": "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64",
        "PublicUrl": public_url,
    }
    sam = ROOT / ".venvs" / "sam" / "bin" / "sam"
    if not sam.exists():
        raise Trouble("SAM CLI is not installed: start with `make run`, which installs it")
    overrides = [f"{name}={value}" for name, value in parameters.items()]
    _run(home, "deploy", [str(sam), "deploy", "--config-env", "local", "--stack-name", STACK, "--parameter-overrides", *overrides], port)


def open_door(api_id: str) -> None:
    """Let http://127.0.0.1:PORT/v reach the API, and give it the gateway's answers that MiniStack leaves out.

    MiniStack takes a custom domain of any name that has a dot in it: with 127.0.0.1 as the domain and `v` as the base path, the
    address is the same at every start and has no API id in it. The gateway responses travel inside the API's OpenAPI body, of which
    MiniStack imports routes only.
    """
    gateway = boto3.client("apigateway")
    try:
        gateway.create_domain_name(domainName=_HOST, endpointConfiguration={"types": ["REGIONAL"]})
        gateway.create_base_path_mapping(domainName=_HOST, basePath=_BASE, restApiId=api_id, stage="v")
    except ClientError as error:
        raise Trouble(f"MiniStack refused the address http://{_HOST}/{_BASE}: {error}") from None
    for kind, response in _gateway_responses().items():
        headers = response.get("ResponseParameters", {}).get("Headers", {})
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            **({"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}),
            responseParameters={f"gatewayresponse.header.{name}": value for name, value in headers.items()},
            responseTemplates=response.get("ResponseTemplates", {}),
        )
    gateway.create_deployment(restApiId=api_id, stageName="v")  # they count from the next deployment on


def _interpreter() -> str:
    # The environment's own launcher resolves to the interpreter that made it: the one `make` chose.
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        path = ROOT / name
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from (each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts)


def _run(home: Home, name: str, command: list[str], port: int) -> None:
    log = home.log(name)
    with log.open("wb") as file:
        code = subprocess.run(
            command, cwd=ROOT, env=environment(port), stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False
        ).returncode
    if code:
        raise Trouble(f"the {name} failed: {_reason(log)} (all of it: {log})")


def _reason(log: Path) -> str:
    """The line that says why: the first that begins as an error, else the first that speaks of one, else the last; and where in a file."""
    lines = [line.strip() for line in log.read_text(errors="replace").split("\n") if line.strip() and not line.startswith("make")]
    patterns = (r"\w*error\b", r"(?!build failed).*\b(error|failed|no such|not found)\b")
    found = (
        number
        for pattern in patterns
        for number, line in enumerate(lines)
        if re.match(pattern, line, re.IGNORECASE) and "requirements.txt file not found" not in line
    )
    number = next(found, len(lines) - 1)
    if number < 0:
        return "it said nothing"
    # A YAML error tells on its last lines what it met, and where; pip tells every version that there is.
    after = range(number + 2, len(lines))
    places = [(lines[at - 1], place[0]) for at in after if (place := re.search(r"line \d+, column \d+", lines[at]))]
    where = ": {} ({})".format(*places[-1]) if places else ""
    return re.sub(r" \(from versions: .*?\)", "", lines[number]) + where


class _Template(yaml.SafeLoader):
    """Reads a CloudFormation template, whose !Ref and !Sub are of no interest here."""


_Template.add_multi_constructor("!", lambda *_: None)


def _gateway_responses() -> Mapping[str, Any]:
    template = yaml.load((ROOT / "template.yaml").read_text(), _Template)  # noqa: S506 - a SafeLoader with one constructor more
    responses: Mapping[str, Any] = template["Resources"]["Api"]["Properties"].get("GatewayResponses", {})
    return responses
