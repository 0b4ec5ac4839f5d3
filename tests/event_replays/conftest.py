"""What the tests of destinations share: the stack as it runs on a laptop, and a server there to send to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.event_replays.destinations.sink import Sink, listening
from tests.harness import System


@pytest.fixture
def local() -> Iterator[System]:
    """The stack as it runs on a laptop: it may reach that laptop."""
    with System(Stage="local") as running:
        yield running
        assert not running.cloud.denied


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A server on this machine."""
    with listening() as running:
        yield running
