"""Everything that is said twice agrees: template ↔ route table ↔ function file ↔ example event ↔ test, role ↔ calls, import ↔ arrow."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapedeck import retention
from tapedeck.api.routes import HANDLES, ROUTES
from tests.harness import System, cloud, gateway, template
from tests.harness.template import ROOT, Template, as_list
from tests.tour import tour

STAGES = ("local", "staging", "prod")
FUNCTIONS = sorted(path.relative_to(ROOT / "functions").with_suffix("").as_posix() for path in (ROOT / "functions").glob("*/*.py"))
LAYER = ROOT / "layers/tapedeck"
VERBS = {"get", "post", "delete", "put", "patch", "preflight"}


@pytest.fixture(scope="module")
def deployed() -> Template:
    """The template as deployed to production."""
    return template.load(parameters=(("Stage", "prod"),))


def decorated(file: str) -> set[tuple[str, str]]:
    """(verb, path) of every decorator or preflight of a function file."""
    tree = ast.parse((ROOT / f"functions/{file}.py").read_text())
    found = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in VERBS
            and ast.unparse(node.func.value) == "app"
        ):
            path = node.args[0]
            assert isinstance(path, ast.Constant), f"{file}: spell the path where it is answered"
            found.add(("OPTIONS" if node.func.attr == "preflight" else node.func.attr.upper(), str(path.value)))
    return found


def invoked(deployed: Template) -> set[str]:
    """The functions that others invoke and wait for, as roles tell."""
    statements = [statement for function in deployed.functions.values() for statement in function.statements]
    arns = [arn for each in statements if "lambda:InvokeFunction" in as_list(each["Action"]) for arn in as_list(each["Resource"])]
    return {name for name in deployed.functions if deployed._getatt([name, "Arn"]) in arns}


# Route ↔ decorator ↔ table -----------------------------------------------------------------


@pytest.mark.parametrize("file", FUNCTIONS)
def test_a_file_answers_exactly_the_routes_that_the_template_sends_it(deployed: Template, file: str) -> None:
    function = deployed.function_at(file)
    assert decorated(file) == {(route.method, route.path) for route in deployed.routes if route.function == function.name}


def test_the_route_table_and_the_template_know_the_same_routes(deployed: Template) -> None:
    """trust.md §8.2: a route without an entry fails the build."""
    table = {(route.method, route.path, route.function.replace(".", "/")) for route in ROUTES}
    real = {(route.method, route.path, deployed.functions[route.function].file) for route in deployed.routes if route.function}
    assert {each for each in real if each[0] != "OPTIONS"} == table


def test_every_route_but_public_ones_needs_a_scope_and_names_an_owner() -> None:
    for route in ROUTES:
        assert (route.scope is None) == (route.reach in ("public", "ingest", "collect")), route
        assert any(f"{{{handle}}}" in route.path for handle in HANDLES) == (route.reach == "environment"), route
        assert ("{project_id}" in route.path) == (route.reach == "ingest"), route
        destructive = route.method == "DELETE" or (route.scope or "").startswith(("key:", "erase:"))
        assert route.fresh or not destructive, f"{route}: deletes and keys trust no cached key (trust.md T2)"


# File ↔ block ↔ event ↔ test -----------------------------------------------------------------


def test_every_file_is_a_function_of_the_template_and_the_other_way_round(deployed: Template) -> None:
    assert sorted(function.file for function in deployed.functions.values()) == FUNCTIONS


@pytest.mark.parametrize("file", FUNCTIONS)
def test_every_function_has_a_test_file(file: str) -> None:
    assert (ROOT / f"tests/{file.replace('/', '/test_', 1)}.py").exists()


@pytest.mark.parametrize("file", FUNCTIONS)
def test_every_function_has_an_example_event_that_api_gateway_could_have_sent(deployed: Template, file: str) -> None:
    event = json.loads((ROOT / f"events/{file}.json").read_text())
    function = deployed.function_at(file)
    routes = [route for route in deployed.routes if route.function == function.name]
    if not routes:
        if function.name in invoked(deployed):
            assert event, "what a caller asks"
            return
        rung = [record["eventSource"] for record in event.get("Records", [])]
        assert rung == ["aws:sqs"] or event["source"] == "aws.events"
        return
    found = gateway.find(deployed, event["httpMethod"], event["path"])
    assert found is not None
    assert found[0].function == function.name
    assert found[0].path == event["resource"] == event["requestContext"]["resourcePath"]
    assert (event["pathParameters"] or {}) == found[1]


def test_no_example_event_is_left_of_a_function_that_is_gone() -> None:
    assert sorted(path.relative_to(ROOT / "events").with_suffix("").as_posix() for path in (ROOT / "events").glob("*/*.json")) == FUNCTIONS


def test_no_family_hides_a_module_of_the_standard_library(deployed: Template) -> None:
    """Lambda imports `family.verb_noun`: a family named like a stdlib module is never found."""
    assert not {file.split("/")[0] for file in FUNCTIONS} & sys.stdlib_module_names


def test_every_handler_is_spelt_after_its_file(deployed: Template) -> None:
    for function in deployed.functions.values():
        assert function.handler == function.file.replace("/", ".") + ".lambda_handler"


# Policy ↔ calls -----------------------------------------------------------------


def test_a_role_allows_what_its_functions_do_and_nothing_else() -> None:
    """trust.md T18. That nothing more is *needed* is held in every test: the harness refuses what the role does not allow."""
    with System(Stage="staging") as system:
        tour(system)
        assert not system.cloud.denied
        needed: dict[str, set[tuple[str, str]]] = {}
        for call in system.cloud.calls:
            role = system.template.cloudformation["Resources"][call.function]["Properties"]["Role"]["Fn::GetAtt"][0]
            needed.setdefault(role, set()).update(call.needs())
        # Lambda itself takes messages from queues, and puts failed events into the dead letter queue.
        used_by_aws = {"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
        unused = set()
        for function in system.template.functions.values():
            role = system.template.cloudformation["Resources"][function.name]["Properties"]["Role"]["Fn::GetAtt"][0]
            for statement in function.statements:
                for action in set(as_list(statement["Action"])) - used_by_aws:
                    for resource in as_list(statement["Resource"]):
                        grant = ({"Effect": "Allow", "Action": action, "Resource": resource},)
                        if not any(cloud.allows(grant, *need) for need in needed.get(role, ())):
                            unused.add(f"{role} never uses {action} on {resource.rpartition(':')[2]}")
        assert not unused, "\n".join(sorted(unused))


def test_no_role_has_a_wildcard_action_and_none_reaches_beyond_this_stack(deployed: Template) -> None:
    for name, role in deployed.of_type("AWS::IAM::Role"):
        for policy in role["Properties"].get("Policies", []):
            for statement in as_list(deployed.resolve(policy["PolicyDocument"])["Statement"]):
                assert not [action for action in as_list(statement["Action"]) if "*" in action], f"{name}: {statement}"
                if statement["Action"] == ["cloudwatch:GetMetricData"]:
                    continue  # reads numbers, and knows no narrower resource than all of them
                for resource in as_list(statement["Resource"]):
                    key = resource == deployed._getatt("DestinationsKey.Arn")
                    assert key or re.match(r"arn:aws:\w+:.*tapedeck", resource), f"{name}: {resource}"


def test_only_those_who_must_delete_recordings_may() -> None:
    """trust.md T18: readers cannot delete objects."""
    deployed = template.load(parameters=(("Stage", "prod"),))
    for function in deployed.functions.values():
        may_delete = any(
            "s3:DeleteObject" in as_list(statement["Action"]) and any("/rec/" in str(arn) for arn in as_list(statement["Resource"]))
            for statement in function.statements
        )
        writes = function.file in {
            "session_replays/ingest_envelope",
            "session_replays/create_upload",
            "session_replays/finish_upload",
            "session_replays/delete_replay",
            "session_replays/record_view",
            "session_replays/run_delete_job",
            "session_replays/sweep_orphans",
            "deletion_jobs/run_erasure",
            "deletion_jobs/sweep_erasures",
        }
        assert writes or not may_delete, function.file


# The deployed stack -----------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_the_stack_stays_far_from_cloudformations_500_resources(stage: str) -> None:
    assert len(template.load(parameters=(("Stage", stage),)).resources) < 400


def test_the_merged_openapi_of_the_gateway_has_every_route(deployed: Template) -> None:
    merged = {(method.upper(), path) for path, operations in deployed.openapi["paths"].items() for method in operations}
    assert {(route.method, route.path) for route in ROUTES} <= merged


def test_the_gateway_passes_bodies_as_binary_and_is_regional(deployed: Template) -> None:
    """local.md: binary bodies arrive whole only with `*/*`; CloudFront would refuse GET with a body."""
    [(_, api)] = deployed.of_type("AWS::ApiGateway::RestApi")
    assert set(api["Properties"]["BinaryMediaTypes"]) == {"*/*"}
    assert api["Properties"]["EndpointConfiguration"]["Types"] == ["REGIONAL"]


def test_every_function_logs_to_a_group_that_forgets(deployed: Template) -> None:
    groups = {deployed.physical_id(name): group["Properties"] for name, group in deployed.of_type("AWS::Logs::LogGroup")}
    for function in deployed.functions.values():
        group = function.properties.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{deployed.physical_id(function.name)}")
        assert 1 <= groups[group]["RetentionInDays"] <= 90, function.file


def test_what_nobody_waits_for_has_a_dead_letter_queue(deployed: Template) -> None:
    """trust.md F5: nothing is silently lost."""
    answered = {route.function for route in deployed.routes} | invoked(deployed)
    queues = {deployed._getatt([name, "Arn"]) for name, _ in deployed.of_type("AWS::SQS::Queue")}
    alone = [function for function in deployed.functions.values() if function.name not in answered]
    assert alone
    for function in alone:
        assert function.properties["DeadLetterConfig"]["TargetArn"] in queues, function.file


@pytest.mark.parametrize("stage", STAGES)
def test_tables_have_recovery_and_expiry_and_production_is_protected(stage: str) -> None:
    tables = dict(template.load(parameters=(("Stage", stage),)).of_type("AWS::DynamoDB::Table"))
    assert tables
    chosen = template.load(parameters=(("Stage", stage),))
    for name, table in tables.items():
        properties = chosen.resolve(table["Properties"])
        assert properties["BillingMode"] == "PAY_PER_REQUEST", name
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert properties["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}, name
        assert properties["DeletionProtectionEnabled"] is (stage == "prod"), name


def test_recordings_are_not_versioned_and_never_public(deployed: Template) -> None:
    """trust.md §0.12: a version outlives the deletion of what it is a version of."""
    for name, bucket in deployed.of_type("AWS::S3::Bucket"):
        properties = deployed.resolve(bucket["Properties"])
        assert properties.get("VersioningConfiguration", {}).get("Status") != "Enabled", name
        assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}, name
        assert properties["BucketEncryption"], name


def test_the_bucket_has_a_rule_for_every_class_of_retention(deployed: Template) -> None:
    """docs/retention.md: objects are tagged with their class, and S3 forgets them by it."""
    [(_, bucket)] = deployed.of_type("AWS::S3::Bucket")
    rules = deployed.resolve(bucket["Properties"]["LifecycleConfiguration"])["Rules"]
    tagged = {int(tag["Value"]): rule for rule in rules for tag in rule.get("TagFilters", [])}
    assert tuple(tagged) == retention.CLASSES
    for days, rule in tagged.items():
        assert (rule["TagFilters"], rule["ExpirationInDays"], rule["Status"]) == ([{"Key": "retention", "Value": str(days)}], days, "Enabled")
        assert "Prefix" not in rule


def test_only_those_who_put_what_was_recorded_may_tag_it(deployed: Template) -> None:
    """A tag is an end: who could set one could shorten what others keep."""
    may_tag = {
        function.file: {str(arn).rpartition("/")[0].rpartition("/")[2] for arn in as_list(statement["Resource"])}
        for function in deployed.functions.values()
        for statement in function.statements
        if "s3:PutObjectTagging" in as_list(statement["Action"])
    }
    assert {file for file, folders in may_tag.items() if folders == {"rec"}} == {
        "session_replays/ingest_envelope",
        "session_replays/create_upload",
        "session_replays/finish_upload",
    }
    assert {file for file, folders in may_tag.items() if folders == {"ev"}} == {
        "bucket_events/ingest_events",
        "event_replays/collect",
        "bucket_events/merge_chunks",
        "bucket_events/sweep_events",
        "event_replays/run_replay",
        "event_replays/sweep_replays",
        "event_replays/check_destinations",
        "event_replays/test_destination",
        "deletion_jobs/run_erasure",
        "deletion_jobs/sweep_erasures",
    }
    assert {folder for folders in may_tag.values() for folder in folders} == {"rec", "ev"}


def test_the_functions_answer_before_the_gateway_gives_up(deployed: Template) -> None:
    for route in deployed.routes:
        assert route.function is None or deployed.functions[route.function].properties["Timeout"] <= 29, route


def test_every_environment_variable_that_the_code_reads_is_set_by_the_template(deployed: Template) -> None:
    read = {
        node.args[0].value
        for path in LAYER.glob("tapedeck/**/*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, (ast.Attribute, ast.Name))
        and (node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id) == "setting"
        and isinstance(node.args[0], ast.Constant)
    }
    assert read
    for function in deployed.functions.values():
        assert read <= set(function.environment), function.file


# Arrows (architecture.md §1) -----------------------------------------------------------------

PURE = {  # decisions that are computable on paper: no AWS, no environment, no door
    "session_replays": {"envelope", "recording", "user_agent", "merging", "presenting", "model", "periods", "tagging"},
    "events": {"model", "parsing", "chunks", "summaries", "owners", "asking", "presenting", "shapes"},
    "environments": {"model", "tokens"},
    "captures": {"model", "asking", "presenting", "shapes"},
    "event_replays": {"model", "asking", "presenting", "shapes"},
    "deletion_jobs": {"model", "presenting", "shapes"},
}
FOUNDATION = {"errors", "clock", "ids", "strict_json", "aws", "objects", "tombstones", "due"}
DOMAINS = {path.name for path in (LAYER / "tapedeck").iterdir() if path.is_dir() and path.name not in ("api", "__pycache__")}
# Which domains know others, beside `environments`, which all know: events are captured and replayed, and erasure reaches everything.
KNOWS = {"captures": {"events"}, "event_replays": {"events"}, "deletion_jobs": DOMAINS}
KNOWS_CALLERS = {
    "auth",
    "resolver",
    "request",
    "projects",
}  # docs/decisions.md: the gate is where callers, roles and handles meet a request


def imports(path: Path) -> Iterator[str]:
    """Every dotted name of ours that a file imports at run time (annotations may name anybody)."""
    tree = ast.parse(path.read_text())
    guarded = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if _is_module(whole) else str(node.module)


def _is_module(name: str) -> bool:
    if not name.startswith("tapedeck"):
        return False
    path = LAYER / name.replace(".", "/")
    return path.with_suffix(".py").exists() or path.is_dir()


def room(path: Path) -> tuple[str, str]:
    """(domain, module) of a file of the layer; the foundation's domain is ''."""
    parts = path.relative_to(LAYER / "tapedeck").with_suffix("").parts
    return ("", parts[0]) if len(parts) == 1 else (parts[0], parts[1])


