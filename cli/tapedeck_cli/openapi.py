"""The OpenAPI 3.1 document of every route, put together from the route table, the function files' docstrings and the answers' models.

Run by `make openapi`, never by a function: pydantic's schemas would cost a tenth of a second of a cold start. What it writes is
committed as `layers/tapedeck/tapedeck/api/openapi.json`; a test says when the two differ.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tapedeck.api.dialects import DIALECTS
from tapedeck.api.routes import ROUTES, Route
from tapedeck.captures import shapes as capture_shapes
from tapedeck.deletion_jobs import shapes as deletion_shapes
from tapedeck.environments import shapes as people
from tapedeck.errors import DomainError, Forbidden, Invalid, NotFound, TooLarge, Unauthenticated
from tapedeck.event_replays import shapes as replay_shapes
from tapedeck.events import shapes
from tapedeck.session_replays import model

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "layers/tapedeck/tapedeck/api/openapi.json"

_ANSWERS: dict[str, type[BaseModel]] = {
    "session_replays.ingest_envelope": model.EnvelopeAnswer,
    "session_replays.finish_upload": model.EnvelopeAnswer,
    "session_replays.list_replays": model.ReplaysAnswer,
    "session_replays.get_organization_replay": model.ReplayAnswer,
    "session_replays.get_replay": model.ReplayAnswer,
    "session_replays.list_segments": model.RecordingSegmentsAnswer,
    "session_replays.get_segment": model.RecordingSegmentAnswer,
    "session_replays.list_viewers": model.ViewersAnswer,
    "session_replays.list_delete_jobs": model.DeleteJobsAnswer,
    "session_replays.create_delete_job": model.DeleteJobAnswer,
    "session_replays.get_delete_job": model.DeleteJobAnswer,
    "session_replays.list_clicks": model.ClicksAnswer,
    "session_replays.list_selectors": model.SelectorsAnswer,
    "session_replays.count_replays": model.CountsAnswer,
    "session_replays.list_project_tags": model.TagKeysAnswer,
    "session_replays.list_tags": model.TagKeysAnswer,
    "session_replays.list_project_tag_values": model.TagValuesAnswer,
    "session_replays.list_tag_values": model.TagValuesAnswer,
}
_ANSWERS |= {
    "bucket_events.list_buckets": shapes.Buckets,
    "bucket_events.get_bucket": shapes.Bucket,
    "bucket_events.retrieve_events": shapes.BucketEvents,
    "bucket_events.retrieve_histogram": shapes.Histogram,
    "bucket_events.tail_events": shapes.FollowedEvents,
    "bucket_events.list_event_keys": shapes.KeysByApp,
    "bucket_events.delete_events": shapes.KeysByApp,
    "bucket_events.ingest_events": shapes.Ingested,
    "bucket_events.refresh_token": shapes.Tokens,
    "event_replays.list_collections": shapes.Collections,
    "event_replays.create_collection": shapes.Collection,
    "event_replays.get_collection": shapes.Collection,
    "event_replays.search_collection": shapes.FoundEvents,
    "event_replays.collect": shapes.Collected,
}
_ANSWERS |= {
    "environments.list_environments": people.Environments,
    "environments.create_environment": people.Environment,
    "environments.get_environment": people.Environment,
    "environments.edit_environment": people.Environment,
    "environments.list_members": people.Members,
    "environments.add_member": people.Member,
    "environments.change_member": people.Member,
    "environments.remove_member": people.Member,
    "environments.log_in": people.Person,
    "environments.get_me": people.Me,
}
_ANSWERS |= {
    "captures.list_captures": capture_shapes.Captures,
    "captures.create_capture": capture_shapes.Capture,
    "captures.get_capture": capture_shapes.Capture,
    "captures.get_metrics": capture_shapes.Metrics,
    "captures.stop_capture": capture_shapes.Capture,
    "captures.edit_capture": capture_shapes.Capture,
    "captures.delete_capture": capture_shapes.Capture,
}
_ANSWERS |= {
    "event_replays.list_destinations": replay_shapes.Destinations,
    "event_replays.create_destination": replay_shapes.Destination,
    "event_replays.get_destination": replay_shapes.Destination,
    "event_replays.update_destination": replay_shapes.Destination,
    "event_replays.delete_destination": replay_shapes.Destination,
    "event_replays.test_destination": replay_shapes.DestinationsHealth,
    "event_replays.list_health": replay_shapes.DestinationsHealth,
    "event_replays.get_health": replay_shapes.DestinationsHealth,
}
_ANSWERS |= {
    "event_replays.list_replays": replay_shapes.EventReplays,
    "event_replays.create_replay": replay_shapes.EventReplays,
    "event_replays.update_replay": replay_shapes.EventReplays,
    "event_replays.delete_replays": replay_shapes.EventReplays,
    "event_replays.get_replay": replay_shapes.EventReplays,
    "event_replays.archive_replay": replay_shapes.EventReplays,
    "event_replays.toggle_replay": replay_shapes.EventReplays,
    "event_replays.redo_replay": replay_shapes.EventReplays,
    "event_replays.get_history": replay_shapes.ReplayHistory,
    "event_replays.lease_events": replay_shapes.Lease,
    "event_replays.ack_events": replay_shapes.Settled,
}
_ANSWERS |= {
    "deletion_jobs.erase_user": deletion_shapes.JobAnswer,
    "deletion_jobs.get_user": deletion_shapes.KnownUserAnswer,
    "deletion_jobs.list_user_sessions": deletion_shapes.UserSessionsAnswer,
    "deletion_jobs.list_jobs": deletion_shapes.JobsAnswer,
    "deletion_jobs.get_job": deletion_shapes.JobAnswer,
    "deletion_jobs.cancel_job": deletion_shapes.JobAnswer,
    "deletion_jobs.get_receipt": deletion_shapes.ReceiptAnswer,
    "environments.list_audit_logs": deletion_shapes.AuditAnswer,
}
_STATUS = {"delete": "204", "bucket_events.delete_events": "200"}
_STATUS |= {"session_replays.record_view": "204", "session_replays.create_upload": "201"}
_STATUS |= {"session_replays.create_delete_job": "201", "environments.create_key": "201", "environments.rotate_key": "201"}
_STATUS |= {"environments.remove_member": "200", "captures.delete_capture": "200"}
_STATUS |= {"event_replays.delete_destination": "200", "event_replays.delete_replays": "200", "event_replays.archive_replay": "200"}
_STATUS |= {"deletion_jobs.erase_user": "200", "deletion_jobs.cancel_job": "200"}

_PAGING = {
    "per_page": "How many, at most 100.",
    "cursor": "Where to go on: `0:offset:is_prev`, from a `Link` header.",
    "limit": "How many, at most 100; `per_page` wins.",
    "offset": "How many to leave out; `cursor` wins.",
}
_NAMED = {"id": "The capture, where the path does not name it."}
_FIELD = {"field": "A member to answer; repeatable. All of them unless said."}
_PERIOD = {
    "statsPeriod": "A number and s, m, h, d or w: until now. Default 90d.",
    "start": "ISO 8601; with `end`.",
    "end": "ISO 8601; with `start`.",
    "environment": "An environment's name, as the SDK gave it; repeatable.",
}
_PROJECTS = {
    "project": "A project's id or slug; repeatable; -1 for all.",
    "projectSlug": "A project's slug; repeatable; `$all` for all.",
}
_VALUES = {**_PERIOD, **_PAGING, "query": "A part of the value, in any case.", "sort": "`-last_seen` (default) or `-count`."}
_PARAMETERS = {
    "event_replays.list_replays": {**_PAGING, "archived": "`true`: those that are archived, instead of those that are not."},
    "event_replays.create_replay": {"dry_run": "`true`: make nothing, and tell what would be sent: `{matched, sample, estimate}`."},
    "event_replays.get_history": _PAGING,
    "event_replays.list_destinations": {"archived": "`true`: archived ones too."},
    "session_replays.list_replays": {
        **_FIELD,
        **_PAGING,
        **_PROJECTS,
        **_PERIOD,
        "statsPeriod": "A number and s, m, h, d or w: until now. Default 7d.",
        "sort": "A field, with `-` for the greatest first (default `-started_at`), in snake_case or camelCase; `orderBy` and `sortBy` win.",
        "query": "The search language: `count_errors:>2 AND duration:<1h`.",
        "queryReferrer": "Accepted: queries across projects need no permission of their own.",
    },
    "session_replays.list_clicks": {**_PAGING, "query": "`click.*` fields and selectors: a click is found when any of them finds it."},
    "session_replays.list_selectors": {
        **_PERIOD,
        **_PROJECTS,
        **_PAGING,
        "sort": "`count_dead_clicks` or `count_rage_clicks`, with `-` for the most clicked first (default `-count_dead_clicks`).",
        "query": "On the two counts: `count_rage_clicks:>2`.",
    },
    "session_replays.count_replays": {
        **_PERIOD,
        **_PROJECTS,
        "query": "One list: `replay_id:[…]` (at most 100), `transaction:[…]` or `issue.id:[…]` (at most 25).",
        "returnIds": "`true`: ids instead of counts.",
        "data_source": "`discover`, `events`, `search_issues` or `spans`: accepted, and all the same.",
    },
    "bucket_events.tail_events": {
        "after": "The number from which on events are wanted: `next` of the answer before. Without it: where the end is, at once.",
        "wait": "For how many seconds to wait for the first of them, at most 20.",
        "event_name": "Of this name only.",
        "app_name": "Of this application only.",
        "server_name": "Of this server only.",
        "limit": "How many, at most 1000.",
    },
    "deletion_jobs.erase_user": {"now": "`true`: at once, instead of at the next midnight (UTC)."},
    "deletion_jobs.list_user_sessions": {
        "start_date": "Those that began then or later: milliseconds since the epoch, or ISO 8601.",
        "end_date": "Those that began then or earlier.",
    },
    "deletion_jobs.list_jobs": {"limit": "How many, 1 to 200, which is usual.", "page": "Which page of so many; from 1."},
    "environments.list_audit_logs": {**_PAGING, "event": "Orders of this kind only.", "actor": "Of this person only: their number."},
    "captures.list_captures": {
        "envId": "Those of this environment only.",
        "name": "Those of this name only.",
        "id": "That capture, instead of an array.",
    },
    "captures.get_metrics": {
        **_NAMED,
        "type": "One metric instead of an array, in any case: `EVENTS IN`, `BYTES IN`, `ERRORS`, `LATENCY`, …",
    },
    "captures.stop_capture": _NAMED,
    "captures.edit_capture": _NAMED,
    "captures.delete_capture": _NAMED,
    "session_replays.list_delete_jobs": _PAGING,
    "session_replays.list_project_tags": _PERIOD,
    "session_replays.list_project_tag_values": _VALUES,
    "session_replays.list_tags": {**_PERIOD, **_PROJECTS, "dataset": "`replays`, as Sentry's clients ask; of another there are no tags."},
    "session_replays.list_tag_values": {**_VALUES, **_PROJECTS},
    "session_replays.get_replay": _FIELD,
    "session_replays.get_organization_replay": _FIELD,
    "session_replays.list_segments": {**_PAGING, "download": "Even empty: answer the events instead, `[[…], …]`."},
    "session_replays.get_segment": {"download": "Even empty: answer the events instead, `[…]`."},
    "session_replays.ingest_envelope": {"sentry_key": "The public key of the DSN; or in `X-Sentry-Auth`; or the envelope's `dsn`."},
}


def build() -> dict[str, Any]:
    """The document."""
    models = [(answer, "validation") for answer in dict.fromkeys(_ANSWERS.values())]
    _, shapes = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path.replace("+}", "}"), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tapedeck",
            "version": "0.1.0",
            "description": "Record what happened, keep the part you need, play it again, and erase one person from all of it.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": {**shapes["$defs"], "Error": _ERROR},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A user token `tdu_…` or an organization key `tdo_…`."},
                "publicKey": {"type": "apiKey", "in": "query", "name": "sentry_key", "description": "A project's public key."},
                "collectionToken": {"type": "apiKey", "in": "header", "name": "Batch-Token", "description": "A collection's ingest token."},
            },
        },
    }


_ERROR = {
    "type": "object",
    "description": "Sentry's dialect; invalid fields are answered as a bare map from field to messages.",
    "properties": {"detail": {"type": "string"}, "causes": {"type": "array", "items": {"type": "string"}}},
}


def _operation(route: Route) -> dict[str, Any]:
    module = ast.parse((ROOT / "functions" / (route.function.replace(".", "/") + ".py")).read_text("utf-8"))
    summary = (ast.get_docstring(module) or "").split(": ", 1)[-1].split("\n")[0]
    endpoint = _endpoint(module, route)
    answer = _ANSWERS.get(route.function)
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}} if answer else {}
    status = _STATUS.get(route.function) or _STATUS.get(route.method.lower(), "200")
    return {
        "operationId": _name(route) + ("_named_in_the_query" if _names_in_query(route) else ""),
        "tags": [route.function.split(".")[0]],
        "summary": summary,
        "description": " ".join((ast.get_docstring(endpoint) or "").split()) + _needs(route),
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "security": {"public": [], "ingest": [{"publicKey": []}], "collect": [{"collectionToken": []}]}.get(route.reach, [{"token": []}]),
        "responses": {status: {"description": "As described.", **({"content": body} if body else {})}, **_refusals(route)},
    }


def _names_in_query(route: Route) -> bool:
    """Whether this is the shorter of an endpoint's two paths, whose `{id}` is then a parameter of the query."""
    return any(
        (other.method, other.function) == (route.method, route.function)
        and other.path.count("{capture_id}") > route.path.count("{capture_id}")
        for other in ROUTES
    )


