"""`system`: a fresh world for every test, and no test passes if a function was refused something by its own role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.harness import System


@pytest.fixture
def system() -> Iterator[System]:
    """The stack as deployed to staging: two organizations, nothing recorded yet."""
    with System(Stage="staging") as running:
        yield running
        assert not running.cloud.denied, "the role of a function does not allow what it does"
