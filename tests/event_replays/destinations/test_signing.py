"""Standard Webhooks: the specification's own vector, and a verifier that was written from the specification."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest

from tapedeck.event_replays import signing

# The vector of the specification's reference libraries (standard-webhooks/libraries: "sign function works").
VECTOR = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "timestamp": 1_614_265_330,
    "body": b'{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """What a receiver does: recompute over id, timestamp and raw body; compare with each `v1` signature; refuse what is not of now."""
    if abs(now - int(headers["webhook-timestamp"])) > 300:
        return False
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(base64.b64decode(secret.split("_", 1)[1]), content, hashlib.sha256).digest()).decode()
    given = [each.split(",", 1) for each in headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(signature, expected) for version, signature in given)


def test_the_vector_of_the_specification() -> None:
    made = signing.headers(VECTOR["secret"], VECTOR["id"], VECTOR["body"], VECTOR["timestamp"])  # type: ignore[arg-type]
    assert made == {"webhook-id": VECTOR["id"], "webhook-timestamp": str(VECTOR["timestamp"]), "webhook-signature": VECTOR["signature"]}


def test_what_was_signed_is_verified_and_nothing_else() -> None:
    secret, body = str(VECTOR["secret"]), b'{"a":1}'
    made = signing.headers(secret, "m1", body, 1000.9)
    assert verify(secret, made, body, now=1000)
    assert not verify(secret, made, body + b" ", now=1000)
    assert not verify(secret, {**made, "webhook-id": "m2"}, body, now=1000)
    assert not verify(secret, {**made, "webhook-timestamp": "1001"}, body, now=1000)
    assert not verify("whsec_" + base64.b64encode(b"k" * 24).decode(), made, body, now=1000)
    assert not verify(secret, made, body, now=2000)


@pytest.mark.parametrize(("length", "taken"), [(23, False), (24, True), (64, True), (65, False)])
def test_a_secret_has_24_to_64_bytes(length: int, taken: bool) -> None:
    assert signing.is_secret("whsec_" + base64.b64encode(b"k" * length).decode()) is taken


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_????", base64.b64encode(b"k" * 32).decode(), "WHSEC_" + base64.b64encode(b"k" * 32).decode(), "whsec_☃"])
def test_what_is_no_secret(text: str) -> None:
    assert not signing.is_secret(text)
