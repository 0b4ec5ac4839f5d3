"""What people see: words on standard error, results on standard output, bars only where somebody watches."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def emit(value: Any) -> None:
    """A result for a program: JSON on standard output."""
    out.print(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), markup=False)


def harmless(value: Any) -> str:
    """JSON in one line, without the control characters that it allows and terminals obey."""
    return re.sub("[\x7f-\x9f]", lambda found: f"\\u{ord(found[0]):04x}", orjson.dumps(value).decode())


@contextmanager
def doing(what: str) -> Iterator[None]:
    """A long step without a measure: a spinner while somebody watches, and a line with its time when it is done."""
    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(bar_width=16),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        task = progress.add_task(what, total=None)
        yield
        seconds = progress.tasks[task].elapsed or 0
    err.print(f"  [green]✓[/] {what} [dim]{seconds:.1f} s[/]")


@contextmanager
def counting(what: str, total: int) -> Iterator[Progress]:
    """A long step of `total` parts: advance the first task."""
    with Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as progress:
        progress.add_task(what, total=total)
        yield progress
