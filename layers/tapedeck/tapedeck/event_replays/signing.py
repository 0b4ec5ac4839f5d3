"""Standard Webhooks: how a receiver knows that a message is ours and whole (https://www.standardwebhooks.com, specification 1.0). Pure.

The signed content is `{id}.{timestamp}.{body}`, the signature HMAC-SHA256 in base64 behind `v1,`; a secret is written `whsec_` and base64.
The id stays the same when a message is sent again, so it tells repetitions; the timestamp is the attempt's, so old messages cannot be
played back by others.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

_PREFIX = "whsec_"
_SHORTEST, _LONGEST = 24, 64  # bytes of a key, as the specification asks


def is_secret(text: str) -> bool:
    """Whether a text is a signing secret: `whsec_` and the base64 of 24 to 64 bytes."""
    try:
        return text.startswith(_PREFIX) and _SHORTEST <= len(_key(text)) <= _LONGEST
    except (binascii.Error, ValueError):
        return False


def headers(secret: str, message_id: str, body: bytes, now: float) -> dict[str, str]:
    """The three headers of a message that is sent at `now` (s)."""
    timestamp = str(int(now))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": message_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{signature}"}


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
