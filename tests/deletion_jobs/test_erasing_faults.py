"""Everything that goes on × the erasure of a person, at every call of either, and with a fault in either (trust.md §6.1, F4, F7, F18).

By default every place without a fault and some of the pairs; `TAPEDECK_SCHEDULES=all` plays all of them.
"""

from __future__ import annotations

import pytest

from tests.deletion_jobs.schedules import CASES, Theatre, bystander
from tests.harness import System

PAIRS = 12  # of each case, in every run


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_and_nothing_comes_back(system: System, case: str) -> None:
    system.capture_logs()
    check = bystander(system)
    theatre = Theatre(system, CASES[case])
    for schedule in theatre.schedules(PAIRS):
        theatre.play(schedule)
    theatre.audit()
    if case != "an emptied bucket":
        check()
