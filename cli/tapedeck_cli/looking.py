"""Looking again and again at something that goes on by itself, with patience for a server that has gone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from tapedeck_cli.screen import err
from tapedeck_cli.trouble import Trouble

_MOST_BACK_OFF = 30.0  # seconds between two attempts to reach a server that has gone
T = TypeVar("T")


def looks(ask: Callable[[], T], every: float = 1.0) -> Iterator[T]:
    """What is answered at each look, `every` so many seconds; a server that does not answer is asked less and less often.

    Trouble that asking again cannot mend goes on to the caller.
    """
    pause = every
    while True:
        time.sleep(pause)
        try:
            seen = ask()
        except Trouble as trouble:
            if not trouble.passes:
                raise
            pause = min(pause * 2, _MOST_BACK_OFF)
            err.print(f"{trouble}; again in {pause:.0f} s", style="dim", markup=False)
            continue
        pause = every
        yield seen
