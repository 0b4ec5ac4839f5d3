"""POST /api/{project_id}/uploads/: a presigned URL for an envelope that is too large for Lambda."""

from __future__ import annotations

from tapedeck import ids
from tapedeck.api.cors import SDK
from tapedeck.api.request import Request
from tapedeck.api.resolver import Api, Response
from tapedeck.session_replays import bucket

app = Api(cors=SDK)


@app.post("/api/{project_id}/uploads/")
def create_upload(request: Request) -> Response:
    """Where to PUT the envelope within five minutes, and where to POST when that is done."""
    upload_id = ids.random_hex(32)
    url = bucket.presigned_put(bucket.upload_key(request.organization.id, request.environment.project_id, upload_id))
    finish = f"{request.url}{upload_id}/"
    return Response({"id": upload_id, "method": "PUT", "url": url, "expires_in": bucket.PRESIGNED_SECONDS, "finish": finish}, status=201)


lambda_handler = app.handler
