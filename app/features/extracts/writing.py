"""Writes what an own report reads as a file, from the database to the disk without keeping rows in memory."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

import psycopg
from sqlalchemy import ColumnElement, Select, Text, func, literal, select

from app.domain.csv_text import BYTE_ORDER_MARK, csv_line
from app.features.extracts.as_text import csv_cell, sheet_cell
from app.features.extracts.statements import Reading, plain
from app.infra.db.open import UnitOfWork
from app.infra.sheets import MOST_ROWS, XLSX, Workbook

MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": XLSX,
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
# What the files look like. Raise it with every change of their bytes, so that two checksums can be compared.
TEMPLATE = "extracts/1"
# Neither of these stands in what is copied so, so that each row arrives as it was written.
_AS_WRITTEN = "FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02'"
# So much of a sheet is read and packed at a time.
_PIECE = 1 << 20
# A file's parts bear no moment of their own, so that the same content gives the same bytes.
_NO_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself: its title, the language of its words, the moment of its data."""

    title: str
    language: str
    moment: datetime
    sheet: str


def write_csv(uow: UnitOfWork, reading: Reading, path: Path, about: About) -> int:  # noqa: ARG001 - all take the same
    """Write CSV in UTF-8 with a byte order mark and headings; return the number of rows."""
    with path.open("wb") as handle:
        handle.write((BYTE_ORDER_MARK + csv_line(cell.label for cell in reading.cells)).encode())
        handle.flush()
        return copy_out(uow, reading.select([csv_cell(cell) for cell in reading.cells]), "FORMAT csv", handle)


def write_json_lines(uow: UnitOfWork, reading: Reading, path: Path, about: About) -> int:  # noqa: ARG001 - as above
    """Write an object a line, by the columns' keys and with codes as they are stored; return the number of rows."""
    rows = plain(reading).subquery("r")
    with path.open("wb") as handle:
        return copy_out(uow, select(func.row_to_json(rows.table_valued())), _AS_WRITTEN, handle)


def write_workbook(uow: UnitOfWork, reading: Reading, path: Path, about: About) -> int:
    """Write a workbook with a table on each sheet, as many sheets as the rows need; return the number of rows."""
    rows, model = path.with_suffix(".rows"), path.with_suffix(".model")
    try:
        styles = _model(model, reading, about, [0]).styles
        cells = [sheet_cell(cell, styles) for cell in reading.cells]
        row: ColumnElement[Any] = literal("<row>", Text)
        for cell in cells:
            row = row.concat(cell)
        row = row.concat(literal("</row>", Text))
        with rows.open("wb") as handle:
            number = copy_out(uow, reading.select([row]), _AS_WRITTEN, handle)
        sizes = [min(MOST_ROWS, number - begun) for begun in range(0, number, MOST_ROWS)] or [0]
        _assemble(path, rows, _model(model, reading, about, sizes), sizes)
        return number
    finally:
        rows.unlink(missing_ok=True)
        model.unlink(missing_ok=True)


def _assemble(path: Path, rows: Path, model: _Model, sizes: Sequence[int]) -> None:
    """Put the rows, a line each, into the sheets of the model."""
    with zipfile.ZipFile(path, "w") as archive, rows.open("rb") as source:
        for name, content in model.others:
            with archive.open(_part(name, len(content)), "w") as part:
                part.write(content)
        for number, size in enumerate(sizes, start=1):
            # How long it will be decides how the archive is written; what stands around the rows is short.
            info = _part(f"xl/worksheets/sheet{number}.xml", rows.stat().st_size + (_PIECE if size else 0))
            with archive.open(info, "w") as part:
                part.write(model.heads[number - 1])
                if number == len(sizes):
                    shutil.copyfileobj(source, part, _PIECE)
                else:
                    part.writelines(islice(source, size))
                part.write(model.tails[number - 1])


def _part(name: str, size: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _NO_MOMENT)
    info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, size
    return info


def copy_out(uow: UnitOfWork, statement: Select[Any], options: str, handle: IO[bytes]) -> int:
    """Write what a statement reads as PostgreSQL copies it out, row by row; return the number of rows."""
    session = uow.session
    connection = session.connection()
    compiled = statement.options(session.criterion).compile(connection.engine, compile_kwargs={"literal_binds": True})
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    write = handle.write
    with raw.cursor() as cursor:
        # With parameters, if only none, because what is compiled has each % twice.
        with cursor.copy(f"COPY ({compiled}) TO STDOUT ({options})".encode(), ()) as copy:
            for block in copy:
                write(block)
        return cursor.rowcount


@dataclass(frozen=True, slots=True)
class _Model:
    """A workbook without rows: what stands before and behind the rows of each sheet, and the numbers of formats."""

    heads: tuple[bytes, ...]
    tails: tuple[bytes, ...]
    styles: dict[str, str]
    others: tuple[tuple[str, bytes], ...]


_STYLED = re.compile(rb'<c r="[AB]2" s="(\d+)"')
_SHEET = re.compile(r"xl/worksheets/sheet\d+\.xml")
# Of the model's own row; how far a sheet reaches is told by its table.
_REACH = re.compile(rb"<dimension [^>]*/>")


def _model(path: Path, reading: Reading, about: About, sizes: Sequence[int]) -> _Model:
    """The parts of a workbook whose sheets have so many rows, made by the library that knows the format."""
    labels = [cell.label for cell in reading.cells]
    widths = [_WIDTHS[cell.kind] for cell in reading.cells]
    with Workbook(path, title=about.title, language=about.language, moment=about.moment) as book:
        for number, size in enumerate(sizes, start=1):
            name = about.sheet if number == 1 else f"{about.sheet[:27]} {number}"
            book.sheet(name, labels, widths=widths).stand_for(size)
    heads, tails, others = [], [], []
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if _SHEET.fullmatch(name) is None:
                others.append((name, content))
                continue
            days = _STYLED.findall(content)
            head, _, _ = _REACH.sub(b"", content).partition(b"</row>")
            heads.append(head + b"</row>\n")
            tails.append(content[content.index(b"</sheetData>") :])
    styles = {"date": days[0].decode(), "moment": days[1].decode()}
    return _Model(tuple(heads), tuple(tails), styles, tuple(others))


_WIDTHS: Mapping[str, int] = {"text": 24, "code": 16, "number": 10, "date": 12, "moment": 20, "boolean": 10}
