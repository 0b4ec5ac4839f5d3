"""What taking a segment costs over the least that anybody must do with it: inflate it, hash it, put it in the bucket."""

from __future__ import annotations

import hashlib
import zlib

from bench import material, timing
from bench.figures import Figure

SEGMENTS = 40
ROUNDS = 15


def measure() -> list[Figure]:
    """CPU of all threads on one core, as Lambda has it below 1.8 GB: the best round of each, in turn with the comparison."""
    import boto3

    from tapedeck.session_replays import ingesting, merging

    raws = [material.recording(60_000, seed) for seed in range(SEGMENTS)]
    envelopes = [material.envelope(number, raw) for number, raw in enumerate(raws)]
    bodies = [zlib.compress(raw) for raw in raws]
    material.stand_in(
        merging.encode({"seen": "0", "started": material.AT, "finished": material.AT, "urls": [[0, n, "/checkout"] for n in range(20)]})
    )
    stock = boto3.client("s3")
    material.answer(stock, {"PutObject": lambda _: b""})
    put = stock.put_object

    def ours() -> None:
        for envelope in envelopes:
            outcome = ingesting.ingest(1, 1, envelope, client_ip="203.0.113.7", client_agent=material.CHROME)
            assert outcome.accepted == 1, outcome

    def theirs() -> None:
        for body in bodies:
            raw = zlib.decompress(body)
            put(Bucket="recordings", Key=f"{hashlib.sha256(body).hexdigest()}/{len(raw)}", Body=body)

    with timing.one_core():
        mine, plain = (seconds / SEGMENTS * 1000 for seconds in timing.best_cpu([ours, theirs], rounds=ROUNDS))
    return [Figure("ingest a 60-KB segment: CPU over inflate + sha256 + one put_object", mine, plain, 3)]
