"""A figure: what we take, what we compare with, and how far apart the two may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One line of the table: with `theirs` a ratio, without a plain number. None could not be measured, and `note` says why."""

    name: str
    ours: float | None
    theirs: float | None = None
    target: float | None = None
    unit: str = "ms"
    note: str = ""

    @property
    def value(self) -> float | None:
        """What is held against the target."""
        return self.ours / self.theirs if self.ours is not None and self.theirs else self.ours

    @property
    def verdict(self) -> str:
        """`ok`, `OVER`, or nothing where there is nothing to judge."""
        if self.value is None or self.target is None:
            return ""
        return "ok" if self.value <= self.target else "OVER"


def table(figures: Sequence[Figure]) -> str:
    """The figures as lines for people."""
    head = ("", "ours", "compared with", "ratio", "target", "")
    lines = [
        (
            figure.name,
            _number(figure.ours, figure.unit),
            _number(figure.theirs, figure.unit),
            f"{figure.value:.2f}" if figure.theirs and figure.value is not None else "",
            f"≤ {figure.target:g}" if figure.target is not None else "",
            " ".join(part for part in (figure.verdict, figure.note) if part),
        )
        for figure in figures
    ]
    widths = [max(len(line[column]) for line in (head, *lines)) for column in range(5)]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:5], widths[1:], strict=True)), line[5]]
        ).rstrip()
        for line in (head, *lines)
    )


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.0f} {unit}".strip() if value >= 100 or value == int(value) else f"{value:.2f} {unit}".strip()
