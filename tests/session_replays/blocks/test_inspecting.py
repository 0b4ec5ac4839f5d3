"""`tapedeck blocks inspect`: what a block holds, for people and for programs; and the worked example of docs/blocks.md."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tapedeck.session_replays.blocks import format as form
from tapedeck.session_replays.blocks import writing
from tapedeck_cli import blocks
from tapedeck_cli.trouble import Trouble
from tests.harness.template import ROOT
from tests.session_replays.search.worlds import OTHER, START, link, replay, segment

EXAMPLE = [
    replay(segment(scalars={"browser.name": "Chrome", "user.email": "ann@example.com"}, tags={"plan": "free"}, urls=["/cart"])),
    replay(segment(started=START + 2, scalars={"browser.name": "Safari"}, tags={"plan": "free"}), link("e" * 32), replay_id=OTHER),
]


@pytest.fixture
def block(tmp_path: Path) -> Path:
    file = tmp_path / "block"
    file.write_bytes(writing.write(writing.columns_of(EXAMPLE))[0])
    return file


def said(*arguments: str) -> str:
    result = CliRunner().invoke(blocks.app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result
    return result.output


def test_a_block_is_told_column_by_column(block: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(str(block), "--json"))
    assert (told["version"], told["replays"], told["projects"]) == (1, 2, "1")
    errors = next(row for row in told["columns"] if row["column"] == "count_errors")
    assert errors == {"section": "numbers", "column": "count_errors", "values": "0 … 1", "bytes": 1}
    assert {row["column"] for row in told["columns"] if row["section"] == "texts"} >= {"browser.name", "tags.plan", "urls", "user.email"}
    assert "browser.name" in said(str(block))


def test_the_values_of_a_column_are_listed(block: Path) -> None:
    assert json.loads(said(str(block), "--column", "tags.plan", "--json"))["values"] == [{"value": "free", "replays": 2}]
    assert json.loads(said(str(block), "--column", "nothing", "--json"))["values"] == []


def test_what_is_no_block_is_a_clear_line(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(Trouble, match="no block"):
        blocks.inspect(tmp_path / "x")
    with pytest.raises(Trouble, match="No such file"):
        blocks.inspect(tmp_path / "y")


def test_the_example_of_the_page_is_true(block: Path) -> None:
    page = (ROOT / "docs/blocks.md").read_text(encoding="utf-8")
    data = block.read_bytes()
    assert " ".join(f"{byte:02x}" for byte in data[:8]) in page
    assert " ".join(f"{byte:02x}" for byte in data[8:24]) in page
    assert " ".join(f"{byte:02x}" for byte in data[40:48]) + "  " in page
    assert "00 68 e5 cf 8b 01 00 00  00 00  d0 07" in page
    assert data[48:60] == bytes.fromhex("0068e5cf8b0100000000d007")
    errors = form.head_of(data).numbers["count_errors"]
    assert data[errors.bits.offset : errors.bits.end] == b"\x02"
    assert "is low 0, high 1, step 1, one plane: `02`" in page
    (dictionary,) = form.head_of(data).pages
    texts, rows = data[dictionary.offset :][: dictionary.texts], data[dictionary.offset + dictionary.texts :][: dictionary.rows]
    assert f"are {len(texts)} and {len(rows)} bytes" in page
    assert form.inflate(texts).endswith(b"Chrome\xffSafari\xff\xfd\xfd\xfdfree\xff\xfd/cart\xff\xfdann@example.com\xff\xfd")
    assert "Chrome ff Safari ff fd | fd | fd | free ff fd | /cart ff fd | ann@example.com ff fd" in page
    assert "01 01 02 01 02 02 02 01 01 01 01" in page
    assert form.inflate(rows).startswith(bytes.fromhex("0101020102020201010101"))
