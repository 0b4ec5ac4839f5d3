"""Looking again and again at something that goes on by itself, with patience for a server that has gone for a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import typer
from rich.progress import BarColumn, Progress, TextColumn

from tapedeck_cli.screen import err
from tapedeck_cli.trouble import Trouble

_MOST_BACK_OFF = 30.0  # seconds between two attempts to reach a server that has gone
T = TypeVar("T")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Life:
    """How a kind of thing is watched: the member that tells its state, the states in which it is over, and how it is shown.

    `draw` gives a bar's description, said, total (None swings) and completed; `sentence` is all of it in one line.
    """

    state: str
    over: Collection[str]
    draw: Callable[[Row], dict[str, Any]]
    sentence: Callable[[Row], str]


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


def watched(life: Life, row: Row, ask: Callable[[], Row], *, goes_on: str) -> Row:
    """The row when it is over: a bar while somebody watches, else a line for each state. Ctrl-C says what `goes_on`, and ends the tool."""
    columns = (TextColumn("  {task.description}"), BarColumn(bar_width=32), TextColumn("{task.fields[said]}"))
    try:
        with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
            task = bar.add_task("", total=None, said="")
            for seen in _states(life, row, ask):
                if not err.is_terminal and (seen is row or seen[life.state] != row[life.state]):
                    err.print(life.sentence(seen), style="dim", markup=False)
                row = seen
                bar.update(task, **life.draw(row))
    except KeyboardInterrupt:
        err.print(goes_on, style="dim", markup=False)
        raise typer.Exit from None
    return row


def _states(life: Life, row: Row, ask: Callable[[], Row]) -> Iterator[Row]:
    """The row as it is known, and as it is at each look, until it is over."""
    yield row
    if row[life.state] in life.over:
        return
    for seen in looks(ask):
        yield seen
        if seen[life.state] in life.over:
            return