def _endpoint(module: ast.Module, route: Route) -> ast.FunctionDef:
    for node in module.body:
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.args[0]).strip("'\"") == route.path:
                    return node
    raise LookupError(f"{route.function} has no endpoint for {route.path}")


def _name(route: Route) -> str:
    """What an operation is called: as its function; with its family in front, where another family's has that name already."""
    family, name = route.function.split(".")
    first = next(other.function for other in ROUTES if other.function.split(".")[1] == name)
    rest = "_file" if route.path.endswith("+}") else ""
    return (name if first == route.function else f"{family}_{name}") + rest


def _needs(route: Route) -> str:
    if route.scope is None:
        return ""
    where = "in the caller's own organization" if route.reach == "organization" else "in an environment in which the caller has a role"
    return f" Needs `{route.scope}` {where}." + (" The key is read anew." if route.fresh else "")


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\+?\}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    said = _PARAMETERS.get(route.function, {})
    return [{"name": name, "in": "query", "description": text, "schema": {"type": "string"}} for name, text in said.items()]


def _refusals(route: Route) -> dict[str, Any]:
    if route.reach == "public":
        return {}
    kinds: list[type[DomainError]] = [Invalid, Unauthenticated, Forbidden, NotFound]
    if route.reach == "ingest":
        kinds = [Invalid, Unauthenticated, Forbidden, TooLarge]
    refused = {str(DIALECTS[route.dialect].refuse(kind("."))[0]): kind.__doc__ or "" for kind in kinds}
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": " ".join(said.split()), "content": schema} for status, said in refused.items()}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(build(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text(), "utf-8")
