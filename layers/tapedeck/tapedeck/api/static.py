"""Static files out of a layer, with the headers of a page that shows what strangers recorded."""

from __future__ import annotations

import mimetypes
import re
from importlib import resources

from tapedeck import aws
from tapedeck.api import downloads
from tapedeck.api.request import Request
from tapedeck.api.resolver import Response
from tapedeck.errors import NotFound

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8"}
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def answer(request: Request, package: str, path: str) -> Response:
    """The file `path` of a layer's folder; `index.html` for the folder itself. NotFound for anything that is not a file in it."""
    parts = [part for part in path.split("/") if part] or ["index.html"]
    if not all(_PART.fullmatch(part) for part in parts):
        raise NotFound("The requested resource does not exist")
    found = resources.files(package).joinpath(*parts)
    if not found.is_file():
        raise NotFound("The requested resource does not exist")
    suffix = "." + parts[-1].rsplit(".", 1)[-1]
    kind = _TYPES.get(suffix) or mimetypes.guess_type(parts[-1])[0] or "application/octet-stream"
    return downloads.answer(request, found.read_bytes(), None, content_type=kind, headers=_headers())


def _headers() -> dict[str, str]:
    # Large recordings are redirected to the bucket, so the page may read from there and from nowhere else.
    bucket = aws.client("s3").meta.endpoint_url.rstrip("/") if aws.emulated() else _bucket_origin()
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": f"'self' {bucket}",
        "frame-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }


def _bucket_origin() -> str:
    return f"https://{aws.setting('RECORDINGS_BUCKET')}.s3.amazonaws.com https://{aws.setting('RECORDINGS_BUCKET')}.s3.{aws.region()}.amazonaws.com"
