"""Workbooks and text that any spreadsheet program opens, whatever people are called."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import openpyxl

from app.infra.sheets import Workbook, write_csv

# Characters that XML cannot hold at all, and such that a spreadsheet would run.
NAMES = ["\ufffeAnn\uffff", "A\x00\x0b\x1f\ud800B", "_x0041_", "\x00=1+1", " =1+1", "＝1+1", "\n=1+1"]


def test_s11_a_workbook_opens_whatever_a_name_holds(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with Workbook(path, title="\uffff<&>", language="en", moment=datetime(2026, 9, 7, tzinfo=UTC)) as book:
        sheet = book.sheet("People", ["Name"])
        for name in NAMES:
            sheet.write([name])
    cells = [row[0] for row in openpyxl.load_workbook(path)["People"].iter_rows(min_row=2)]
    assert [cell.value for cell in cells][:2] == ["Ann", "AB"]
    assert {cell.data_type for cell in cells} == {"s"}


def test_s11_no_line_of_text_begins_like_a_formula() -> None:
    out = io.BytesIO()
    write_csv(out, [[name] for name in NAMES[2:]])
    lines = out.getvalue().decode("utf-8-sig").replace('"', "").split("\r\n")
    assert lines[0] == "_x0041_"
    assert all(line.startswith("'") for line in lines[1:-1])
