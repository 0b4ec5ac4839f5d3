"""`system`: a fresh world for every test, and no test passes if a function was refused something by its own role."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.harness import System
from tests.harness.template import ROOT

# A busy machine is not a bug: no example has a deadline.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture
def system() -> Iterator[System]:
    """The stack as deployed to staging: two organizations, nothing recorded yet."""
    with System(Stage="staging") as running:
        yield running
        assert not running.cloud.denied, "the role of a function does not allow what it does"


@pytest.fixture
def console(system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    """The stack with the layer that console/Makefile builds: its files as the package `tapedeck_console`."""
    (tmp_path / "tapedeck_console").symlink_to(ROOT / "console", target_is_directory=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    return system
