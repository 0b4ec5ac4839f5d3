"""Bytes as an answer: compressed when the client can read that, or a redirect to where they wait."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from tapedeck.api.request import Request
from tapedeck.api.resolver import Response

_WORTH_IT = 1024


def answer(
    request: Request, body: bytes, url: str | None, *, headers: Mapping[str, str], content_type: str = "application/json"
) -> Response:
    """302 to `url` when there is one; else the body, gzipped (level 1: 200 MB/s) where `Accept-Encoding` has gzip."""
    if url is not None:
        return Response(status=302, headers={**headers, "Location": url, "Cache-Control": "no-store"})
    sent = {"Vary": "Accept-Encoding", "Cache-Control": "private, no-store", **headers}
    if len(body) >= _WORTH_IT and _takes_gzip(request.headers.get("accept-encoding", "")):
        deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
        return Response(deflate.compress(body) + deflate.flush(), headers=sent, content_type=content_type, encoding="gzip")
    return Response(body, headers=sent, content_type=content_type)


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        name, _, weight = part.strip().partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
