"""Everything that goes on × the erasure of a person, at every call of either, and with a fault in either (trust.md §6.1, F4, F7, F18).

Some of all schedules in each run; `TAPEDECK_SCHEDULES=all` plays every one of them, a number about so many of each case.
"""

from __future__ import annotations

import pytest

from tests.deletion_jobs.schedules import CASES, Theatre, bystander
from tests.harness import System


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_and_nothing_comes_back(system: System, case: str) -> None:
    system.capture_logs()
    check = bystander(system)
    theatre = Theatre(system, CASES[case])
    for schedule in theatre.schedules():
        theatre.play(schedule)
    theatre.audit()
    if case != "an emptied bucket":
        check()
