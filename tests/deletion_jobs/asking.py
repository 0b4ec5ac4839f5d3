"""What a privacy officer does with deletion jobs, in one line each."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from tapedeck.environments.model import Environment
from tapedeck.session_replays.blocks.reading import Block
from tests.harness import System
from tests.harness.cloud import Killed
from tests.harness.gateway import Response


def user_url(environment: Environment, user_id: str, rest: str = "") -> str:
    """The path of a user: the id encoded once, `/` and all."""
    return f"/api/v1/{environment.project_key}/users/{quote(user_id, safe='')}{rest}"


def jobs_url(environment: Environment, job_id: int | str | None = None, rest: str = "") -> str:
    """The path of a project's jobs, or of one."""
    return f"/api/v1/{environment.project_key}/jobs{'' if job_id is None else f'/{job_id}'}{rest}"


def ask(system: System, method: str, url: str, *, by: str = "owner", **options: Any) -> Response:
    """A request of somebody in acme."""
    return system.request(method, url, token=system.acme.token(by), **options)


def erase(system: System, user_id: str, *, now: bool = True, of: Environment | None = None) -> dict[str, Any]:
    """Ask for a person's erasure, and answer the job."""
    answer = ask(system, "DELETE", user_url(of or system.acme.web, user_id), query={"now": "true"} if now else {})
    assert answer.status == 200, answer
    made: dict[str, Any] = answer.json()["data"]
    return made


def job(system: System, job_id: int, *, of: Environment | None = None) -> dict[str, Any]:
    """A job as it is now."""
    answer = ask(system, "GET", jobs_url(of or system.acme.web, job_id))
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()["data"]
    return found


def cancel(system: System, job_id: int) -> Response:
    """Cancel a job."""
    return ask(system, "DELETE", jobs_url(system.acme.web, job_id))


def work(system: System, job_id: int) -> None:
    """Ring the worker for a job: here and now, in a sandbox of its own, whatever becomes of it."""
    bell = {"organization_id": system.acme.id, "project_id": system.acme.web.project_id, "job_id": job_id}
    with suppress(Killed, Exception):
        system.invoke("deletion_jobs/run_erasure", {"Records": [{"body": json.dumps(bell)}]})


def look_after(system: System, times: int = 2) -> None:
    """What happens anyway, in time: bells are delivered, and rung again."""
    for _ in range(times):
        system.drain()
        system.skip(1000)
        system.invoke("deletion_jobs/sweep_erasures")
        system.drain()


def erased(system: System, user_id: str) -> dict[str, Any]:
    """Erase a person now, and answer the receipt."""
    made = erase(system, user_id)
    system.drain()
    assert job(system, made["jobId"])["status"] == "completed", job(system, made["jobId"])
    return receipt(system, made["jobId"])


def receipt(system: System, job_id: int) -> dict[str, Any]:
    """The receipt of a job."""
    answer = ask(system, "GET", jobs_url(system.acme.web, job_id, "/receipt"))
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.json()["data"]
    return found


def dump(system: System, *, prefix: str = "") -> str:
    """Every table, bucket, queue and log line, as one text; bytes are shown as they are and inflated, blocks column by column. With
    `prefix`, the objects under it alone."""
    found: list[bytes] = []
    for key, body in system.objects(prefix=prefix).items():
        found += [key.encode(), body]
        if key.startswith("blocks/"):
            block = Block.of(body)
            found += [repr([value for value, _ in block.dictionary()]).encode(), repr(block.shown()).encode()]
    for name, _ in system.template.of_type("AWS::DynamoDB::Table") if not prefix else ():
        for item in system.items(name):
            found += [repr((name, item)).encode(), *(value["B"] for value in item.values() if "B" in value)]
    for name, _ in system.template.of_type("AWS::SQS::Queue") if not prefix else ():
        url = system.template.physical_id(name)
        messages = system.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
        found += [message["Body"].encode() for message in messages]
    found += [system.logs.getvalue().encode()] if not prefix else []
    texts = []
    for data in found:
        texts.append(data.decode("utf-8", "replace"))
        for inflate in (zlib.decompress, gzip.decompress, _unzstd):
            try:
                texts.append(inflate(data).decode("utf-8", "replace"))
            except Exception:  # noqa: BLE001 - not that
                continue
    return re.sub(r"\s+", " ", "\n".join(texts))


def _unzstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.ZstdDecompressor().decompress(data[1:])
