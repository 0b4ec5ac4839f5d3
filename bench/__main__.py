"""`python -m bench`: measure everything, print the table, and fail when a number is over its target.

`python -m bench ingesting collecting` measures these alone. `python -m bench search` measures searches, at all sizes or at those that
follow, beside what it installs for comparison; `python -m bench replay` does so with finding and sending events.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "layers" / "tapedeck"), str(ROOT)]

# After the path to what they measure:
from bench import capturing, collecting, downloading, erasing, figures, ingesting, material, remembering, replay, search, starting, tripping  # noqa: E402


def main(arguments: Sequence[str]) -> int:
    """The exit status: how many numbers are over their target."""
    modules = (starting, ingesting, collecting, capturing, erasing, downloading, remembering, tripping, search, replay)
    kinds: dict[str, Callable[[], list[figures.Figure]]] = {kind.__name__.rpartition(".")[2]: kind.measure for kind in modules}
    compared = {"search": search, "replay": replay}
    if arguments and arguments[0] in compared:
        name, *told = arguments
        sizes = [int(size.replace("_", "")) for size in told] or compared[name].ALL_SIZES
        kinds = {name: partial(compared[name].measure, sizes, fetch=True)}
    elif arguments:
        kinds = {name: kinds[name] for name in arguments}
    measured: list[figures.Figure] = []
    for name, measure in kinds.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        material.settle()
        measured += measure()
    print(figures.table(measured))
    return sum(figure.verdict == "OVER" for figure in measured)


sys.exit(main(sys.argv[1:]))
