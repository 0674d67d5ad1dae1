"""Workbooks and text that any spreadsheet program opens, whatever people are called."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import openpyxl
import pytest

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


def test_rows_that_do_not_fit_on_a_sheet_go_to_another(tmp_path: Path) -> None:
    path = tmp_path / "large.xlsx"
    with Workbook(path, title="Large", language="en", moment=datetime(2026, 9, 1, tzinfo=UTC)) as book:
        sheet = book.sheet("Scores", ["Number"])
        for number in range(1_048_580):
            sheet.write([number])
    with zipfile.ZipFile(path) as archive:
        assert b'"Scores"' in archive.read("xl/workbook.xml")
        assert b'"Scores 2"' in archive.read("xl/workbook.xml")
        first, second = (archive.read(f"xl/worksheets/sheet{n}.xml") for n in (1, 2))
        tables = [archive.read(f"xl/tables/table{n}.xml") for n in (1, 2)]
    # The headings and all rows a sheet has room for; then the headings again and the other five.
    assert (first.count(b"<row "), second.count(b"<row ")) == (1_048_576, 6)
    assert b'<c r="A6"><v>1048579</v></c>' in second
    assert (b'ref="A1:A1048576"' in tables[0], b'ref="A1:A6"' in tables[1]) == (True, True)


@pytest.mark.parametrize("hostile", ["='[https://example.org/x.xlsx]S'!$A$1", "=Sheet1!$A$1", "Hello!A1 you"])
def test_a_chart_s_names_are_text_and_refer_to_nothing(tmp_path: Path, hostile: str) -> None:
    path = tmp_path / "book.xlsx"
    with Workbook(path, title=hostile, language="en", moment=datetime(2026, 9, 7, 12, tzinfo=UTC)) as book:
        sheet = book.sheet(f"1 {hostile}", ["Part", hostile])
        sheet.write([hostile, 0.5])
        sheet.bars(hostile, hostile, [(1, hostile)], shares=True)
    with zipfile.ZipFile(path) as packed:
        drawn = packed.read("xl/charts/chart1.xml").decode()
    references = re.findall(r"<c:f>(.*?)</c:f>", drawn)
    assert len(references) == 2
    assert all(one.startswith("'1 ") for one in references)
    assert unescape(drawn).replace("\N{WORD JOINER}", "").count(f"<a:t>{hostile}</a:t>") == 1
