"""s3: objects of lines, up to 500 events each: NDJSON, every line the data of one event.

An object's key is made of what is in it, `{prefix}{replay}/{first number}-{last number}-{digest of the keys}.ndjson`: a batch that is
sent again overwrites itself. A batch that a crash has cut otherwise overlaps its neighbour, which the numbers show. JSON has line feeds
between its tokens only: there they become spaces.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from tapedeck.event_replays.destinations.kinds import resource
from tapedeck.event_replays.destinations.kinds.resource import Failure
from tapedeck.event_replays.destinations.model import Delivery


class Sender(resource.Sender):
    """Puts objects into one bucket."""

    service = "s3"
    actions = ("s3:PutObject", "s3:ListBucket")
    batch = 500
    most_bytes = 8 * 1024 * 1024

    @property
    def arn(self) -> str:
        """The bucket's."""
        return f"arn:aws:s3:::{self.place.name}"

    @property
    def resources(self) -> Sequence[str]:
        """The bucket and what is in it."""
        return [self.arn, f"{self.arn}/*"]

    def call(self, deliveries: Sequence[Delivery]) -> Mapping[int, Failure]:
        """One PutObject."""
        self.client.put_object(
            Bucket=self.place.name,
            Key=self.said.get("prefix", "") + object_key(deliveries),
            Body=b"".join(each.body.replace(b"\n", b" ") + b"\n" for each in deliveries),
            ContentType="application/x-ndjson",
            ExpectedBucketOwner=self.place.account,
        )
        return {}

    def look(self) -> None:
        """Whether it is there."""
        self.client.list_objects_v2(Bucket=self.place.name, MaxKeys=1, ExpectedBucketOwner=self.place.account)


def object_key(deliveries: Sequence[Delivery]) -> str:
    """The key of a batch, behind its prefix: in the order of the events' numbers."""
    replay = deliveries[0].key.partition(":")[0]
    digest = hashlib.sha256("\n".join(each.key for each in deliveries).encode()).hexdigest()
    return f"{replay}/{deliveries[0].number:015d}-{deliveries[-1].number:015d}-{digest[:16]}.ndjson"
