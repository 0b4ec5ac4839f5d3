"""`tapedeck blocks`, for the curious: what is in a block of finished replays, and what each part of it weighs (docs/blocks.md)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from tapedeck_cli.screen import emit, out
from tapedeck_cli.trouble import NOT_FOUND, Trouble

app = typer.Typer(no_args_is_help=True, help="Blocks of finished replays: inspect.")

_MOST_SHOWN = 60  # characters of a value


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="An object under blocks/ of the bucket, fetched: aws s3 cp s3://…/blocks/1/7/… block")],
    column: Annotated[str | None, typer.Option("--column", help="List the values of a column of texts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """What a block holds: how many replays of which time, its columns, and how many bytes each of them takes."""
    from tapedeck.session_replays.blocks.format import NoBlock  # what reads blocks is not loaded for other commands
    from tapedeck.session_replays.blocks.reading import Block

    try:
        block = Block.of(file.read_bytes())
    except OSError as error:
        raise Trouble(f"{file}: {error.strerror}", NOT_FOUND) from None
    except NoBlock as error:
        raise Trouble(f"{file}: {error}") from None
    rows = _values(block, column) if column is not None else _columns(block)
    told = _summary(block)
    if as_json:
        emit({**told, "values" if column is not None else "columns": rows})
        return
    for name, value in told.items():
        out.print(f"{name:>9}  {escape(str(value))}")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in rows[0] if rows else ():
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row.values()))
    out.print(table, soft_wrap=False)


def _summary(block: Any) -> dict[str, Any]:
    from tapedeck.clock import iso

    head = block.head
    return {
        "version": head.version,
        "replays": head.rows,
        "first": iso(head.first / 1000),
        "last": iso(head.last / 1000),
        "projects": ", ".join(map(str, head.projects)),
        "pages": len(head.pages),
    }


def _columns(block: Any) -> list[dict[str, Any]]:
    """A line for each section or column; the bytes of a page of texts are shared out by the texts in it."""
    head = block.head
    rows = [
        {"section": "began", "column": "", "values": head.rows, "bytes": head.began.length},
        {"section": "row ids", "column": "", "values": head.rows, "bytes": head.ids.length},
    ]
    for name, kept in sorted(head.numbers.items()):
        told = f"{kept.low} … {kept.high}" if kept.low is not None else "none"
        rows.append({"section": "numbers", "column": name, "values": told, "bytes": kept.bits.length})
    for name, pages in sorted(head.references.items()):
        rows.append({"section": "ids", "column": name, "values": "", "bytes": sum(page.length for page in pages)})
    counts: Counter[str] = Counter()
    weights: Counter[str] = Counter()
    for page in head.pages:
        runs = block.page(page).runs
        whole = sum(len(run.text) + 8 * run.count for run in runs.values())
        for column, run in runs.items():
            counts[column.decode()] += run.count
            weights[column.decode()] += page.length * (len(run.text) + 8 * run.count) // whole
    return [*rows, *({"section": "texts", "column": name, "values": counts[name], "bytes": weights[name]} for name in sorted(counts))]


def _values(block: Any, column: str) -> list[dict[str, Any]]:
    """The values of a column with how many replays have each, in their order."""
    from tapedeck.session_replays.blocks.format import ANY

    return [
        {"value": value.decode(errors="replace")[:_MOST_SHOWN], "replays": run.rows(at).bit_count()}
        for run in block.entries(column)
        for at, value in enumerate(run.values())
        if value != ANY
    ]
