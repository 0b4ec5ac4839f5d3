"""Every route of the system, who may take it and what must be theirs: the handlers, the OpenAPI notes and the isolation test read this."""

from __future__ import annotations

from typing import Literal, NamedTuple

# public: anybody · ingest: a public key of the project in the path · collect: an ingest token of a collection ·
# organization: the caller's own (`{org}`, where the path has it) · environment: one of its environments in which the caller has a role,
# under one of its handles (HANDLES).
Reach = Literal["public", "ingest", "collect", "organization", "environment"]
HANDLES = ("project", "bucket_id", "env_id", "project_key")


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
_CAPTURE = "/api/captures/{capture_id}"
_ENVIRONMENT = "/api/environments/{env_id}"
_PROJECT = "/api/v1/{project_key}"
_PERSON = _PROJECT + "/users/{user_id}"
_DESTINATION = "/v1/destination/{destination_id}"
_PM2, _BATCH, _MYCRT, _OPENREPLAY = "bucket_events", "event_replays", "captures", "deletion_jobs"
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
    Route("POST", "/v1/collection/{collection_id}/search", "event_replays.search_collection", "organization", "event:read", dialect=_BATCH),
    Route("GET", "/v1/replay", "event_replays.list_replays", "organization", "event:read", dialect=_BATCH),
    Route("POST", "/v1/replay", "event_replays.create_replay", "organization", "event:write", dialect=_BATCH),
    Route("PUT", "/v1/replay", "event_replays.update_replay", "organization", "event:write", dialect=_BATCH),
    Route("DELETE", "/v1/replay", "event_replays.delete_replays", "organization", "event:write", True, _BATCH),
    Route("GET", "/v1/replay/{event_replay_id}", "event_replays.get_replay", "organization", "event:read", dialect=_BATCH),
    Route("DELETE", "/v1/replay/{event_replay_id}", "event_replays.archive_replay", "organization", "event:write", True, _BATCH),
    Route("PUT", "/v1/replay/{event_replay_id}/toggle-pause", "event_replays.toggle_replay", "organization", "event:write", dialect=_BATCH),
    Route("PUT", "/v1/replay/{event_replay_id}/redo", "event_replays.redo_replay", "organization", "event:write", dialect=_BATCH),
    Route("GET", "/v1/replayer/history/{event_replay_id}", "event_replays.get_history", "organization", "event:read", dialect=_BATCH),
    Route("GET", "/v1/destination", "event_replays.list_destinations", "organization", "event:read", dialect=_BATCH),
    Route("POST", "/v1/destination", "event_replays.create_destination", "organization", "event:write", dialect=_BATCH),
    Route("GET", _DESTINATION, "event_replays.get_destination", "organization", "event:read", dialect=_BATCH),
    Route("PUT", _DESTINATION, "event_replays.update_destination", "organization", "event:write", dialect=_BATCH),
    Route("DELETE", _DESTINATION, "event_replays.delete_destination", "organization", "event:write", True, _BATCH),
    Route("POST", _DESTINATION + "/test", "event_replays.test_destination", "organization", "event:write", dialect=_BATCH),
    Route("POST", _DESTINATION + "/lease", "event_replays.lease_events", "organization", "event:write", dialect=_BATCH),
    Route("POST", _DESTINATION + "/ack", "event_replays.ack_events", "organization", "event:write", dialect=_BATCH),
    Route("GET", "/v1/health/destination", "event_replays.list_health", "organization", "event:read", dialect=_BATCH),
    Route("GET", "/v1/health/destination/{destination_id}", "event_replays.get_health", "organization", "event:read", dialect=_BATCH),
    Route("GET", "/api/captures", "captures.list_captures", "organization", "capture:read", dialect=_MYCRT),
    Route("POST", "/api/captures", "captures.create_capture", "organization", "capture:write", True, _MYCRT),
    Route("PUT", "/api/captures", "captures.edit_capture", "organization", "capture:write", dialect=_MYCRT),
    Route("DELETE", "/api/captures", "captures.delete_capture", "organization", "capture:write", True, _MYCRT),
    Route("GET", "/api/captures/metrics", "captures.get_metrics", "organization", "capture:read", dialect=_MYCRT),
    Route("POST", "/api/captures/stop", "captures.stop_capture", "organization", "capture:write", dialect=_MYCRT),
    Route("GET", _CAPTURE, "captures.get_capture", "organization", "capture:read", dialect=_MYCRT),
    Route("PUT", _CAPTURE, "captures.edit_capture", "organization", "capture:write", dialect=_MYCRT),
    Route("DELETE", _CAPTURE, "captures.delete_capture", "organization", "capture:write", True, _MYCRT),
    Route("GET", _CAPTURE + "/metrics", "captures.get_metrics", "organization", "capture:read", dialect=_MYCRT),
    Route("POST", _CAPTURE + "/stop", "captures.stop_capture", "organization", "capture:write", dialect=_MYCRT),
    Route("GET", "/api/environments", "environments.list_environments", "organization", "project:read", True, _MYCRT),
    Route("POST", "/api/environments", "environments.create_environment", "organization", "capture:write", dialect=_MYCRT),
    Route("GET", _ENVIRONMENT, "environments.get_environment", "environment", "project:read", True, _MYCRT),
    Route("PUT", _ENVIRONMENT, "environments.edit_environment", "environment", "project:admin", True, _MYCRT),
    Route("GET", _ENVIRONMENT + "/members", "environments.list_members", "environment", "project:read", True, _MYCRT),
    Route("POST", _ENVIRONMENT + "/members", "environments.add_member", "environment", "project:admin", True, _MYCRT),
    Route("PUT", _ENVIRONMENT + "/members/{user_id}", "environments.change_member", "environment", "project:admin", True, _MYCRT),
    Route("DELETE", _ENVIRONMENT + "/members/{user_id}", "environments.remove_member", "environment", "project:read", True, _MYCRT),
    Route("POST", "/api/users/login", "environments.log_in", "public", dialect=_MYCRT),
    Route("GET", "/api/users/me", "environments.get_me", "organization", "org:read", dialect=_MYCRT),
    Route("GET", _PROJECT + "/jobs", "deletion_jobs.list_jobs", "environment", "job:read", dialect=_OPENREPLAY),
    Route("GET", _PROJECT + "/jobs/{deletion_job_id}", "deletion_jobs.get_job", "environment", "job:read", dialect=_OPENREPLAY),
    Route("DELETE", _PROJECT + "/jobs/{deletion_job_id}", "deletion_jobs.cancel_job", "environment", "erase:write", True, _OPENREPLAY),
    Route("GET", _PROJECT + "/jobs/{deletion_job_id}/receipt", "deletion_jobs.get_receipt", "environment", "job:read", dialect=_OPENREPLAY),
    Route("GET", _PERSON, "deletion_jobs.get_user", "environment", "job:read", dialect=_OPENREPLAY),
    Route("DELETE", _PERSON, "deletion_jobs.erase_user", "environment", "erase:write", True, _OPENREPLAY),
    Route("GET", _PERSON + "/sessions", "deletion_jobs.list_user_sessions", "environment", "job:read", dialect=_OPENREPLAY),
    Route("GET", _ORG + "audit-logs/", "environments.list_audit_logs", "organization", "audit:read"),
    Route("GET", "/health", "system.get_health", "public"),
    Route("GET", "/openapi.json", "system.get_openapi", "public"),
    Route("GET", "/console", "system.get_console", "public"),
    Route("GET", "/console/{path+}", "system.get_console", "public"),
)

_BY_VERB_AND_PATH = {(route.method, route.path): route for route in ROUTES}


def route(method: str, path: str) -> Route:
    """The entry of a verb and path; KeyError when the table has none: such a function must not start."""
    return _BY_VERB_AND_PATH[method, path]
