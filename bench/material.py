"""What the measurements are made with: synthetic recordings, and an AWS that answers at once with what it was told to."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from botocore.awsrequest import AWSResponse

REPLAY = "7e07485f12f9416b8b1426260799b51f"
AT = 1_772_704_800.0
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "STAGE": "staging",
    "REPLAYS_TABLE": "replays",
    "EVENTS_TABLE": "events",
    "CONTROL_TABLE": "control",
    "RECORDINGS_BUCKET": "recordings",
    "RETENTION_DAYS": "90",
    "PUBLIC_URL": "https://tapedeck.example/v",
    "POWERTOOLS_SERVICE_NAME": "tapedeck",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


def settle() -> None:
    """Be a Lambda function: its environment, and nothing of this machine's own."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)
    os.environ.update(ENVIRONMENT)


def alone(work: str) -> str:
    """The last line that `work` (`module.function` of this package) prints in a process of its own."""
    module = work.partition(".")[0]
    program = f"from bench import material, {module}; material.settle(); {work}()"
    ran = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    if ran.returncode:
        raise RuntimeError(f"{work} failed:\n{ran.stderr}")
    return ran.stdout.splitlines()[-1]


def recording(size: int, seed: int = 0) -> bytes:
    """About `size` bytes of what rrweb records: mostly mutations and mouse moves, here and there a click; it deflates about 6 : 1."""
    return b"[" + b",".join(_events(size, random.Random(seed))) + b"]"


def _events(size: int, chance: random.Random) -> Iterator[bytes]:
    words = ("flex", "items-center", "px-4", "text-gray-500", "button", "row", "cell", "hover:bg-gray-100", "rounded", "border")
    written = 0
    number = 0
    while written < size:
        number += 1
        at = int(AT * 1000) + number * 16
        node: dict[str, Any] = {
            "type": 2,
            "tagName": chance.choice(("div", "span", "li", "a")),
            "attributes": {"class": " ".join(chance.choices(words, k=3)), "data-id": f"{chance.getrandbits(32):08x}"},
            "childNodes": [],
            "id": number,
        }
        event: dict[str, Any]
        if number % 40 == 0:
            clicked = {"id": number, "tagName": "button", "textContent": "Pay now", "attributes": {"class": "btn", "id": "pay"}}
            payload = {
                "timestamp": at / 1000,
                "category": "ui.click",
                "message": "body > button",
                "data": {"nodeId": number, "node": clicked},
            }
            event = {"type": 5, "timestamp": at, "data": {"tag": "breadcrumb", "payload": payload}}
        elif number % 3 == 0:
            moves = [{"x": chance.randrange(1600), "y": chance.randrange(900), "id": number, "timeOffset": -n} for n in range(8)]
            event = {"type": 3, "timestamp": at, "data": {"source": 1, "positions": moves}}
        else:
            event = {
                "type": 3,
                "timestamp": at,
                "data": {"source": 0, "adds": [{"parentId": 5, "nextId": None, "node": node}], "removes": []},
            }
        line = json.dumps(event, separators=(",", ":")).encode()
        written += len(line) + 1
        yield line


def envelope(segment_id: int, raw: bytes) -> bytes:
    """The envelope in which the browser SDK posts this recording."""
    said = {
        "type": "replay_event",
        "replay_id": REPLAY,
        "segment_id": segment_id,
        "replay_type": "session",
        "timestamp": AT + 5 * segment_id,
        "replay_start_timestamp": AT,
        "urls": ["https://shop.example/checkout"],
        "error_ids": [],
        "trace_ids": ["a" * 32],
        "platform": "javascript",
        "environment": "production",
        "release": "shop@1.4.2",
        "user": {"id": "30246326", "email": "john.doe@example.com"},
        "tags": {"plan": "free"},
        "sdk": {"name": "sentry.javascript.browser", "version": "10.1.0"},
        "request": {"url": "https://shop.example/checkout", "headers": {"User-Agent": CHROME}},
    }
    payload = b'{"segment_id":%d}\n' % segment_id + zlib.compress(raw)
    head = json.dumps({"event_id": REPLAY, "sent_at": "2026-03-05T10:00:00.000Z"}).encode()
    recorded = json.dumps({"type": "replay_recording", "length": len(payload)}).encode()
    return b"\n".join([head, b'{"type":"replay_event"}', json.dumps(said).encode(), recorded, payload])


def stand_in(row: bytes) -> None:
    """AWS in the middle of a session: the replay's row is there, no tombstone is, every write goes well, and a list has a hundred rows.

    There are no blocks.
    """
    from tapedeck import aws

    replay = {"d": {"B": base64.b64encode(row).decode()}, "v": {"N": "7"}}
    listed = [
        {**replay, "pk": {"S": f"R#1#1#{number:032x}"}, "sk": {"S": "M"}, "listed_at": {"S": f"{int(AT * 1000):014d}#{number:032x}"}}
        for number in range(100)
    ]
    found, page, nothing = orjson.dumps({"Item": replay}), orjson.dumps({"Items": listed, "Count": len(listed)}), b"{}"

    def get(request: Any) -> bytes:
        asked = orjson.loads(request.body)
        return found if asked["TableName"] == "replays" and asked["Key"]["sk"]["S"] == "M" else nothing

    def get_many(request: Any) -> bytes:
        keys = orjson.loads(request.body)["RequestItems"].get("replays", {}).get("Keys", [])
        items = [{**key, **replay} for key in keys if key["sk"]["S"] == "M"]
        return orjson.dumps({"Responses": {"replays": items}, "UnprocessedKeys": {}})

    def query(request: Any) -> bytes:
        return b'{"Items":[],"Count":0}' if b'"BLOCKS#' in request.body or b'"M#' in request.body else page

    writes = dict.fromkeys(("PutItem", "UpdateItem", "TransactWriteItems"), lambda _: nothing)
    answer(aws.client("dynamodb"), {"GetItem": get, "BatchGetItem": get_many, "Query": query, **writes})
    answer(aws.client("s3"), {"PutObject": lambda _: b""})


def answer(client: Any, answers: dict[str, Callable[[Any], bytes]]) -> None:
    """Let this client's operations be answered from here: signed and parsed as ever, never sent."""
    for operation, say in answers.items():

        def send(request: Any, say: Callable[[Any], bytes] = say, **_: Any) -> AWSResponse:
            return AWSResponse(request.url, 200, {"Content-Type": "application/x-amz-json-1.0"}, _Raw(say(request)))

        client.meta.events.register(f"before-send.{client.meta.service_model.service_id.hyphenize()}.{operation}", send)


class _Raw(io.BytesIO):
    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.read()
