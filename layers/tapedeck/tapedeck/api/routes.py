"""Every route of the system, who may take it and what must be theirs: the handlers, the OpenAPI notes and the isolation test read this."""

from __future__ import annotations

from typing import Literal, NamedTuple

# public: anybody · ingest: a public key of the project in the path · collect: an ingest token of a collection ·
# organization: the caller's own (`{org}`, where the path has it) · environment: one of its environments in which the caller has a role,
# under one of its handles (HANDLES).
Reach = Literal["public", "ingest", "collect", "organization", "environment"]
HANDLES = ("project", "bucket_id")


class Route(NamedTuple):
    """One verb on one path. `scope` is what a key or role must carry; `fresh` routes trust no cached key or role (trust.md T2)."""

    method: str
    path: str
    function: str
    reach: Reach
    scope: str | None = None
    fresh: bool = False
    dialect: str = "session_replays"


_BUCKET = "/api/bucket/{bucket_id}"
_PM2, _BATCH = "bucket_events", "event_replays"
_ORG = "/api/0/organizations/{org}/"
_REPLAYS = "/api/0/projects/{org}/{project}/replays/"
_REPLAY = _REPLAYS + "{replay_id}/"

ROUTES = (
    Route("POST", "/api/{project_id}/envelope/", "session_replays.ingest_envelope", "ingest"),
    Route("POST", "/api/{project_id}/uploads/", "session_replays.create_upload", "ingest"),
    Route("POST", "/api/{project_id}/uploads/{upload_id}/", "session_replays.finish_upload", "ingest"),
    Route("GET", _ORG + "replays/", "session_replays.list_replays", "organization", "replay:read"),
    Route("GET", _ORG + "replays/{replay_id}/", "session_replays.get_organization_replay", "organization", "replay:read"),
    Route("GET", _REPLAY, "session_replays.get_replay", "environment", "replay:read"),
    Route("DELETE", _REPLAY, "session_replays.delete_replay", "environment", "replay:admin", fresh=True),
    Route("GET", _REPLAY + "recording-segments/", "session_replays.list_segments", "environment", "replay:read"),
    Route("GET", _REPLAY + "recording-segments/{segment_id}/", "session_replays.get_segment", "environment", "replay:read"),
    Route("GET", _REPLAY + "viewed-by/", "session_replays.list_viewers", "environment", "replay:read"),
    Route("POST", _REPLAY + "viewed-by/", "session_replays.record_view", "environment", "replay:read"),
    Route("GET", _REPLAY + "clicks/", "session_replays.list_clicks", "environment", "replay:read"),
    Route("GET", _ORG + "replay-selectors/", "session_replays.list_selectors", "organization", "replay:read"),
    Route("GET", _ORG + "replay-count/", "session_replays.count_replays", "organization", "replay:read"),
    Route("GET", _REPLAYS + "tags/", "session_replays.list_project_tags", "environment", "replay:read"),
    Route("GET", _REPLAYS + "tags/{key}/values/", "session_replays.list_project_tag_values", "environment", "replay:read"),
    Route("GET", _REPLAYS + "jobs/delete/", "session_replays.list_delete_jobs", "environment", "replay:admin"),
    Route("POST", _REPLAYS + "jobs/delete/", "session_replays.create_delete_job", "environment", "replay:admin", fresh=True),
    Route("GET", _REPLAYS + "jobs/delete/{job_id}/", "session_replays.get_delete_job", "environment", "replay:admin"),
    Route("GET", _ORG + "tags/", "session_replays.list_tags", "organization", "replay:read"),
    Route("GET", _ORG + "tags/{key}/values/", "session_replays.list_tag_values", "organization", "replay:read"),
    Route("GET", "/api/0/organizations/", "environments.list_organizations", "organization", "org:read"),
    Route("GET", _ORG, "environments.get_organization", "organization", "org:read"),
    Route("GET", _ORG + "projects/", "environments.list_projects", "organization", "project:read"),
    Route("GET", "/api/0/projects/{org}/{project}/", "environments.get_project", "environment", "project:read"),
    Route("GET", _ORG + "keys/", "environments.list_keys", "organization", "key:read", fresh=True),
    Route("POST", _ORG + "keys/", "environments.create_key", "organization", "key:write", fresh=True),
    Route("POST", _ORG + "keys/{key_id}/rotate/", "environments.rotate_key", "organization", "key:write", fresh=True),
    Route("DELETE", _ORG + "keys/{key_id}/", "environments.revoke_key", "organization", "key:write", fresh=True),
    Route("GET", "/api/bucket", "bucket_events.list_buckets", "organization", "bucket:read", dialect=_PM2),
    Route("GET", _BUCKET, "bucket_events.get_bucket", "environment", "bucket:read", dialect=_PM2),
    Route("POST", _BUCKET + "/data/events", "bucket_events.retrieve_events", "environment", "bucket:read", dialect=_PM2),
    Route("POST", _BUCKET + "/data/events/stats", "bucket_events.retrieve_histogram", "environment", "bucket:read", dialect=_PM2),
    Route("GET", _BUCKET + "/data/events/tail", "bucket_events.tail_events", "environment", "bucket:read", dialect=_PM2),
    Route("GET", _BUCKET + "/data/eventsKeysByApp", "bucket_events.list_event_keys", "environment", "bucket:read", dialect=_PM2),
    Route("DELETE", _BUCKET + "/data/events/delete_all", "bucket_events.delete_events", "environment", "bucket:admin", True, _PM2),
    Route("POST", _BUCKET + "/data/events/ingest", "bucket_events.ingest_events", "environment", "bucket:write", dialect=_PM2),
    Route("POST", "/api/oauth/token", "bucket_events.refresh_token", "public", dialect=_PM2),
    Route("GET", "/v1/collection", "event_replays.list_collections", "organization", "event:read", dialect=_BATCH),
    Route("POST", "/v1/collection", "event_replays.create_collection", "organization", "event:write", dialect=_BATCH),
    Route("GET", "/v1/collection/{collection_id}", "event_replays.get_collection", "organization", "event:read", dialect=_BATCH),
    Route("POST", "/v1/collect", "event_replays.collect", "collect", dialect=_BATCH),
    Route("GET", "/health", "system.get_health", "public"),
    Route("GET", "/openapi.json", "system.get_openapi", "public"),
    Route("GET", "/console", "system.get_console", "public"),
    Route("GET", "/console/{path+}", "system.get_console", "public"),
)

_BY_VERB_AND_PATH = {(route.method, route.path): route for route in ROUTES}


def route(method: str, path: str) -> Route:
    """The entry of a verb and path; KeyError when the table has none: such a function must not start."""
    return _BY_VERB_AND_PATH[method, path]
