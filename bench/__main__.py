"""`python -m bench`: measure everything, print the table, and fail when a number is over its target."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "layers" / "tapedeck"), str(ROOT)]

from bench import downloading, figures, ingesting, material, remembering, starting, tripping  # noqa: E402 - after the path to what they measure


def main() -> int:
    """The exit status: how many numbers are over their target."""
    measured: list[figures.Figure] = []
    for kind in (starting, ingesting, downloading, remembering, tripping):
        print(f"{kind.__name__.rpartition('.')[2]} …", file=sys.stderr, flush=True)
        material.settle()
        measured += kind.measure()
    print(figures.table(measured))
    return sum(figure.verdict == "OVER" for figure in measured)


sys.exit(main())
