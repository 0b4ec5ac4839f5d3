"""lambda destinations: moto knows functions but does not run them, so its answers are written down here."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.harness import System

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:tapedeck-dest-sink"


@pytest.mark.parametrize(("metadata", "kind"), [({}, "Event"), ({"invocation": "event"}, "Event"), ({"invocation": "request"}, "RequestResponse")])
def test_an_invocation_has_the_data_as_its_payload_to_the_byte(system: System, monkeypatch: pytest.MonkeyPatch, metadata: dict[str, str], kind: str) -> None:
    made = make(system, type="lambda", metadata={"function_arn": FUNCTION, **metadata})
    asked: list[dict[str, Any]] = []
    with opened(system, made) as sender:
        assert sender.batch == 1
        client: Any = sender.client  # type: ignore[attr-defined]
        monkeypatch.setattr(client, "invoke", lambda **said: asked.append(said) or {"StatusCode": 202})
        [outcome] = sender.send(deliveries(b'{ "n": 12.50 }'))
        assert outcome.ok
        assert sender.check().ok
    sent, checked = asked
    assert (sent["FunctionName"], sent["InvocationType"], sent["Payload"]) == (FUNCTION, kind, b'{ "n": 12.50 }')
    assert json.loads(base64.b64decode(sent["ClientContext"])) == {"custom": {"Idempotency-Key": f"{REPLAY}:69a95ce00000000000000000", "X-Replay-Hops": 1}}
    assert (checked["InvocationType"], "Payload" in checked) == ("DryRun", False)


def test_a_function_that_fails_may_not_the_next_time(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(system, make(system, type="lambda", metadata={"function_arn": FUNCTION, "invocation": "request"})) as sender:
        client: Any = sender.client  # type: ignore[attr-defined]
        monkeypatch.setattr(client, "invoke", lambda **_: {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"canary")})
        [outcome] = sender.send(deliveries(1))
    assert (outcome.ok, outcome.retry, outcome.message) == (False, True, "the function failed (Unhandled)")


def test_a_function_that_is_gone_is_a_failure_for_good(system: System) -> None:
    with opened(system, make(system, type="lambda", metadata={"function_arn": FUNCTION})) as sender:
        [outcome] = sender.send(deliveries(1))
        assert (outcome.ok, outcome.retry, outcome.message) == (False, False, "ResourceNotFoundException")
        assert not sender.check().ok
