"""s3 destinations, on moto's buckets."""

from __future__ import annotations

import json

from tests.event_replays.destinations.asking import REPLAY, deliveries, make, opened
from tests.harness import System


def objects(system: System) -> dict[str, bytes]:
    """What is in the bucket."""
    s3 = system.client("s3")
    listed = s3.list_objects_v2(Bucket="tapedeck-dest-archive").get("Contents", [])
    return {each["Key"]: s3.get_object(Bucket="tapedeck-dest-archive", Key=each["Key"])["Body"].read() for each in listed}


def test_objects_are_lines_in_order_and_a_repeated_batch_overwrites_itself(system: System) -> None:
    system.client("s3").create_bucket(Bucket="tapedeck-dest-archive")
    made = make(system, type="s3", metadata={"bucket": "tapedeck-dest-archive", "prefix": "events/"})
    batch = deliveries(b'{ "n": 12.50,\n "m": "\xc3\xa9" }', *({"n": n} for n in range(99)))
    with opened(system, made) as sender:
        for _ in range(2):
            assert all(outcome.ok for outcome in sender.send(batch))
        sender.send(batch[50:60])
        assert sender.check().ok
    [first, part] = objects(system).items()
    assert first[0].startswith(f"events/{REPLAY}/000000000000007-000000000000106-")
    assert part[0].startswith(f"events/{REPLAY}/000000000000057-000000000000066-"), "what overlaps shows that it does"
    lines = first[1].splitlines()
    assert lines[0] == b'{ "n": 12.50,  "m": "\xc3\xa9" }', "a line feed between tokens becomes a space"
    assert [json.loads(line)["n"] for line in lines[1:]] == list(range(99))


def test_much_is_several_objects(system: System) -> None:
    system.client("s3").create_bucket(Bucket="tapedeck-dest-archive")
    made = make(system, type="s3", metadata={"bucket": "tapedeck-dest-archive"})
    with opened(system, made) as sender:
        assert all(outcome.ok for outcome in sender.send(deliveries(*("x" * 900_000 for _ in range(20)))))
    assert [body.count(b"\n") for body in objects(system).values()] == [9, 9, 2]


def test_a_bucket_that_is_gone_is_a_failure_for_good(system: System) -> None:
    with opened(system, make(system, type="s3", metadata={"bucket": "tapedeck-dest-archive"})) as sender:
        assert [(outcome.ok, outcome.retry, outcome.message) for outcome in sender.send(deliveries(1, 2))] == [(False, False, "NoSuchBucket")] * 2
        assert not sender.check().ok