@pytest.mark.parametrize("path", sorted((LAYER / "tapedeck").glob("**/*.py")), ids=lambda path: path.relative_to(LAYER).as_posix())
def test_no_arrow_is_crossed_in_the_layer(path: Path) -> None:
    domain, module = room(path)
    for name in imports(path):
        parts = name.split(".")
        if parts[0] in ("boto3",):
            assert (domain, module) == ("", "aws"), f"{path.name} imports {name}: only aws.py knows boto3"
        if parts[0] == "functions":
            pytest.fail(f"{path.name} imports a function")
        if parts[0] != "tapedeck" or len(parts) == 1:
            continue
        target = parts[1]
        if domain == "":
            assert target in FOUNDATION, f"the foundation's {module} imports {name}: it stands on nothing"
        elif domain == "api":
            if target in DOMAINS:
                assert module in KNOWS_CALLERS, f"api.{module} imports {name}: the door knows no domain"
                assert target == "environments", f"api.{module} imports {name}: the gate knows callers only"
        else:
            assert target != "api", f"{domain}.{module} imports {name}: a domain does not know its door"
            if target in DOMAINS and target != domain:
                assert target in KNOWS.get(domain, ()) or target == "environments", f"{domain}.{module} imports {name}: they do not know each other"
        if module in PURE.get(domain, ()):
            assert target != "aws", f"{domain}.{module} imports {name}: a decision does no input or output"
            assert parts[-1] not in ("store", "keys"), f"{domain}.{module} imports {name}: a decision reads no store"


