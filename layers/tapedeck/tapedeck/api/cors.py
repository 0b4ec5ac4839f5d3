"""Cross-origin headers for SDKs, which run on other people's pages (contract §6.1). The API itself is for its own origin."""

from __future__ import annotations

SDK = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-sentry-error, x-sentry-rate-limits, retry-after",
}
SDK_PREFLIGHT = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": (
        "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, content-type, authentication, authorization, "
        "content-encoding, transfer-encoding"
    ),
    "Access-Control-Max-Age": "3600",
}
