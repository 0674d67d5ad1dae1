"""Reads the Employment Projections of the U.S. Bureau of Labor Statistics: its table 1.2, as spreadsheet or CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from app.features.occupations.content import Content, Release, TableNote
from app.features.occupations.files import Download, bad

_SHEET = "Table 1.2"
_MOST_BYTES = 32 * 1024 * 1024
_CODE = re.compile(r"\d{2}-\d{4}")
_PERIOD = re.compile(r"(\d{4})\D(\d{2,4})")
_FOOTNOTE = re.compile(r"\[\d+\]")
# The dash the tables put where a figure does not exist.
_MISSING = frozenset({"", "-", "–", "—"})
# What a column's heading begins with: the years in it change from one edition to the next.
_COLUMNS: dict[str, str] = {
    "jobs": "Employment, ",
    "growth": "Employment change, percent",
    "self_employed": "Percent self employed",
    "openings": "Occupational openings",
    "wage": "Median annual wage",
    "education": "Typical education",
    "experience": "Work experience",
    "training": "Typical on-the-job training",
}
_KIND = "Occupation type"
_CODE_HEADING = "National Employment Matrix code"
_TITLE_HEADING = "National Employment Matrix title"


def read_bls(path: Path, *, label: str | None = None) -> Content:
    """Read a projection from a spreadsheet, a CSV of table 1.2, or a folder or ZIP with either; raises BadFile."""
    name, rows = _find(path)
    start, columns = _heading(name, rows)
    told = label or _period(" ".join(str(cell) for cell in rows[start] if "change" in str(cell)))
    if not told:
        raise bad(name, start + 1, "The heading does not tell the years; name them with --release, such as 2024-34.")
    note = TableNote(release=told, files=[name])
    # Growth is over the whole period; pay and education are of its first year.
    note.first = note.last = told[:4]
    content = Content(release=Release(kind="bls", label=told, tables={}, figures={}))
    seen: set[str] = set()
    for line, row in enumerate(rows[start + 1 :], start=start + 2):
        code = str(row[columns["code"]]).strip() if len(row) > columns["code"] else ""
        if not code:
            # Footnotes follow the table.
            continue
        if not _CODE.fullmatch(code):
            raise bad(name, line, f"{code!r} is no code of the form 11-1011.")
        figures = _figures(name, line, row, columns)
        note.rows += 1
        if code == "00-0000":
            content.release.figures |= {
                "growth": figures["growth"],
                "wage": figures["wage"],
                "jobs": figures["jobs"],
            }
        if str(row[columns["kind"]]).strip() != "Line item":
            continue
        if code in seen:
            raise bad(name, line, f"The code {code} stands here twice.")
        seen.add(code)
        content.outlook.append({"soc_code": code} | figures)
    if not content.outlook:
        raise bad(name, None, "There is no occupation in this table.")
    content.release.figures["openings"] = median(r["openings"] for r in content.outlook if r["openings"] is not None)
    content.release.tables["outlook"] = note.as_json()
    return content


def _figures(name: str, line: int, row: list[Any], columns: Mapping[str, int]) -> dict[str, Any]:
    cells = {field: _text(row[place]) if place < len(row) else None for field, place in columns.items()}
    wage, words = cells["wage"], None
    if wage is not None and wage.startswith((">", "<")):
        wage, words = None, wage
    jobs = _number(name, line, cells["jobs"])
    openings = _number(name, line, cells["openings"])
    return {
        "title": _FOOTNOTE.sub("", cells["title"] or "").strip(),
        "jobs": None if jobs is None else round(jobs * 1000),
        "growth": _number(name, line, cells["growth"], -100, 1000),
        "openings": None if openings is None else round(openings * 1000),
        "wage": _number(name, line, wage),
        "wage_text": words,
        "education": cells["education"],
        "experience": cells["experience"],
        "training": cells["training"],
        "self_employed": _number(name, line, cells["self_employed"], 0, 100),
    }


def _find(path: Path) -> tuple[str, list[list[Any]]]:
    if path.is_file() and path.suffix.lower() in (".xlsx", ".csv"):
        if path.stat().st_size > _MOST_BYTES:
            raise bad(path.name, None, "This file is too large to be the table.")
        return path.name, _table(path.name, path.read_bytes(), wanted=True) or []
    download = Download(path)
    for name in (*download.names(".xlsx"), *download.names(".csv")):
        rows = _table(name, download.bytes_of(name), wanted=False)
        if rows is not None:
            return name, rows
    raise bad(path.name, None, "There is no table 1.2 of the Employment Projections here.")


def _table(name: str, content: bytes, *, wanted: bool) -> list[list[Any]] | None:
    """The rows of the table; None where this is another file, unless it was the one `wanted`."""
    try:
        if name.lower().endswith(".xlsx"):
            rows: list[list[Any]] = (
                CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(_SHEET).to_python()
            )
        else:
            rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig")), strict=True))
    except WorksheetNotFound:
        rows = []
    except (CalamineError, UnicodeDecodeError, csv.Error) as error:
        raise bad(name, None, f"This file cannot be read ({error}).") from error
    if not any(_is_heading(row) for row in rows[:10]):
        if wanted:
            raise bad(name, None, "There is no table 1.2 of the Employment Projections here.")
        return None
    return rows


def _is_heading(row: list[Any]) -> bool:
    said = [str(cell) for cell in row]
    return any(_CODE_HEADING in cell for cell in said) and any(cell.strip() == _KIND for cell in said)


def _heading(name: str, rows: list[list[Any]]) -> tuple[int, dict[str, int]]:
    start = next(number for number, row in enumerate(rows) if _is_heading(row))
    said = [" ".join(str(cell).split()) for cell in rows[start]]
    columns: dict[str, int] = {}
    for field, beginning in (*_COLUMNS.items(), ("kind", _KIND)):
        found = [place for place, cell in enumerate(said) if cell.startswith(beginning)]
        if not found:
            raise bad(name, start + 1, f"The column {beginning.rstrip(', ')} is missing.")
        columns[field] = found[0]
    for field, ending in (("code", _CODE_HEADING), ("title", _TITLE_HEADING)):
        columns[field] = next((place for place, cell in enumerate(said) if cell.endswith(ending)), -1)
        if columns[field] < 0:
            raise bad(name, start + 1, f"The column {ending} is missing.")
    return start, columns


def _period(heading: str) -> str | None:
    found = _PERIOD.search(heading)
    return f"{found[1]}-{found[2][-2:]}" if found else None


def _text(cell: Any) -> str | None:
    if isinstance(cell, float):
        return repr(cell)
    said = " ".join(str(cell).split())
    return None if said in _MISSING else said


def _number(name: str, line: int, cell: str | None, low: float = 0, high: float = 1e9) -> float | None:
    if cell is None:
        return None
    try:
        value = float(cell.replace(",", "").replace("$", ""))
    except ValueError as error:
        raise bad(name, line, f"{cell!r} is no number.") from error
    if not low <= value <= high:
        raise bad(name, line, f"{cell} is outside {low:g} to {high:g}.")
    return value
