"""template.yaml, running in this process: see `System`."""

from __future__ import annotations

from tests.harness.cloud import KINDS, Call, Killed
from tests.harness.gateway import Response
from tests.harness.system import System

__all__ = ["KINDS", "Call", "Killed", "Response", "System"]