@pytest.mark.parametrize("file", FUNCTIONS)
def test_a_function_file_is_a_sentence(file: str) -> None:
    """architecture.md §1: no event dict, no JSON, no try, no boto3, no environment; functions import no function."""
    path = ROOT / f"functions/{file}.py"
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a function file says what it answers"
    assert len(path.read_text().splitlines()) <= 60
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)], "errors have one place: the dialects"
    for name in imports(path):
        top = name.split(".")[0]
        assert top not in {"boto3", "botocore", "os", "json", "orjson"}, f"imports {name}"
        assert not (ROOT / "functions" / top).is_dir(), f"imports {name}: no function imports another"


def test_only_aws_py_reads_the_environment() -> None:
    for path in [*(LAYER / "tapedeck").glob("**/*.py"), *(ROOT / "functions").glob("*/*.py")]:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert path.name == "aws.py" or not names & {"environ", "getenv"}, path


def test_only_clock_py_reads_the_time() -> None:
    for path in [*(LAYER / "tapedeck").glob("**/*.py"), *(ROOT / "functions").glob("*/*.py")]:
        if path.name == "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in {"utcnow", "now", "today", "time"} or ast.unparse(node.func) == "clock.now", (
                    f"{path}: {ast.unparse(node)}"
                )


def test_pydantic_is_never_imported_on_the_way_to_an_answer() -> None:
    """It costs 100 ms of init (plan: model.py is for OpenAPI and tests)."""
    for path in (LAYER / "tapedeck").glob("**/*.py"):
        if path.name not in ("model.py", "shapes.py"):
            top_level = [node for node in ast.parse(path.read_text()).body if isinstance(node, (ast.Import, ast.ImportFrom))]
            assert not [node for node in top_level if "pydantic" in ast.unparse(node)], path


def test_what_the_layer_imports_is_installed() -> None:
    for name in {name.split(".")[0] for path in (LAYER / "tapedeck").glob("**/*.py") for name in imports(path)}:
        assert importlib.util.find_spec(name), name


# OpenAPI -----------------------------------------------------------------


def test_openapi_json_describes_every_route_with_what_it_needs(system: System) -> None:
    document: dict[str, Any] = system.request("GET", "/openapi.json").json()
    for route in ROUTES:
        operation = document["paths"][route.path.replace("+}", "}")][route.method.lower()]
        assert operation["responses"], route
        if route.scope:
            assert route.scope in json.dumps(operation), f"{route}: which scope it needs is not said"
            assert operation["security"], route
